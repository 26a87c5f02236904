"""A tenant's funnels: what each brought, when it was last heard of, and what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.funnels import FunnelChange, Funnels
from trackai.analytics.funnels import FunnelNumbers, funnel_numbers
from trackai.analytics.metrics import NO_FUNNEL, tenant_of
from trackai.analytics.sales import in_order
from trackai.dashboard.asking import question_of
from trackai.dashboard.connecting import onboarding_of
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Configure, See, Visit, fields_of, tools_of
from trackai.errors import Conflict, InvalidField
from trackai.tracker.tag import script_tag

router = APIRouter()

USUAL = "30d"
NOTHING = FunnelNumbers()


@dataclass(frozen=True, slots=True)
class Line:
    """A funnel, what it brought, and the tag of its pages."""

    id: UUID
    name: str
    numbers: FunnelNumbers
    currencies: list[str]
    tag: str


@router.get("/funnels")
async def show_funnels(request: Request, visit: See) -> Response:
    """Show all funnels with their numbers of a period."""
    return await _page(request, visit)


@router.post("/funnels")
async def create_funnel(request: Request, visit: Configure) -> Response:
    """Create a funnel."""
    name = (await fields_of(request)).get("name", "")
    try:
        await onboarding_of(request, visit).create_funnel(visit.membership.tenant_id, name)
    except (InvalidField, Conflict) as error:
        return await _page(request, visit, problem=_problem(error), name=name)
    return RedirectResponse("/funnels", status_code=303)


@router.post("/funnels/{funnel_id}/name")
async def rename_funnel(request: Request, visit: Configure, funnel_id: UUID) -> Response:
    """Call a funnel by another name; addresses and tags that hold its id stay as they are."""
    name = (await fields_of(request)).get("name", "")
    tools = tools_of(request)
    funnels = Funnels(tools.database, tools.clock, tools.new_id, visit.membership.tenant_id)
    try:
        await funnels.change(str(funnel_id), FunnelChange(name), actor=visit.who.actor)
    except (InvalidField, Conflict) as error:
        return await _page(request, visit, problem=_problem(error))
    return RedirectResponse("/funnels", status_code=303)


async def _page(
    request: Request, visit: Visit, *, problem: str | None = None, name: str = ""
) -> Response:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        question = await question_of(tx, request, tenant_id=tenant_id, usual=USUAL)
        found = await funnel_numbers(tx, question.period, tenant_id=tenant_id)
        site_key = (await tenant_of(tx, tenant_id=tenant_id)).site_key
    lines = [
        _line(one.id, one.name, found, question.currency, _tag(tools.base_url, site_key, one.id))
        for one in question.funnels
    ]
    return await render_page(
        request,
        visit,
        "funnels.html",
        status=422 if problem else 200,
        zone=question.zone,
        question=question,
        lines=lines,
        astray=found.get(NO_FUNNEL, NOTHING).clicks,
        problem=problem,
        name=name,
        # A form that was refused is at another address than the page.
        path="/funnels",
    )


def _line(funnel: UUID, name: str, found: Mapping[UUID, FunnelNumbers], own: str, tag: str) -> Line:
    numbers = found.get(funnel, NOTHING)
    return Line(funnel, name, numbers, in_order(numbers.money, own), tag)


def _tag(base_url: str, site_key: str, funnel: UUID) -> str:
    return script_tag(base_url, {"site-key": site_key, "funnel": str(funnel)})


def _problem(error: InvalidField | Conflict) -> str:
    return "start.funnel_taken" if isinstance(error, Conflict) else "connections.bad_name"
