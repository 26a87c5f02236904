"""/api/v1/analytics/events and dispatch-attempts: what was sent, page by page, newest first."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from trackai.analytics.export import Listing
from trackai.analytics.places import cursor_of, place_of
from trackai.analytics.rows import Attempt, Event
from trackai.api.analytics.asking import Filtered, Reader, Word, answer, looking
from trackai.api.caller import Caller
from trackai.storage import events
from trackai.storage.events import Page, Place, Wanted

router = APIRouter()

MOST_ROWS = 500


class RowsAsked(Filtered):
    """Which rows; what is left out means any."""

    status: str | None = None
    campaign: Word | None = Field(default=None, description="As the ad's address said it.")
    event_id: Word | None = Field(
        default=None, description="Exactly this one; of events and sales, a transaction as well."
    )

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
