"""What Graph takes in `user_data`: which keys must be hashed, which never, and how much is enough.

Facts: Meta's page of customer information parameters and recorded refusals (2026).
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping

from trackai.sandbox.meta.refusal import (
    BAD_CLICK_ID,
    BAD_LEAD_ID,
    PARAMETER,
    TOO_THIN,
    JsonObject,
    Refusal,
    wrong,
)

MUST_HASH = frozenset("em ph fn ln ge db ct st zp country".split())
NEVER_HASH = frozenset("client_ip_address client_user_agent fbc fbp".split())
# Identify a person too, by themselves; anything else in user_data is ignored.
OTHER_KEYS = frozenset(
    """external_id subscription_id fb_login_id lead_id anon_id madid page_id page_scoped_user_id
    ctwa_clid ig_account_id ig_sid whatsapp_business_account_id f5first f5last fi dobd dobm
    doby""".split()
)
KNOWN_KEYS = MUST_HASH | NEVER_HASH | OTHER_KEYS

# A set of keys inside one of these says too little about a person (documented, seen live).
TOO_BROAD = (
    frozenset("ct country st zp ge client_user_agent".split()),
    frozenset("db client_user_agent".split()),
    frozenset("fn ge".split()),
    frozenset("ln ge".split()),
)

HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOOKS_HASHED = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
# fb.<subdomain index>.<creation time, ms>.<fbclid or random>; Meta's parameter builder appends
# a suffix to both.
_FBC = re.compile(r"fb\.[0-9]\.[0-9]{13}\.\S+", re.ASCII)
_FBP = re.compile(r"fb\.[0-9]\.[0-9]{13}\.[0-9]+(\.[A-Za-z0-9_-]{2,8})?", re.ASCII)
_LEAD_ID = re.compile(r"[0-9]{15,16}", re.ASCII)


def refuse_user_data(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    """Return why this event's user_data is refused, or None."""
    user, path = event["user_data"], f"{at}['user_data']"
    if not isinstance(user, dict):
        return wrong(path, "must be an object.")
    given = {key: value for key, value in user.items() if value not in (None, [])}
    for key, value in given.items():
        refusal = _refuse_key(key, value, f"{path}['{key}']")
        if refusal is not None:
            return refusal
    present = given.keys() & KNOWN_KEYS
    if any(present <= broad for broad in TOO_BROAD):
        return wrong(path, "holds too little customer information.", TOO_THIN)
    return None


def _refuse_key(key: str, value: object, path: str) -> Refusal | None:
    if key in MUST_HASH or key == "external_id":
        return _refuse_hashes(key, value, path)
    if key in NEVER_HASH:
        return _refuse_plain(key, value, path)
    if key == "lead_id" and not _LEAD_ID.fullmatch(str(value)):
        return wrong(path, "must have 15 or 16 digits.", BAD_LEAD_ID)
    return None


def _refuse_hashes(key: str, value: object, path: str) -> Refusal | None:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str) or not item.strip():
            return wrong(path, "must be a non-empty string or a list of them.")
        if item == HASH_OF_NOTHING:
            return wrong(path, "is the hash of an empty string: leave the key out.")
        # Hashing external_id is recommended, not required.
        if key in MUST_HASH and not _SHA256.fullmatch(item):
            return wrong(path, "must be a SHA-256 hash: 64 lower-case hexadecimal digits.")
    return None


def _refuse_plain(key: str, value: object, path: str) -> Refusal | None:
    if not isinstance(value, str) or not value.strip():
        return wrong(path, "must be a non-empty string.")
    if _LOOKS_HASHED.fullmatch(value):
        return wrong(path, "must never be hashed.")
    shape = _SHAPES.get(key)
    if shape is not None and not shape[0](value):
        return wrong(path, shape[1], BAD_CLICK_ID if key == "fbc" else PARAMETER)
    return None


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


_SHAPES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "fbc": (
        lambda value: _FBC.fullmatch(value) is not None,
        "must be fb.<subdomain index>.<creation time in ms>.<fbclid>.",
    ),
    "fbp": (
        lambda value: _FBP.fullmatch(value) is not None,
        "must be fb.<subdomain index>.<creation time in ms>.<random number>.",
    ),
    "client_ip_address": (_is_address, "must be a valid IPv4 or IPv6 address."),
}
