"""What pages show, as a download: all rows that their filters let through, not one page of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from trackai.analytics.export import (
    KINDS,
    MEDIA_TYPES,
    SPREADSHEETS,
    Made,
    Rows,
    Stored,
    What,
    written,
)
from trackai.analytics.looking import note_look
from trackai.analytics.matched import match_rates
from trackai.analytics.rows import AdRow, RateRow
from trackai.analytics.tables import ad_rows, rate_rows
from trackai.dashboard import campaigns, conversions, events, match_rate
from trackai.dashboard.asking import Question, question_of
from trackai.dashboard.listing import FILTERS, Kind, newest_of, wanted_of
from trackai.dashboard.rendering import HEADERS, language_of
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import See, tools_of
from trackai.errors import InvalidField, NotFound
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Tx

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what."""

    tx: Tx
    tools: DashboardTools
    tenant_id: UUID
    question: Question


@dataclass(frozen=True, slots=True)
class Source:
    """What a page shows: which part of its address counts, and the rows."""

    usual: str  # period
    keeps: Sequence[str]
    rows: Callable[[Asking], Awaitable[Rows]]


@router.get("/exports/{what}.{ending}")
async def export(request: Request, visit: See, what: str, ending: str) -> StreamingResponse:
    """Send the rows as they are read; that somebody took them away is in the audit log."""
    source = SOURCES.get(what)
    if source is None or ending not in MEDIA_TYPES:
        raise NotFound("There is no such download.")
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(
            tx, request, tenant_id=tenant_id, usual=source.usual, keeps=source.keeps
        )
        if question.problems:
            raise InvalidField("Choose again what to download.", field="period")
        rows = await source.rows(Asking(tx, tools, tenant_id, question))
        scribe = Scribe(tenant_id, visit.who.actor, tools.clock, tools.new_id)
        asked = {"what": what, **question.choice.own(), **question.picks}
        await note_look(tx, scribe, f"export.{ending}", asked)
    first, last = question.period.dates()
    name = f"trackai-{what}-{first}-{last}.{ending}"
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    parts = written(rows, ending, SPREADSHEETS[language_of(request)])
    return StreamingResponse(parts, media_type=MEDIA_TYPES[ending], headers=headers)


def _stored(what: What, kind: Callable[[], Kind]) -> Callable[[Asking], Awaitable[Rows]]:
    async def rows(asking: Asking) -> Rows:
        wanted = wanted_of(asking.question, kind().statuses)
        start = newest_of(asking.question, wanted)
        return Stored(asking.tools.database, asking.tenant_id, KINDS[what], wanted, start)

    return rows


async def _campaigns(asking: Asking) -> Rows:
    found = await campaigns.look(asking.tx, asking.question, tenant_id=asking.tenant_id)
    return Made(AdRow, ad_rows(found.report))


async def _match_rates(asking: Asking) -> Rows:
    period, filters = asking.question.period, asking.question.filters
    found = await match_rates(asking.tx, period, filters, tenant_id=asking.tenant_id)
    return Made(RateRow, rate_rows(found, period.buckets().grain.value))


SOURCES: Mapping[str, Source] = {
    "events": Source(events.USUAL, FILTERS, _stored(What.EVENTS, events.kind)),
    "conversions": Source(conversions.USUAL, FILTERS, _stored(What.SALES, conversions.kind)),
    "campaigns": Source(campaigns.USUAL, campaigns.KEEPS, _campaigns),
    "match-rate": Source(match_rate.USUAL, match_rate.KEEPS, _match_rates),
}
