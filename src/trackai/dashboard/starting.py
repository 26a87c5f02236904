"""Get started: from nothing to the first test sale, step by step; it can be left at any time."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.dashboard.connecting import (
    Connections,
    PixelView,
    load_connections,
    onboarding_of,
    problem_of,
)
from trackai.dashboard.connections import connect_gateway, connect_pixel
from trackai.dashboard.gateway import EVERY_S, HEARD, Setup, change_secret, looks_left, setup_of
from trackai.dashboard.guides import script_guide
from trackai.dashboard.pixel import Tested, change_code, change_token, send_test
from trackai.dashboard.progress import STEPS, Progress, load_progress
from trackai.dashboard.rendering import language_of, render_page
from trackai.dashboard.trying import Seen, check_page, sell, tag_of
from trackai.dashboard.visiting import Configure, Manage, Operate, See, Visit, fields_of, tools_of
from trackai.errors import Conflict, InvalidField, NotFound
from trackai.gateways.registry import titles
from trackai.storage import heard

router = APIRouter()

# The part of a step's page that asks by itself.
PARTS = {"gateway": "heard.html", "tag": "start_seen.html", "sale": "start_sold.html"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a form of a step came to."""

    problem: str | None = None  # a key of words
    tested: Tested | None = None
    seen: Seen | None = None
    fields: Mapping[str, str] | None = None  # to be shown again; no secret is


NOTHING = Told()


@router.get("/start")
async def start(request: Request, visit: See) -> Response:
    """Show the steps and which are done."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        progress = await load_progress(tx, tools.clock, tenant_id=tenant_id)
    return await render_page(request, visit, "start.html", progress=progress, steps=STEPS)


@router.get("/start/{step}")
async def show_step(request: Request, visit: See, step: str) -> Response:
    """Show a step, or the part of it that changes to whoever asks for that alone."""
    return await _page(request, visit, step)


@router.post("/start/funnel")
async def create_funnel(request: Request, visit: Configure) -> Response:
    """Create a funnel."""
    name = (await fields_of(request)).get("name", "")
    try:
        await onboarding_of(request, visit).create_funnel(visit.membership.tenant_id, name)
    except InvalidField as error:
        return await _page(request, visit, "funnel", Told(problem_of(error)))
    except Conflict:
        return await _page(request, visit, "funnel", Told("start.funnel_taken"))
    return _to("gateway")


@router.post("/start/gateway")
async def choose_gateway(request: Request, visit: Manage) -> Response:
    """Connect a payment platform; what to do there follows."""
    made = await connect_gateway(request, visit, await fields_of(request))
    return _to("gateway", made.id)


@router.post("/start/gateway/secret")
async def set_secret(request: Request, visit: Manage) -> Response:
    """Set the platform's secret; from then on the page waits for a notice."""
    fields = await fields_of(request)
    try:
        await change_secret(request, visit, _id(fields), fields)
    except InvalidField as error:
        return await _page(request, visit, "gateway", Told(problem_of(error), fields=fields))
    return _to("gateway", _id(fields))


@router.post("/start/pixel")
async def add_pixel(request: Request, visit: Manage) -> Response:
    """Connect a pixel, if its platform takes the token."""
    fields = await fields_of(request)
    try:
        made = await connect_pixel(request, visit, fields)
    except (InvalidField, Conflict) as error:
        return await _page(request, visit, "pixel", Told(problem_of(error), fields=fields))
    if isinstance(made, str):
        return await _page(request, visit, "pixel", Told(made, fields=fields))
    return _to("pixel", made.id)


@router.post("/start/pixel/token")
async def set_token(request: Request, visit: Manage) -> Response:
    """Replace a pixel's token."""
    fields = await fields_of(request)
    problem = await change_token(request, visit, _id(fields), fields)
    if problem:
        return await _page(request, visit, "pixel", Told(problem, fields=fields))
    return _to("pixel", _id(fields))


@router.post("/start/pixel/test")
async def test_pixel(request: Request, visit: Operate) -> Response:
    """Send a test event."""
    fields = await fields_of(request)
    try:
        tested = await send_test(request, visit, _id(fields), fields)
    except InvalidField as error:
        return await _page(request, visit, "pixel", Told(problem_of(error), fields=fields))
    return await _page(request, visit, "pixel", Told(tested=tested, fields=fields))


