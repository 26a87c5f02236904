"""The tenant's events: a list, and the story of each."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import zone_of
from trackai.analytics.periods import FARTHEST, OLDEST
from trackai.analytics.places import cursor_of, place_of
from trackai.dashboard.asking import Question, question_of, text_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.timeline import steps_of
from trackai.dashboard.visiting import See, tools_of
from trackai.dispatch.story import tell
from trackai.errors import InvalidField
from trackai.gateways.registry import titles
from trackai.matching.explain import explain
from trackai.model.delivery import DeliveryStatus
from trackai.storage import events
from trackai.storage.events import Place, Wanted
from trackai.storage.pool import Row, Tx

router = APIRouter()

SHOWN = 50
FILTERS = ("gateway", "funnel", "status", "campaign", "event_id")


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of events, and where the pages beside it are."""

    rows: Sequence[Row] = ()
    newer: str | None = None
    older: str | None = None
    first: bool = True  # nothing is newer


@router.get("/events")
async def list_events(request: Request, visit: See) -> Response:
    """Show a page of events, newest first."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual="7d", keeps=FILTERS)
        listed = Listed()
        try:
            wanted = _wanted(question)
            places = [place_of(request.query_params.get(one), question.now) for one in _WAYS]
        except InvalidField as error:
            problems = [*question.problems, f"events.bad_{error.field}"]
            question = replace(question, problems=problems)
        else:
            listed = await _listed(tx, question, wanted, places, tenant_id=tenant_id)
    return await render_page(
        request,
        visit,
        "events.html",
        zone=question.zone,
        question=question,
        listed=listed,
        statuses=list(DeliveryStatus),
        campaigns=sorted({row["campaign"] for row in listed.rows if row["campaign"]}),
    )


@router.get("/events/{delivery_id}")
async def event(request: Request, visit: See, delivery_id: UUID) -> Response:
    """Show an event: what is sent of it, what happened, every try."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        story = await tell(tx, tenant_id=tenant_id, delivery_id=delivery_id)
        match = await explain(tx, tenant_id=tenant_id, conversion=story.event["conversion_id"])
    return await render_page(
        request,
        visit,
        "event.html",
        zone=zone,
        event=story.event,
        tries=story.tries,
        payload=story.payload,
        known=any(one["match_keys"] for one in story.tries),
        match=match,
        steps=steps_of(story, match, Formats(language_of(request), zone)),
        gateways=titles(),
    )


_WAYS = ("older", "newer")


def _wanted(question: Question) -> Wanted:
    picks: Mapping[str, str] = question.picks
    status, event_id = picks.get("status"), text_of(picks, "event_id")
    if status is not None and status not in set(DeliveryStatus):
        raise InvalidField("There is no such status.", field="status")
    return Wanted(
        # Whoever names an event wants it, whenever it was.
        question.now - OLDEST if event_id else question.period.start,
        question.filters.gateway,
        question.filters.funnel_id,
        status,
        text_of(picks, "campaign"),
        event_id,
    )


async def _listed(
    tx: Tx,
    question: Question,
    wanted: Wanted,
    places: Sequence[Place | None],
    *,
    tenant_id: UUID,
) -> Listed:
    """Return the page after a place or before one; before the first page is the first page."""
    older, newer = places
    until: dt.datetime = question.period.end
    if newer is not None and wanted.event_id is None:
        page = await events.list_later_events(
            tx, wanted, newer, tenant_id=tenant_id, until=until, limit=SHOWN
        )
        if page.next is not None:
            last = _place(page.rows[-1]) if page.rows else newer
            return Listed(page.rows, cursor_of(page.next), cursor_of(last), first=False)
    if wanted.event_id is not None:
        until = question.now + FARTHEST
    newest = Place.before(until)
    after = min(newest, older or newest)
    page = await events.list_events(tx, wanted, after, tenant_id=tenant_id, limit=SHOWN)
    if older is None:
        return Listed(page.rows, None, cursor_of(page.next))
    first = _place(page.rows[0]) if page.rows else older
    return Listed(page.rows, cursor_of(first), cursor_of(page.next), first=False)


def _place(row: Row) -> Place:
    return Place(row["created_at"], row["id"])
