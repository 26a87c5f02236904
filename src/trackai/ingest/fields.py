"""What the fields of a page's report may hold, and what is taken from its addresses.

No I/O. Identifiers are kept verbatim: their case carries meaning, and a value decoded twice is
another value. No error text holds what was sent.
"""

import base64
import datetime as dt
from urllib.parse import unquote, unquote_plus
from uuid import UUID

from trackai.errors import InvalidField
from trackai.model.identity import is_sha256

ID_LENGTH = 64

# base64's alphabet exchanged for the same characters in ASCII order: ids sort as their bytes do.
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SORTED = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_SORTED = bytes.maketrans(_BASE64, _SORTED)

# Click ids of ad platforms: '+' is itself there. UTMs are typed by people: '+' is a blank.
_AD_PARAMETERS = {"fbclid": 1000, "gclid": 1000, "ttclid": 1000}
_UTM_PARAMETERS = dict.fromkeys(
    "utm_source utm_medium utm_campaign utm_content utm_term".split(), 500
)


def short_id(prefix: str, value: UUID) -> str:
    """Return an id of 23 URL-safe characters that sorts by time when the UUID does."""
    text = base64.b64encode(value.bytes).translate(_TO_SORTED)
    return prefix + text[:22].decode()


def is_id(text: str, *, most: int = ID_LENGTH) -> bool:
    """Tell whether this is 1 to `most` of A-Z a-z 0-9 _ -."""
    plain = text.replace("-", "0").replace("_", "0")
    return 0 < len(text) <= most and plain.isascii() and plain.isalnum()


def parse_id(text: str | None, field: str) -> str | None:
    """Return a client-made id, None when absent or empty."""
    if not text:
        return None
    if not is_id(text):
        raise InvalidField(
            f"{field} takes 1 to {ID_LENGTH} of the characters A-Z a-z 0-9 _ -.", field=field
        )
    return text


def parse_uuid(text: str | None, field: str) -> UUID | None:
    """Return a UUID, None when absent or empty."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidField(f"{field} takes a UUID.", field=field) from None


def parse_digest(text: str | None, field: str) -> str | None:
    """Return a SHA-256 in hexadecimal, None when absent or empty."""
    if not text:
        return None
    if not is_sha256(text):
        raise InvalidField(f"{field} takes a SHA-256 as 64 hexadecimal digits.", field=field)
    return text


def parse_client_time(value: str | float | None) -> dt.datetime | None:
    """Return what the browser's clock said: ISO 8601 with zone, or epoch milliseconds."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            time = dt.datetime.fromisoformat(value)
            if time.tzinfo is not None:
                return time.astimezone(dt.UTC)
        else:
            return dt.datetime.fromtimestamp(value / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise InvalidField(
        "client_time takes ISO 8601 with a time zone, or epoch milliseconds.", field="client_time"
    )


def without_query(url: str | None) -> str | None:
    """Return the address without query and fragment, where personal data tends to be."""
    if not url:
        return None
    return url.partition("#")[0].partition("?")[0] or None


def ad_parameters(url: str | None) -> dict[str, str]:
    """Return click ids and UTMs in an address's query, the first of each, decoded once.

    What could not be stored (too long, or with NUL) is left out: the visit counts without it.
    """
    found: dict[str, str] = {}
    query = url.partition("#")[0].partition("?")[2] if url else ""
    for pair in query.split("&") if query else ():
        name, _, raw = pair.partition("=")
        if name in _AD_PARAMETERS:
            value, most = unquote(raw), _AD_PARAMETERS[name]
        elif name in _UTM_PARAMETERS:
            value, most = unquote_plus(raw), _UTM_PARAMETERS[name]
        else:
            continue
        if name in _AD_PARAMETERS and not value.isascii():
            continue  # made up: no platform's id
        if value and len(value) <= most and "\x00" not in value:
            found.setdefault(name, value)
    return found
