"""A real Chromium, real hosts over TLS on the loopback, an edge, and the pages of a customer.

`https://www.cafe.com.br` is the customer's page, `https://track.cafe.com.br` the edge, and the
platforms' checkouts are at their own addresses; all of them lead to this machine.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from tests.support.tls import Door, make_certificate
from tests.support.world import SECRET, World, open_world

from trackai.gateways.registry import gateways
from trackai.ingest.app import EdgeLimits
from trackai.ingest.opening import EdgeTools, open_edge
from trackai.model.clock import new_id
from trackai.sandbox.asgi import Reply, Request, read_request, send_reply
from trackai.sandbox.platforms import Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver
from trackai.storage.pool import Database, Role

if TYPE_CHECKING:
    from tests.conftest import Serve

    from trackai.storage.pool import Row

LANDING = "https://www.cafe.com.br"
TRACK = "https://track.cafe.com.br"
CHECKOUT_HOSTS = tuple(host for one in gateways().values() for host in one.checkout_hosts)
REQUIRED = "TRACKAI_TEST_BROWSER"
START_S = 60.0
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --ignore-certificate-errors"
).split()


def find_chromium() -> str | None:
    """Return where Debian's Chromium is, or another one's path from the environment."""
    return os.getenv("TRACKAI_CHROMIUM") or shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these out where there is no browser, unless one is required."""
    if find_chromium() or os.getenv(REQUIRED):
        return
    missing = pytest.mark.skip(reason="no Chromium: apt-get install chromium")
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(missing)


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
class Stand:
    """Everything a journey in a browser needs."""

    world: World
    site: Site
    edge_url: str
    edge_door: Door
    context: BrowserContext
    page: Page
    troubles: list[str]  # what the page's console and scripts complained of

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

    async def visit(self, query: str = "", path: str = "/") -> None:
        """Open the customer's page and wait until the script is there."""
        await self.page.goto(f"{LANDING}{path}{query}")
        await self.page.wait_for_function("window.trackai && !Array.isArray(window.trackai)")

    async def reported(self, what: str, page: Page | None = None) -> None:
        """Wait until the server has a report of this kind."""
        table, kind = ("clicks", "") if what == "click" else ("page_events", f"kind = '{what}' and")
        statement = f"select 1 from {table} where {kind} tenant_id = $1"  # noqa: S608
        for _ in range(200):
            if await self.world.rows(statement):
                return
            await (page or self.page).wait_for_timeout(50)
        raise AssertionError(f"{what} was never reported")

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

    async def cookie(self, name: str) -> Mapping[str, Any] | None:
        """Return a cookie of the customer's domain."""
        for one in await self.context.cookies(LANDING):
            if one.get("name") == name:
                return dict(one)
        return None

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


@dataclass(frozen=True)
class Chromium:
    """A browser process, where it is driven, and the ports that its hosts lead to."""

    endpoint: str
    edge_port: int
    site_port: int


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Start one browser for all tests of a worker; each has a context of its own in it."""
    path = find_chromium()
    assert path, "no Chromium: apt-get install chromium"
    home, edge_port, site_port = tmp_path_factory.mktemp("chromium"), _free_port(), _free_port()
    rules = f"MAP track.cafe.com.br:443 127.0.0.1:{edge_port}, MAP *:443 127.0.0.1:{site_port}"
    command = [
        *(path, "--headless", *FLAGS, f"--user-data-dir={home}", "--remote-debugging-port=0"),
        *(f"--host-resolver-rules={rules}", "about:blank"),
    ]
    with subprocess.Popen(  # noqa: S603 - the browser that was found
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            port = _told_port(home / "DevToolsActivePort", process)
            yield Chromium(f"http://127.0.0.1:{port}", edge_port, site_port)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _told_port(file: Path, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and (lines := file.read_text().splitlines()):
            return lines[0]
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(chromium.endpoint)


@pytest.fixture
async def edge(fresh_database_url: str, serve: "Serve") -> AsyncIterator[tuple[World, str]]:
    """Yield a world whose edge is served, and its plain address."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(fresh_database_url))
        limits = EdgeLimits()
        ingest = await Database.connect(fresh_database_url, Role.INGEST, size=limits.connections)
        stack.push_async_callback(ingest.close)
        tools = EdgeTools(world.envelope, world.clock, new_id, gateways(), None)
        app = await stack.enter_async_context(open_edge(ingest, tools, limits))
        yield world, await serve(app)


@pytest.fixture
async def site(edge: tuple[World, str]) -> Site:
    return Site(edge[1])


@pytest.fixture
async def doors(
    chromium: Chromium, edge: tuple[World, str], site: Site, serve: "Serve", tmp_path: Path
) -> AsyncIterator[tuple[Door, Door]]:
    """Yield the TLS ports of the edge and of everything else."""
    context = make_certificate(tmp_path)
    urls = (edge[1], await serve(site))
    made = [Door(int(url.rpartition(":")[2])) for url in urls]
    async with (
        made[0].listening(context, chromium.edge_port),
        made[1].listening(context, chromium.site_port),
    ):
        yield made[0], made[1]


@pytest.fixture
async def stand(
    browser: Browser, edge: tuple[World, str], site: Site, doors: tuple[Door, Door]
) -> AsyncIterator[Stand]:
    """Yield a page of a fresh visitor; what the console says of the script fails the test."""
    context = await browser.new_context(ignore_https_errors=True, locale="pt-BR")
    context.set_default_timeout(10_000)
    page = await context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    world, url = edge
    yield Stand(world, site, url, doors[0], context, page, troubles)
    await context.close()
