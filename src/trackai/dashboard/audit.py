"""Who did what to the tenant's things, newest first."""

from fastapi import APIRouter, Request, Response

from trackai.analytics.metrics import zone_of
from trackai.dashboard.rendering import render_page
from trackai.dashboard.visiting import Manage, tools_of
from trackai.storage.audit_logs import list_audit

router = APIRouter()

SHOWN = 200


@router.get("/audit")
async def audit(request: Request, visit: Manage) -> Response:
    """Show the last deeds."""
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=SHOWN)
    names = await tools.team.names(tenant_id)
    return await render_page(
        request, visit, "audit.html", zone=zone, deeds=deeds, names=names, shown=SHOWN
    )
