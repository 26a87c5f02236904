"""A real Chromium, real hosts over TLS on the loopback, an edge, and the pages of a customer.

`https://www.cafe.com.br` is the customer's page, `https://track.cafe.com.br` the edge, and the
platforms' checkouts are at their own addresses; all of them lead to this machine.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from tests.browser.ground import LANDING, Ground, Site
from tests.support.edge import open_edge_of
from tests.support.ports import kept_port
from tests.support.program import PATIENCE_S
from tests.support.proxy import Proxy, local_proxy
from tests.support.tls import make_certificate
from tests.support.world import World, open_world

if TYPE_CHECKING:
    from tests.conftest import Serve


REQUIRED = "TRACKAI_TEST_BROWSER"
START_S = 60.0
# As long as anything is waited for: pages that ask again do so every few seconds, on busy machines.
PATIENCE_MS = 1000 * PATIENCE_S
expect.set_options(timeout=PATIENCE_MS)
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
class Stand(Ground):
    """A journey in Chromium, driven by Playwright."""

    context: BrowserContext
    page: Page
    troubles: list[str]  # what the page's console and scripts complained of

    async def visit(self, query: str = "", path: str = "/") -> None:
        """Open the customer's page and wait until the script is there."""
        await self.page.goto(f"{LANDING}{path}{query}")
        await self.page.wait_for_function("window.trackai && !Array.isArray(window.trackai)")

    async def cookie(self, name: str) -> Mapping[str, Any] | None:
        """Return a cookie of the customer's domain."""
        for one in await self.context.cookies(LANDING):
            if one.get("name") == name:
                return dict(one)
        return None


@dataclass(frozen=True)
class Chromium:
    """A browser process, and where it is driven."""

    endpoint: str


@dataclass(frozen=True)
class Ports:
    """Where TLS for the edge's host ends, and for all other hosts."""

    edge: int
    site: int

    def of(self, host: str) -> int:
        """Return the port that a host leads to."""
        return self.edge if host == "track.cafe.com.br" else self.site


@pytest.fixture(scope="session")
def ports() -> Iterator[Ports]:
    with kept_port() as edge, kept_port() as site:
        yield Ports(edge, site)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Iterator[Chromium]:
    """Start one browser for all tests of a worker; each has a context of its own in it."""
    path = find_chromium()
    assert path, "no Chromium: apt-get install chromium"
    home = tmp_path_factory.mktemp("chromium")
    rules = f"MAP track.cafe.com.br:443 127.0.0.1:{ports.edge}, MAP *:443 127.0.0.1:{ports.site}"
    command = [
        *(path, "--headless", *FLAGS, f"--user-data-dir={home}", "--remote-debugging-port=0"),
        *(f"--host-resolver-rules={rules}", "about:blank"),
    ]
    with subprocess.Popen(  # noqa: S603 - the browser that was found
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            port = _told_port(home / "DevToolsActivePort", process)
            yield Chromium(f"http://127.0.0.1:{port}")
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
    async with open_world(fresh_database_url) as world, open_edge_of(world, serve) as url:
        yield world, url


@pytest.fixture
async def site(edge: tuple[World, str]) -> Site:
    return Site(edge[1])


@pytest.fixture
async def doors(
    ports: Ports, edge: tuple[World, str], site: Site, serve: "Serve", tmp_path: Path
) -> AsyncIterator[tuple[Proxy, Proxy]]:
    """Yield the TLS ports of the edge and of everything else."""
    context = make_certificate(tmp_path)
    urls = (edge[1], await serve(site))
    made = [local_proxy(int(url.rpartition(":")[2])) for url in urls]
    async with (
        made[0].listening(ports.edge, context),
        made[1].listening(ports.site, context),
    ):
        yield made[0], made[1]


@pytest.fixture
def ground(edge: tuple[World, str], site: Site, doors: tuple[Proxy, Proxy]) -> Ground:
    return Ground(edge[0], site, edge[1], doors[0])


@pytest.fixture
async def stand(
    browser: Browser, edge: tuple[World, str], site: Site, doors: tuple[Proxy, Proxy]
) -> AsyncIterator[Stand]:
    """Yield a page of a fresh visitor; what the console says of the script fails the test."""
    context = await browser.new_context(ignore_https_errors=True, locale="pt-BR")
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    world, url = edge
    yield Stand(world, site, url, doors[0], context, page, troubles)
    await context.close()
