"""The dashboard with full tables: how long pages take, what they weigh, what live takes.

A page's time is from its request to its last byte, one after the other, over a connection that is
open; its weight is everything a browser loads for it the first time, compressed as it travels.
"""

import asyncio
import gzip
import re
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import aiohttp
import asyncpg

from benchmarks.downloads import downloads
from benchmarks.figures import Figure, Size, percentile
from benchmarks.processes import cpu_s, program, watched_http_process
from benchmarks.scratch import Scratch, run_async, scratch
from benchmarks.shops import access_to, load_shops, made_up
from trackai.accounts.signing_in import SigningIn
from trackai.accounts.team import Newcomer, Team
from trackai.dashboard.navigation import PLACES
from trackai.dashboard.visiting import COOKIE
from trackai.model.access import MemberRole
from trackai.sandbox.load.shape import Shop
from trackai.sandbox.load.shops import SHARES
from trackai.storage.dispatch_attempts import insert_attempts
from trackai.storage.pool import Database, Role

ASKED, LIVE_PAGES, LIVE_S = 60, 200, 20
# Something happens at every shop so often: every look finds a change.
EVERY_S = 0.2
PASSWORD = "cavalo bateria grampo"
# Of pages that ask for a period, the longest that is offered, too.
LONG = "?period=90d"
_LOADED = re.compile(r'(?:src|href)="(/static/[^"]+)"')
_BACKENDS = "select pid from pg_stat_activity where application_name = 'trackai app'"


def run(size: Size) -> list[Figure]:
    """Load, open every page, then many live ones."""
    with scratch() as place:
        shops = run_async(load_shops(place, size.rows, len(SHARES)))[1]
        tokens = [run_async(_owner(place, shop)) for shop in shops]
        serve = [*program("trackai"), "serve"]
        server = watched_http_process(serve, place.environment, place.log, "/healthz")
        with server as (address, pid):
            watched = Watched(place, address, pid, dict(zip(tokens, shops, strict=True)))
            return [
                *run_async(_pages(address, tokens[0], size)),
                *run_async(_downloads(watched)),
                run_async(_live(watched, size)),
            ]


async def _owner(place: Scratch, shop: Shop) -> str:
    """Let somebody into a shop who runs the installation, too; return what their browser holds."""
    async with access_to(place) as tools:
        email, team = f"{shop.tenant_id.hex}@example.com", Team(tools)

        async def invited(tenant_id: UUID | None) -> str:
            return await team.invite(
                email, tenant_id=tenant_id, role=MemberRole.OWNER, by="benchmark"
            )

        user = await team.join_new(await invited(shop.tenant_id), Newcomer("Ana Souza", PASSWORD))
        await team.join_as(await invited(None), user)
        entry = await SigningIn(tools).sign_in(email, PASSWORD, address="127.0.0.1", agent="-")
        return entry.token


@asynccontextmanager
async def _browser(address: str, token: str) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Cookie": f"{COOKIE}={token}", "Accept": "text/html", "Accept-Encoding": "gzip"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        address,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=120),
    ) as http:
        yield http


async def _pages(address: str, token: str, size: Size) -> list[Figure]:
    taken: dict[str, Sequence[float]] = {}
    weights: dict[str, float] = {}
    async with _browser(address, token) as http:
        for place in PLACES:
            for name, path in ((place.name, place.path), (f"{place.name}_90d", place.path + LONG)):
                weights[name] = await _weight(http, path)
                taken[name] = [await _time(http, path) for _ in range(min(ASKED, size.lookups))]
    p95 = {name: percentile(one, 95) * 1000 for name, one in taken.items()}
    slowest, heaviest = max(p95, key=p95.__getitem__), max(weights, key=weights.__getitem__)
    return [
        Figure("page_p95_ms", p95[slowest], f"the slowest page, {slowest}", at_most=50),
        Figure("page_kb", weights[heaviest], f"the heaviest page, {heaviest}", at_most=100),
        *(
            Figure(
                f"page_{name}_ms",
                statistics.median(one) * 1000,
                f"half below; 95 of 100 below {p95[name]:.0f}; {weights[name]:.0f} KB",
            )
            for name, one in taken.items()
        ),
    ]


async def _time(http: aiohttp.ClientSession, path: str) -> float:
    started = time.perf_counter()
    async with http.get(path, allow_redirects=False) as got:
        await got.read()
        if got.status != 200:
            raise RuntimeError(f"{path} answered {got.status}")
    return time.perf_counter() - started


async def _weight(http: aiohttp.ClientSession, path: str) -> float:
    """Return kilobytes that travel for a page, with all it loads."""
    async with http.get(path, allow_redirects=False) as got:
        body = await got.read()
        text = gzip.decompress(body) if got.headers.get("Content-Encoding") == "gzip" else body
    weight = len(body)
    for name in sorted(set(_LOADED.findall(text.decode()))):
        async with http.get(name) as got:
            weight += len(await got.read())
    return weight / 1024


@dataclass(frozen=True, slots=True)
class Watched:
    """A server, and who looks at which shop's pages."""

    place: Scratch
    address: str
    pid: int
    shops: Mapping[str, Shop]  # by what a browser holds


async def _downloads(watched: Watched) -> list[Figure]:
    async with _browser(watched.address, next(iter(watched.shops))) as http:
        return await downloads(http, watched.pid)


async def _live(watched: Watched, size: Size) -> Figure:
    """Return how much of a core pages take that all change once a second."""
    heard = 0
    quick = size.rows < Size().rows
    pages, seconds = (20, 3) if quick else (LIVE_PAGES, LIVE_S)

    async def listen(http: aiohttp.ClientSession) -> None:
        nonlocal heard
        async with http.get("/live/stream") as got:
            async for line in got.content:
                heard += line == b"\n"

    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(
            Database.opened(watched.place.here.url, Role.PIPELINE, size=1)
        )
        browsers = [
            await stack.enter_async_context(_browser(watched.address, one)) for one in watched.shops
        ]
        streams = [
            asyncio.create_task(listen(browsers[number % len(browsers)])) for number in range(pages)
        ]
        await asyncio.sleep(2)
        pids = await _processes(watched.place, watched.pid)
        before, heard, started = cpu_s(pids), 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            for shop in watched.shops.values():
                async with workers.transaction() as tx:
                    await insert_attempts(tx, made_up(shop, 2))
            await asyncio.sleep(EVERY_S)
        percent = 100 * (cpu_s(pids) - before) / (time.perf_counter() - started)
        for one in streams:
            one.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    meaning = f"of a core, server and database, {pages} pages, {heard / seconds:.0f} changes a s"
    return Figure("live_core_percent", percent, meaning, at_most=10)


async def _processes(place: Scratch, server: int) -> list[int]:
    """Return the server and the sessions of the database that it asks with."""
    owner = await asyncpg.connect(place.here.url)
    try:
        return [server, *(row["pid"] for row in await owner.fetch(_BACKENDS))]
    finally:
        await owner.close()
