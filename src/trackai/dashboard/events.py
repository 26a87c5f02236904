"""The tenant's events: a list, and the story of each."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import zone_of
from trackai.dashboard.asking import question_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.listing import FILTERS, Kind, list_page
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.timeline import steps_of
from trackai.dashboard.visiting import See, tools_of
from trackai.dispatch.story import tell
from trackai.gateways.registry import titles
from trackai.matching.explain import explain
from trackai.model.delivery import DeliveryStatus
from trackai.storage import events

router = APIRouter()

SHOWN = 50
USUAL = "7d"


def kind() -> Kind:
    """Return how events are listed."""
    return Kind(
        events.list_events,
        events.list_later_events,
        at="created_at",
        statuses=set(DeliveryStatus),
        words="events",
        shown=SHOWN,
    )


@router.get("/events")
async def list_events(request: Request, visit: See) -> Response:
    """Show a page of events, newest first."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual=USUAL, keeps=FILTERS)
        question, listed = await list_page(tx, request, question, kind(), tenant_id=tenant_id)
    return await render_page(
        request,
        visit,
        "events.html",
        zone=question.zone,
        question=question,
        listed=listed,
        statuses=list(DeliveryStatus),
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
