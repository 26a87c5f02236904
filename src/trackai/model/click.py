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
