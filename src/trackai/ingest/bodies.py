"""What pages may post: one struct an address, decoded and checked in one pass.

Unknown fields are ignored and empty texts count as absent, so that an old script works with a new
server and the other way round.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from trackai.errors import InvalidField, MalformedBody

Body = TypeVar("Body", bound="PageBody")

_ID_PATTERN = {"pattern": "^[A-Za-z0-9_-]{0,64}$"}

Id = Annotated[str, Meta(max_length=64, extra_json_schema=_ID_PATTERN)]
Identifier = Annotated[str, Meta(max_length=1000, description="Verbatim, case preserved.")]
Campaign = Annotated[str, Meta(max_length=500)]
Url = Annotated[str, Meta(max_length=4000, description="Stored without query and fragment.")]
FunnelId = Annotated[str, Meta(max_length=64, description="A UUID.")]
SiteKey = Annotated[str, Meta(max_length=128, description="The tenant's public key.")]
ClientTime = Annotated[
    str | int | float | None,
    Meta(description="The browser's clock: ISO 8601 with time zone, or epoch milliseconds."),
]
Digest = Annotated[
    str,
    Meta(
        max_length=64,
        description="SHA-256 in hexadecimal, of the normalized value.",
        extra_json_schema={"pattern": "^([0-9A-Fa-f]{64})?$"},
    ),
]
Personal = Annotated[str, Meta(max_length=320, description="Hashed at once, never stored.")]


_PLATFORM_IDS = ("fbp", "fbclid", "fbc", "gclid", "ttclid")


class PageBody(msgspec.Struct, kw_only=True, gc=False):
    """What every report may carry."""

    site_key: SiteKey | None = None
    click_id: Id | None = None
    fbp: Identifier | None = None
    funnel_id: FunnelId | None = None
    client_time: ClientTime = None
    page_url: Url | None = None
    referrer: Url | None = None


class ClickBody(PageBody, kw_only=True, gc=False):
    """POST /api/v1/track/click."""

    fbclid: Identifier | None = None
    fbc: Identifier | None = None
    gclid: Identifier | None = None
    ttclid: Identifier | None = None
    utm_source: Campaign | None = None
    utm_medium: Campaign | None = None
    utm_campaign: Campaign | None = None
    utm_content: Campaign | None = None
    utm_term: Campaign | None = None


class PageviewBody(PageBody, kw_only=True, gc=False):
    """POST /api/v1/track/pageview."""

    event_id: Id | None = None


class LeadBody(PageviewBody, kw_only=True, gc=False):
    """POST /api/v1/track/lead, /initiate_checkout and /identify."""

    email: Personal | None = None
    phone: Personal | None = None
    email_sha256: Digest | None = None
    phone_sha256: Digest | None = None
    external_id: Identifier | None = None


def parse_body(decoder: "msgspec.json.Decoder[Body]", raw: bytes) -> Body:
    """Decode a body; MalformedBody when it is no JSON object, InvalidField names the field."""
    try:
        body = decoder.decode(raw.decode())
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody("The body is not JSON in UTF-8.") from None
    for field in _PLATFORM_IDS:
        value = getattr(body, field, None)
        if value is not None and not value.isascii():
            # No platform makes such ids, and an index takes 2704 bytes, not 1000 characters.
            raise InvalidField(f"{field} takes ASCII characters.", field=field)
    # PostgreSQL's text cannot hold NUL, and JSON can write it in this way only.
    if rb"\u0000" in raw:
        for field in body.__struct_fields__:
            value = getattr(body, field)
            if isinstance(value, str) and "\x00" in value:
                raise InvalidField(f"{field} holds a NUL character.", field=field)
    return body


def _wrong_type(problem: str) -> MalformedBody | InvalidField:
    # msgspec's own words: "Expected `str`, got `int` - at `$.fbclid`"; never the value.
    what, _, path = problem.rpartition(" - at `$.")
    field = path.rstrip("`")
    if not what:
        return MalformedBody("The body is not a JSON object.")
    return InvalidField(f"{field}: {_plain(what)}.", field=field)


_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_WORDS |= {"null": "null", "object": "an object", "array": "a list"}
_TYPES = re.compile("`([a-z |]+)`")


def _plain(what: str) -> str:
    """Put JSON's types in words: "expected text or null, got a whole number"."""
    said = _TYPES.sub(
        lambda found: " or ".join(_WORDS.get(one, one) for one in found[1].split(" | ")), what
    )
    return said[0].lower() + said[1:]
