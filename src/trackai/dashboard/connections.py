"""What is connected: payment platforms and pixels, how they stand, and what can be done to them."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from trackai.accounts.onboarding import NewDestination
from trackai.dashboard.connecting import (
    PIXEL_KIND,
    load_connections,
    onboarding_of,
    pixels_of,
    problem_of,
    refusal_of,
    upkeep_of,
)
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Manage, See, Visit, fields_of, tools_of
from trackai.errors import Conflict, InvalidField
from trackai.gateways.registry import titles
from trackai.model.tenant import DestinationAccount, GatewayConnection

router = APIRouter()


@router.get("/connections")
async def connections(request: Request, visit: See) -> Response:
    """Show everything that is connected."""
    return await _page(request, visit)


@router.post("/connections/gateways")
async def add_gateway(request: Request, visit: Manage) -> Response:
    """Connect a payment platform; its page says what to paste where."""
    fields = await fields_of(request)
    try:
        made = await connect_gateway(request, visit, fields)
    except (InvalidField, Conflict) as error:
        return await _page(request, visit, problem=problem_of(error))
    return RedirectResponse(f"/connections/gateways/{made.id}", status_code=303)


@router.post("/connections/pixels")
async def add_pixel(request: Request, visit: Manage) -> Response:
    """Connect a pixel, if its platform takes the token."""
    fields = await fields_of(request)
    try:
        made = await connect_pixel(request, visit, fields)
    except (InvalidField, Conflict) as error:
        return await _page(request, visit, problem=problem_of(error), fields=fields)
    if isinstance(made, str):
        return await _page(request, visit, problem=made, fields=fields)
    return RedirectResponse(f"/connections/pixels/{made.id}", status_code=303)


@router.post("/connections/gateways/{connection_id}/disconnect")
async def disconnect_gateway(request: Request, visit: Manage, connection_id: UUID) -> Response:
    """Retire a webhook address."""
    await upkeep_of(request, visit).disconnect_gateway(connection_id)
    return RedirectResponse("/connections", status_code=303)


@router.post("/connections/pixels/{destination_id}/disconnect")
async def disconnect_pixel(request: Request, visit: Manage, destination_id: UUID) -> Response:
    """Send a pixel nothing from now on."""
    await upkeep_of(request, visit).disconnect_destination(destination_id)
    return RedirectResponse("/connections", status_code=303)


async def connect_gateway(
    request: Request, visit: Visit, fields: Mapping[str, str]
) -> GatewayConnection:
    """Connect the platform of a form; without a secret yet where it shows one only later."""
    return await onboarding_of(request, visit).connect_gateway(
        visit.membership.tenant_id,
        fields.get("gateway", ""),
        fields.get("secret", "").strip() or None,
        funnel=fields.get("funnel") or None,
    )


async def connect_pixel(
    request: Request, visit: Visit, fields: Mapping[str, str]
) -> DestinationAccount | str:
    """Connect the pixel of a form; return a key of words when its token is refused."""
    tenant_id, onboarding = visit.membership.tenant_id, onboarding_of(request, visit)
    named = fields.get("funnel")
    funnel = await onboarding.funnel_named(tenant_id, named) if named else None
    new = NewDestination(
        kind=PIXEL_KIND,
        pixel_id=fields.get("pixel_id", "").strip(),
        token=fields.get("token", ""),
        funnel_id=funnel.id if funnel else None,
        test_event_code=fields.get("test_event_code", "").strip() or None,
        api_url=tools_of(request).meta_url,
    )
    said = await pixels_of(request, visit).connect(new)
    return said.account or refusal_of(said) or "connections.bad_token"


async def _page(
    request: Request,
    visit: Visit,
    *,
    problem: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """Show the page, of one funnel or of all; what was filled in stays, but never a secret."""
    known = await load_connections(request, visit)
    asked = request.query_params.get("funnel")
    only = next((one for one in known.funnels if str(one.id) == asked), None)
    if only is not None:
        known = known.of(only.id)
    return await render_page(
        request,
        visit,
        "connections.html",
        status=422 if problem else 200,
        known=known,
        only=only,
        titles=titles(),
        problem=problem,
        pixel_id=(fields or {}).get("pixel_id", ""),
    )
