"""What the product and Meta's Python SDK make of a value, in one form: the digests on the wire."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from facebook_business.adobjects.serverside.normalize import Normalize

from trackai.destinations.meta import normalize
from trackai.model.identity import external_id_key
from trackai.model.money import parse_currency

Digests = tuple[str, ...]

FIXTURES = Path(__file__).parents[1] / "fixtures/meta"
YEAR = 2026


def cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of a fixture."""
    found: list[dict[str, Any]] = json.loads((FIXTURES / name).read_text())["cases"]
    return found


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _external_id(raw: str, _country: str | None) -> Digests:
    key = external_id_key(raw)
    return (key.hex(),) if key else ()


def _currency(raw: str, _country: str | None) -> Digests:
    try:
        return (hashed(parse_currency(raw).lower()),)  # sent in clear; Meta takes either case
    except ValueError:
        return ()


OURS: dict[str, Callable[[str, str | None], Digests]] = {
    "em": normalize.hash_email,
    "ph": normalize.hash_phone,
    "fn": normalize.hash_name,
    "ln": normalize.hash_name,
    "ge": normalize.hash_gender,
    "db": lambda raw, country: normalize.hash_birth_date(raw, country, YEAR),
    "ct": normalize.hash_city,
    "st": normalize.hash_state,
    "zp": normalize.hash_zip,
    "country": normalize.hash_country,
    "external_id": _external_id,
    "currency": _currency,
}
# Normalize knows these keys; Meta's page names none of them, so the product sends none.
NOT_SENT = frozenset({"f5first", "f5last", "fi", "dobd", "dobm", "doby"})


def of_ours(key: str, raw: object, country: str | None = None) -> Digests:
    """Return what the product sends; nothing but text reaches it."""
    return OURS[key](raw, country) if isinstance(raw, str) and key not in NOT_SENT else ()


def of_sdk(key: str, raw: object) -> Digests:
    """Return what the SDK sends; none where it raises, which loses the whole event."""
    try:
        digest = Normalize.normalize_field(key, raw)
    except (TypeError, ValueError, AttributeError):
        return ()
    return (digest,) if digest else ()
