"""Who did what to the tenant's things, newest first."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import zone_of
from trackai.analytics.places import cursor_of, place_of
from trackai.dashboard.rendering import render_page
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import Manage, tools_of
from trackai.errors import InvalidField
from trackai.gateways.registry import titles
from trackai.storage.api_keys import list_api_keys
from trackai.storage.audit_logs import END, list_audit
from trackai.storage.destinations import list_destinations
from trackai.storage.events import Place
from trackai.storage.gateway_connections import list_connections
from trackai.storage.pool import Tx
from trackai.storage.tenants import list_funnels

router = APIRouter()

SHOWN = 200


@router.get("/audit")
async def audit(request: Request, visit: Manage, older: str | None = None) -> Response:
    """Show the last deeds, or those that are older than a place that a page before ended at."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    before, problem = _place(older, tools)
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=SHOWN + 1, before=before or END)
        things = await _things(tx, tools, tenant_id=tenant_id)
    more, deeds = deeds[SHOWN:], deeds[:SHOWN]
    last = deeds[-1] if more else None
    return await render_page(
        request,
        visit,
        "audit.html",
        zone=zone,
        deeds=deeds,
        names=await tools.team.names(tenant_id),
        things=things,
        shown=SHOWN,
        older=cursor_of(Place(last["at"], last["id"])) if last else None,
        first=before is None,
        problem=problem,
    )


def _place(cursor: str | None, tools: DashboardTools) -> tuple[Place | None, bool]:
    """Return the place of an address; the newest, and that there is a problem, for none of ours."""
    try:
        return place_of(cursor, tools.clock.now()), False
    except InvalidField:
        return None, True


async def _things(tx: Tx, tools: DashboardTools, *, tenant_id: UUID) -> Mapping[str, str]:
    """Return what the tenant's things are called, by their ids."""
    known = titles()
    funnels = await list_funnels(tx, tenant_id=tenant_id)
    connections = await list_connections(tx, tools.envelope, tenant_id=tenant_id)
    pixels = await list_destinations(tx, tools.envelope, tenant_id=tenant_id)
    keys = await list_api_keys(tx, tenant_id=tenant_id)
    return {
        **{str(one.id): one.name for one in funnels},
        **{str(one.id): known.get(one.gateway, one.gateway) for one in connections},
        **{str(one.id): one.pixel_id for one in pixels},
        **{str(one["id"]): one["name"] for one in keys},
    }
