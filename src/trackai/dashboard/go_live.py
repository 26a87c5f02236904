"""Go-live: what must hold before an installation goes live, proved or signed, to read and to print.

It is about the whole installation, so it is for whoever runs that, and for no tenant's own people.
"""

import datetime as dt

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.analytics.metrics import zone_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.rendering import HEADERS, language_of, render_page
from trackai.dashboard.tools import GoLive
from trackai.dashboard.visiting import Operating, Visit, fields_of, tools_of
from trackai.errors import InvalidField, NotFound
from trackai.golive.catalogue import ITEMS
from trackai.golive.report import document_of
from trackai.golive.signing import MOST_NOTE
from trackai.golive.words import sentence_of, words_of
from trackai.model.golive import Outcome, Section

router = APIRouter()

TONES = {
    Outcome.PROVED: "good",
    Outcome.SIGNED: "good",
    Outcome.FAILED: "dead",
    Outcome.EXPIRED: "pending",
    Outcome.UNSIGNED: "pending",
}


@router.get("/go-live")
async def show(request: Request, visit: Operating) -> Response:
    """Show every item: whether it holds, by what, and what to do."""
    return await _page(request, visit)


@router.get("/go-live/document")
async def document(request: Request, visit: Operating) -> Response:
    """Let the checklist be kept, as JSON."""
    del visit
    checked = await _golive(request).check()
    name = f"trackai-go-live-{checked.at:%Y-%m-%d-%H%M}.json"
    told = {"content-disposition": f'attachment; filename="{name}"'}
    body = msgspec.json.format(msgspec.json.encode(document_of(checked)), indent=2)
    return Response(body, media_type="application/json", headers={**HEADERS, **told})


@router.post("/go-live/{item}/sign")
async def sign(request: Request, visit: Operating, item: str) -> Response:
    """Answer for an item until the end of a day."""
    fields = await fields_of(request)
    if item not in ITEMS:
        raise NotFound("There is no such item.")
    try:
        until = await _end_of_day(request, visit, fields.get("until", ""))
        await _golive(request).sign(
            *(item, visit.who.user.id, visit.who.actor), note=fields.get("note", ""), until=until
        )
    except InvalidField as error:
        return await _page(request, visit, problem=error.field, of=item)
    return RedirectResponse(f"/go-live#{item}", status_code=303)


@router.post("/go-live/{item}/withdraw")
async def withdraw(request: Request, visit: Operating, item: str) -> Response:
    """Take a signature back."""
    await _golive(request).withdraw(item, visit.who.user.id, visit.who.actor)
    return RedirectResponse(f"/go-live#{item}", status_code=303)


async def _page(
    request: Request, visit: Visit, *, problem: str | None = None, of: str = ""
) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    checked = await _golive(request).check()
    language = language_of(request)
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
    when = Formats(language, zone).moment
    told = {
        one.item.id: sentence_of(one.evidence, language, when)
        for one in checked.verdicts
        if one.evidence
    }
    tomorrow = tools.clock.now().astimezone(zone).date() + dt.timedelta(days=1)
    return await render_page(
        request,
        visit,
        "go_live.html",
        zone=zone,
        status=422 if problem else 200,
        checked=checked,
        words=words_of(language),
        sections=list(Section),
        told=told,
        tones=TONES,
        tomorrow=tomorrow.isoformat(),
        most_note=MOST_NOTE,
        problem=problem,
        of=of,
    )


async def _end_of_day(request: Request, visit: Visit, written: str) -> dt.datetime:
    """Return the end of a day as the tenant has days; InvalidField when it is none."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    try:
        day = dt.date.fromisoformat(written)
    except ValueError:
        raise InvalidField("Say until which day.", field="until") from None
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
    return dt.datetime.combine(day, dt.time.max, zone).astimezone(dt.UTC)


def _golive(request: Request) -> GoLive:
    golive = tools_of(request).golive
    if golive is None:
        raise NotFound("There is nothing at this address.")
    return golive
