"""A click: a visit with ad identifiers; and the other things a page reports."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum


class PageEventKind(StrEnum):
    """What a page can report besides a click."""

    PAGEVIEW = "pageview"
    INITIATE_CHECKOUT = "initiate_checkout"
    LEAD = "lead"
    IDENTIFY = "identify"  # the page knows who its visitor is: nothing happened, but keys are known


@dataclass(frozen=True, slots=True)
class Visitor:
    """Address and agent of the browser. Personal data: stored only inside an envelope."""

    client_ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class AdIdentifiers:
    """What ad platforms put in the address or in cookies, verbatim: case carries meaning."""

    fbclid: str | None = None
    fbc: str | None = None
    fbp: str | None = None
    gclid: str | None = None
    ttclid: str | None = None


@dataclass(frozen=True, slots=True)
class Utm:
    """Campaign parameters, for reports; matching never depends on them."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    content: str | None = None
    term: str | None = None


@dataclass(frozen=True, slots=True)
class Click:
    """One ad click as stored. `received_at` is the server's time and the truth."""

    tenant_id: uuid.UUID
    click_id: str  # ours, made in the page or by the server; at most 64 URL-safe characters
    received_at: dt.datetime
    ads: AdIdentifiers
    utm: Utm
    visitor: Visitor
    funnel_id: uuid.UUID | None = None
    client_time: dt.datetime | None = None  # what the browser's clock said
    page_url: str | None = None  # without query and fragment
    referrer: str | None = None  # without query and fragment


@dataclass(frozen=True, slots=True)
class PageEvent:
    """A page view, started checkout or lead, with the click it belongs to where known."""

    tenant_id: uuid.UUID
    kind: PageEventKind
    event_key: str  # made in the page or by the server; unique per tenant and kind
    received_at: dt.datetime
    click_id: str | None = None
    funnel_id: uuid.UUID | None = None
    client_time: dt.datetime | None = None
    page_url: str | None = None
    referrer: str | None = None
    fbp: str | None = None
    identities: tuple[tuple[str, bytes], ...] = ()  # (kind, key) of model.identity


# fb.<subdomain index>.<creation time in ms>.<fbclid>, and what Meta's parameter builder appends:
# a part of eight characters, of two in its first versions.
_FBC_PARTS = 4
_BUILDER_SUFFIX_LENGTHS = frozenset({2, 8})


def fbclid_of(fbc: str | None) -> str | None:
    """Return Meta's click id inside an fbc, unchanged; None when there is none.

    An fbclid has no dot in it, so a last part of the builder's length is the builder's.
    """
    parts = fbc.split(".", _FBC_PARTS - 1) if fbc else []
    if len(parts) < _FBC_PARTS or parts[0] != "fb":
        return None
    fbclid, dot, suffix = parts[-1].rpartition(".")
    return (fbclid if dot and len(suffix) in _BUILDER_SUFFIX_LENGTHS else parts[-1]) or None