@router.post("/start/tag")
async def look_for_tag(request: Request, visit: Operate) -> Response:
    """Look whether a page of theirs holds the script."""
    fields = await fields_of(request)
    seen = await check_page(request, visit, fields.get("address", ""))
    return await _page(request, visit, "tag", Told(seen=seen, fields=fields))


@router.post("/start/sale/code")
async def set_code(request: Request, visit: Manage) -> Response:
    """Let a pixel's sales appear among Meta's test events, or no longer."""
    fields = await fields_of(request)
    problem = await change_code(request, visit, _id(fields), fields)
    if problem:
        return await _page(request, visit, "sale", Told(problem))
    return RedirectResponse("/start/sale?done=code#codes", status_code=303)


@router.post("/start/sale")
async def sell_once(request: Request, visit: Operate) -> Response:
    """Let the stand-in of a platform tell of a sale, where there is one."""
    fields = await fields_of(request)
    known = await load_connections(request, visit)
    problem = await sell(request, visit, known, known.gateway(_id(fields)))
    return await _page(request, visit, "sale", Told(problem)) if problem else _to("sale")


async def _page(request: Request, visit: Visit, step: str, told: Told = NOTHING) -> Response:
    if step not in STEPS:
        raise NotFound("There is no such step.")
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    part = PARTS.get(step) if request.headers.get("hx-request") else None
    # Open pages ask every other second: what a step does not show is not read for it.
    known = await load_connections(
        *(request, visit),
        gateways=step in {"gateway", "sale"},
        pixels=step in {"pixel", "sale"} and not part,
    )
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        progress = await load_progress(tx, tools.clock, tenant_id=tenant_id)
        event = await heard.find_newest_event(tx, tenant_id=tenant_id) if step == "sale" else None
    picked = told.fields or request.query_params
    return await render_page(
        request,
        visit,
        "start_part.html" if part else f"start_{step}.html",
        part=part,
        swapped="",
        status=422 if told.problem else 200,
        step=step,
        steps=STEPS,
        progress=progress,
        next=progress.after(step),
        known=known,
        setup=_setup(request, known, picked) if step == "gateway" else None,
        one=_pixel(known, picked),
        event=event,
        problem=told.problem,
        tested=told.tested,
        seen=told.seen,
        pixel_id=picked.get("pixel_id", ""),
        address=picked.get("address", ""),
        titles=titles(),
        tag=await tag_of(request, visit) if step == "tag" else "",
        guide=script_guide(language_of(request)),
        done=request.query_params.get("done"),
        sandbox=tools.practice is not None,
        stand_in=tools.meta_url is not None,
        looks=_looks(request, step, progress),
        every_s=EVERY_S,
    )


def _setup(request: Request, known: Connections, picked: Mapping[str, str]) -> Setup | None:
    """Return what there is to do at the platform picked, or at the first not heard of yet."""
    silent = [one for one in known.gateways if one.standing not in HEARD]
    usual = next(iter([*silent, *known.gateways]), None)
    one = known.gateway(_id(picked)) if picked.get("of") else usual
    if one is None:
        return None
    return setup_of(request, one, f"/start/gateway?of={one.connection.id}")


def _pixel(known: Connections, picked: Mapping[str, str]) -> PixelView | None:
    """Return the pixel picked, or the first whose token is not known to be good."""
    ids = {str(one.account.id): one for one in known.pixels}
    if picked.get("of") in ids:
        return ids[picked["of"]]
    bad = [one for one in known.pixels if one.tone != "good"]
    return next(iter([*bad, *known.pixels]), None)


def _looks(request: Request, step: str, progress: Progress) -> str | None:
    """Return what an open page asks for by itself; None when there is nothing to wait for."""
    left = looks_left(request)
    waits = step in PARTS and step not in progress.done and left
    return f"/start/{step}?left={left}" if waits else None


def _id(fields: Mapping[str, str]) -> UUID:
    try:
        return UUID(fields.get("of", ""))
    except ValueError:
        raise NotFound("There is no such connection.") from None


def _to(step: str, of: UUID | None = None) -> RedirectResponse:
    return RedirectResponse(f"/start/{step}" + (f"?of={of}" if of else ""), status_code=303)
