"""Trying what was set up: is the script in a page, and does a sale come through."""

from dataclasses import dataclass

from fastapi import Request

from trackai.dashboard.connecting import LOOKED_BACK, Connections, GatewayView
from trackai.dashboard.tools import PracticeSale
from trackai.dashboard.visiting import Visit, tools_of
from trackai.storage import heard
from trackai.storage.audit_logs import Scribe
from trackai.storage.tenants import find_tenant
from trackai.tracker.public_web import NoPage
from trackai.tracker.tag import TagFound, find_tag, script_tag


@dataclass(frozen=True, slots=True)
class Seen:
    """What looking at a page came to."""

    words: str  # a key
    good: bool


async def tag_of(request: Request, visit: Visit) -> str:
    """Return the script tag of the tenant in view."""
    return script_tag(tools_of(request).base_url, {"site-key": await _site_key(request, visit)})


async def check_page(request: Request, visit: Visit, address: str) -> Seen:
    """Fetch a page and look for the script in it; a tenant may do so a few times a minute."""
    tools = tools_of(request)
    if tools.page_checks.wait_s(visit.membership.tenant_id):
        return Seen("page_check.too_often", good=False)
    written = address.strip()
    page = await tools.web.fetch(written if "://" in written else f"https://{written}")
    if isinstance(page, NoPage):
        return Seen(f"page_check.{page}", good=False)
    found = find_tag(page, await _site_key(request, visit))
    return Seen(f"page_check.{found}", good=found is TagFound.HERE)


async def sell(request: Request, visit: Visit, known: Connections, one: GatewayView) -> str | None:
    """Let a stand-in tell of a sale; return a key of words when it cannot be, or was refused.

    Where a pixel is a real one a sale that nobody made would count: it has to have a test event
    code, so that whoever looks there sees what it is.
    """
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    now = tools.clock.now()
    secrets = one.connection.valid_secrets(now)
    if tools.practice is None or one.connection.gateway not in tools.practice.gateways:
        return "start.no_sandbox"
    if not secrets:
        return "gateway_do.no_secret"
    if not known.pixels:
        return "start.no_pixel_yet"
    if not all(pixel.account.api_url or pixel.account.test_event_code for pixel in known.pixels):
        return "start.real_pixel"
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        click = await heard.find_newest_click(tx, tenant_id=tenant_id, since=now - LOOKED_BACK)
        scribe = Scribe(tenant_id, visit.who.actor, tools.clock, tools.new_id)
        await scribe.note(tx, "gateway.test", one.connection.id)
    sale = PracticeSale(one.connection, secrets[0], click["click_id"] if click else None)
    return None if await tools.practice.sell(sale) else "start.sale_refused"


async def _site_key(request: Request, visit: Visit) -> str:
    tools, tenant_id = tools_of(request), visit.membership.tenant_id
    async with tools.database.transaction(tenant_id=tenant_id) as tx:
        tenant = await find_tenant(tx, tenant_id)
    return tenant.site_key if tenant else ""
