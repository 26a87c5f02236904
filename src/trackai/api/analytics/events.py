"""/api/v1/analytics/events and dispatch-attempts: what was sent, page by page, newest first."""

import datetime as dt
from typing import Annotated, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.places import cursor_of, place_of
from trackai.api.analytics.asking import Filtered, Reader, Word, answer, looking
from trackai.api.caller import Caller
from trackai.storage import events
from trackai.storage.events import Page, Place, Wanted
from trackai.storage.pool import Tx

router = APIRouter()

MOST_ROWS = 500


class Listing(Protocol):
    """What lists a page of storage's rows."""

    async def __call__(
        self, tx: Tx, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int
    ) -> Page:
        """Return the page that goes on from a place."""


class RowsAsked(Filtered):
    """Which rows; what is left out means any."""

    status: str | None = None
    campaign: Word | None = Field(default=None, description="As the ad's address said it.")
    event_id: Word | None = Field(default=None, description="Exactly this one.")

    def wanted(self, since: dt.datetime) -> Wanted:
        """Return it in storage's words."""
        return Wanted(since, self.gateway, self.funnel, self.status, self.campaign, self.event_id)


class ListAsked(RowsAsked):
    """And which page."""

    after: Word | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=100, ge=1, le=MOST_ROWS)


class EventsAsked(ListAsked):
    """Which events."""

    status: Literal["pending", "accepted", "dead", "withheld"] | None = None


class AttemptsAsked(ListAsked):
    """Which tries; of those of an ad's sales, ask for the events."""

    status: Literal["accepted", "deferred", "rejected"] | None = None
    campaign: None = Field(default=None, exclude=True)


class Event(BaseModel):
    """An event owed to a destination, with its sale, match and ad; nothing of the buyer."""

    id: UUID
    created_at: dt.datetime
    event_name: str
    event_id: str
    event_time: dt.datetime
    status: str
    reason: str | None
    attempts: int
    settled_at: dt.datetime | None
    gateway: str
    funnel_id: UUID
    destination_id: UUID
    pixel_id: str
    conversion_id: UUID
    transaction: str
    sale_status: str
    amount_minor: int | None
    currency: str | None
    sold_at: dt.datetime
    strategy: str | None
    click_id: str | None
    clicked_at: dt.datetime | None
    source: str | None
    medium: str | None
    campaign: str | None
    content: str | None


class Attempt(BaseModel):
    """A try to deliver, and what the destination said."""

    id: UUID
    created_at: dt.datetime
    delivery_id: UUID
    destination_id: UUID
    gateway: str
    funnel_id: UUID
    event_name: str | None
    event_id: str | None
    attempt: int
    status: str
    reason: str | None
    http_status: int | None
    error_code: int | None
    error_subcode: int | None
    trace_id: str | None
    batch_size: int
    duration_ms: float


class Events(BaseModel):
    """A page of events. It may hold fewer than asked, even none, and yet have a `next`."""

    events: list[Event]
    next: str | None


class Attempts(BaseModel):
    """A page of tries. It may hold fewer than asked, even none, and yet have a `next`."""

    attempts: list[Attempt]
    next: str | None


@router.get("/events", response_model=Events)
async def list_events(
    request: Request, caller: Reader, asked: Annotated[EventsAsked, Query()]
) -> Response:
    """List events, newest first."""
    page = await _page(request, caller, asked, events.list_events)
    found = [Event.model_validate(dict(row)) for row in page.rows]
    return answer(request, Events(events=found, next=cursor_of(page.next)))


@router.get("/dispatch-attempts", response_model=Attempts)
async def list_attempts(
    request: Request, caller: Reader, asked: Annotated[AttemptsAsked, Query()]
) -> Response:
    """List tries to deliver, newest first."""
    page = await _page(request, caller, asked, events.list_attempts)
    found = [Attempt.model_validate(dict(row)) for row in page.rows]
    return answer(request, Attempts(attempts=found, next=cursor_of(page.next)))


async def _page(request: Request, caller: Caller, asked: ListAsked, listed: Listing) -> Page:
    async with looking(request, caller, asked) as view:
        period = asked.period_in(view)
        newest = Place.before(period.end)
        after = min(newest, place_of(asked.after, view.now) or newest)
        wanted = asked.wanted(period.start)
        return await listed(view.tx, wanted, after, tenant_id=view.tenant_id, limit=asked.limit)
