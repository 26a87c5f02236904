"""The pages of a customer, the edge and the platforms' checkouts, whatever browser comes there.

`https://www.cafe.com.br` is the customer's page, `https://track.cafe.com.br` the edge, and the
platforms' checkouts are at their own addresses; all of them lead to this machine.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.support.program import PATIENCE_S, POLL_S
from tests.support.proxy import Proxy
from tests.support.world import SECRET, World

from trackai.gateways.registry import gateways
from trackai.sandbox.asgi import Reply, Request, read_request, send_reply
from trackai.sandbox.platforms import Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver
from trackai.storage.identities import stored_keys

if TYPE_CHECKING:
    from trackai.storage.pool import Row

LANDING = "https://www.cafe.com.br"
TRACK = "https://track.cafe.com.br"
CHECKOUT_HOSTS = tuple(host for one in gateways().values() for host in one.checkout_hosts)


@dataclass
class Site:
    """Serves what a test puts there; addresses of the edge below /px/ too, as a proxy would."""

    edge_url: str
    pages: dict[str, str] = field(default_factory=dict)  # path -> HTML, on the customer's host
    shop: Any = None  # an ASGI application that answers for the customer's host instead
    visits: list[tuple[str, Request]] = field(default_factory=list)  # host, request

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if self.shop is not None:
            await self.shop(scope, receive, send)
            return
        request = await read_request(scope, receive, max_body=100_000)
        assert request is not None
        await send_reply(await self._answer(request), receive, send)

    async def _answer(self, request: Request) -> Reply:
        if request.path.startswith("/px/"):
            return await self._forward(request)
        if request.path == "/favicon.ico":
            return Reply(204)
        host = request.headers["host"].partition(":")[0]
        self.visits.append((host, request))
        html = self.pages.get(request.path) if host.endswith("cafe.com.br") else "<h1>Checkout</h1>"
        if html is None:
            return Reply(404)
        return Reply(200, html.encode(), content_type="text/html; charset=utf-8")

    async def _forward(self, request: Request) -> Reply:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                self.edge_url + request.path.removeprefix("/px"),
                data=request.body,
                headers={"content-type": request.headers.get("content-type", "text/plain")},
            ) as answer,
        ):
            body = await answer.read()
            return Reply(answer.status, body, content_type=answer.headers["content-type"])

    def checkout_visits(self) -> list[tuple[str, Request]]:
        """Return who came to platforms' checkouts, and with what."""
        # Chromium has errands of its own.
        return [visit for visit in self.visits if visit[0].endswith(CHECKOUT_HOSTS)]


@dataclass
class Ground:
    """What a journey in any browser needs: the edge, the customer's pages, and who looks."""

    world: World
    site: Site
    edge_url: str
    edge_line: Proxy

    def tag(self, **attributes: str) -> str:
        """Return the script tag as customers paste it; attributes with _ for -."""
        said = {"src": f"{TRACK}/t.js", "data_site_key": self.world.account.tenant.site_key}
        written = " ".join(
            f'{name.replace("_", "-")}="{value}"' for name, value in (said | attributes).items()
        )
        return f"<script async {written}></script>"

    def put(self, body: str, path: str = "/", **attributes: str) -> None:
        """Put a page with the tracker script on the customer's host."""
        html = f"<!DOCTYPE html><meta charset=utf-8><title>Café</title>{self.tag(**attributes)}"
        self.site.pages[path] = html + body

    async def reported(self, what: str, number: int = 1) -> None:
        """Wait until the server has so many reports of this kind."""
        table, kind = ("clicks", "") if what == "click" else ("page_events", f"kind = '{what}' and")
        statement = f"select 1 from {table} where {kind} tenant_id = $1"  # noqa: S608
        deadline = time.monotonic() + PATIENCE_S
        while len(await self.world.rows(statement)) < number:
            assert time.monotonic() < deadline, f"{what} was never reported"
            await asyncio.sleep(POLL_S)

    async def clicks(self) -> "list[Row]":
        """Return the stored clicks, in the order of their ids."""
        return list(
            await self.world.rows("select * from clicks where tenant_id = $1 order by click_id")
        )

    async def events(self, kind: str) -> "list[Row]":
        """Return the stored page events of a kind."""
        rows = await self.world.rows(
            "select * from page_events where tenant_id = $1 order by event_key"
        )
        return [row for row in rows if row["kind"] == kind]

    async def identities(self) -> dict[str, bytes]:
        """Return what is kept of who visitors are: kind to keyed hash."""
        rows = await self.world.rows("select kind, key from identities where tenant_id = $1")
        return {row["kind"]: row["key"] for row in rows}

    def keyed(self, key: bytes | None) -> bytes:
        """Return a hash as it is stored."""
        assert key is not None
        plain, stored = stored_keys(self.world.envelope, self.world.account.tenant.id, [key])
        assert plain == key
        return stored

    async def sell(self, gateway: str, click_id: str | None, **changes: Any) -> Sale:
        """Let the platform send its signed webhook about a sale, and work it off."""
        sale = self.world.sale(gateway, click_id=click_id, **changes)
        connection = self.world.account.connections[gateway]
        url = f"{self.edge_url}/api/v1/webhooks/{gateway}/{connection.endpoint_key}"
        async with aiohttp.ClientSession() as session:
            for webhook in platform(gateway, SECRET).notices(
                sale, SaleStatus.APPROVED, at=self.world.clock.now()
            ):
                delivered = await deliver(session, url, webhook, tries=1)
                assert delivered.status == 200
        await self.world.work()
        return sale

    async def matches(self) -> list[tuple[str, str | None]]:
        """Return how sales were matched, and to which click."""
        rows = await self.world.rows("select strategy, click_id from matches where tenant_id = $1")
        return [(row["strategy"], row["click_id"]) for row in rows]
