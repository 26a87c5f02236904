"""Composition root of the HTTP side: the edge, and what probes ask."""

import asyncio
import datetime as dt
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from trackai.accounts.access_tools import AccessTools
from trackai.accounts.new_passwords import NewPasswords
from trackai.accounts.passwords import Passwords
from trackai.accounts.proving import Proving
from trackai.accounts.second_factor import SecondFactor
from trackai.accounts.signing_in import SigningIn
from trackai.accounts.team import Team
from trackai.alarms.metrics_log import MetricsLog
from trackai.alarms.sampler import Process, sampling
from trackai.alarms.watchman import Means, standing_in
from trackai.api.app import PREFIX, create_api
from trackai.api.tools import ApiTools
from trackai.dashboard.app import create_dashboard
from trackai.dashboard.errands import Errands
from trackai.dashboard.tools import DashboardTools, GoLive, PracticeSales
from trackai.dashboard.watching import Watch
from trackai.destinations.http import open_http
from trackai.destinations.port import Destination
from trackai.destinations.registry import destinations
from trackai.dispatch.referred import referring
from trackai.errors import TrackaiError
from trackai.gateways.registry import gateways
from trackai.ingest.app import Edge, EdgeLimits
from trackai.ingest.client_address import TrustedProxies
from trackai.ingest.opening import EdgeTools, open_edge
from trackai.ingest.spool import SPOOL, Spool
from trackai.ingest.throttle import Throttle
from trackai.ingest.wire import Answer, AsgiApp, Receive, Request, Scope, Send
from trackai.mail.port import Mail
from trackai.model.clock import Clock, SystemClock, new_id
from trackai.secrets.opening import open_secrets
from trackai.secrets.port import Secrets
from trackai.settings import Settings
from trackai.storage.database_clock import database_clock
from trackai.storage.envelope import Envelope
from trackai.storage.health import check_key
from trackai.storage.pool import Database, Role
from trackai.storage.up_hours import Part
from trackai.telemetry.metrics import NO_ROUTE, REQUEST_SECONDS
from trackai.telemetry.timings import Timing
from trackai.tracker.public_web import PublicWeb
from trackai.watched import house_of, metrics_log_of

# A probe that takes longer than this is a no.
READY_TIMEOUT_S = 2.0
# Connections of what people and their programs ask.
API_CONNECTIONS = 4
# Connections that find out who is signed in.
ACCESS_CONNECTIONS = 2
# Requests a second and tenant, in one process, and how many may come at once.
API_RATE = 20.0
API_BURST = 40
# The same of pages that are looked at for whoever sets a tenant up.
PAGE_CHECK_RATE = 0.1
PAGE_CHECK_BURST = 6
# The same of tokens that an ad platform is asked about, and of test events sent to it.
PLATFORM_ASK_RATE = 0.2
PLATFORM_ASK_BURST = 20
_MIB = 1024 * 1024


def timed(scope: Scope, send: Send, area: str) -> Send:
    """Count how long it takes until an answer begins: some go on for as long as they are read."""
    began = time.perf_counter()

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            took_s = time.perf_counter() - began
            _seconds(area, _pattern(scope)).observe(took_s)
        await send(message)

    return sent


# Looked up once: both are closed sets.
@cache
def _seconds(area: str, route: str) -> Timing:
    return REQUEST_SECONDS.labels(area, route)


def _pattern(scope: Scope) -> str:
    """Return the pattern of the address that answered, never the address: those have no end."""
    # A route knows its part of the pattern alone; the whole is what FastAPI found it by.
    by = (scope.get("fastapi") or {}).get("effective_route_context")
    found = getattr(by or scope.get("route"), "path", None)
    return found if isinstance(found, str) else NO_ROUTE


class App:
    """One ASGI callable for everything under this installation's address."""

    def __init__(
        self,
        edge: Edge,
        database: Database,
        api: AsgiApp,
        pages: AsgiApp,
        *,
        keeps_reports: bool = False,
        hang_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._edge = edge
        self._api = api
        self._pages = pages
        # Ends what would go on by itself: pages that watch come back to the next process.
        self.hang_up = hang_up
        self._database = database
        self._keeps_reports = keeps_reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if self._edge.handles(path):
            await self._edge(scope, receive, send)
        elif path.startswith(PREFIX):
            await self._api(scope, receive, timed(scope, send, "api"))
        elif path == "/healthz":
            await _answer(send, 200, {"status": "ok"})
        elif path == "/readyz":
            # Who can keep what pages report must not be taken out of rotation.
            found = await self._has_database()
            status = 200 if found or self._keeps_reports else 503
            await _answer(send, status, {"status": "ok" if found else "no database"})
        else:
            await self._pages(scope, receive, timed(scope, send, "pages"))

    def handles(self, path: str) -> bool:
        """Tell whether this path may be asked by `answer`."""
        return self._edge.handles(path)

    def answer(self, method: str, path: str, request: Request) -> Awaitable[Answer | None]:
        """Return the answer to a request that came whole, None when the client has gone."""
        return self._edge.answer(method, path, request)

    async def _has_database(self) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT_S), self._database.transaction() as tx:
                await tx.fetch("select 1")
        except (TrackaiError, TimeoutError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Companions:
    """What only commands can bring: the way messages leave, stand-ins, the go-live checklist."""

    mail: Mail | None = None
    practice: PracticeSales | None = None
    golive: GoLive | None = None


@dataclass(frozen=True, slots=True)
class Outside:
    """Whom pages reach outside: ad platforms, keepers of secrets, and what commands bring."""

    platforms: Mapping[str, Destination]
    secrets: Secrets
    more: Companions


@asynccontextmanager
async def open_app(
    settings: Settings,
    url: str,
    envelope: Envelope,
    more: Companions,
) -> AsyncIterator[App]:
    """Wire the HTTP side of one process; at the end what waits for a commit is committed."""
    limits = EdgeLimits(
        trusted_proxies=settings.trusted_proxies,
        track_rate=settings.track_rate,
        track_burst=settings.track_burst,
        rejection_kept=dt.timedelta(days=settings.rejection_days),
    )
    async with AsyncExitStack() as stack:
        # More than the edge can use: the readiness probe, and whose an API key is.
        size = limits.connections + 2
        database = await stack.enter_async_context(Database.opened(url, Role.INGEST, size=size))
        async with database.transaction() as tx:
            await check_key(tx, envelope)
        people = await Database.connect(url, Role.APP, size=API_CONNECTIONS)
        stack.push_async_callback(people.close)
        throttle = Throttle(rate=API_RATE, burst=API_BURST)
        known = gateways(plugins=settings.gateway_plugins)
        api = create_api(ApiTools(people, database, SystemClock(), new_id, throttle, [*known]))
        access = await Database.connect(url, Role.ACCESS, size=ACCESS_CONNECTIONS)
        stack.push_async_callback(access.close)
        http = await stack.enter_async_context(open_http())
        secrets = await stack.enter_async_context(open_secrets(settings.secrets_dir))
        outside = Outside(referring(destinations(http, SystemClock()), secrets), secrets, more)
        errands, watch = Errands(), Watch(people, SystemClock())
        stack.push_async_callback(errands.aclose)
        pages = _dashboard(settings, envelope, (people, access), outside, errands, watch)
        tools = EdgeTools(envelope, SystemClock(), new_id, known, _spool(settings), secrets)
        edge = await stack.enter_async_context(open_edge(database, tools, limits))
        log = metrics_log_of(settings)
        agreed = await stack.enter_async_context(database_clock(database))
        await stack.enter_async_context(
            _sampling(settings, url, [database, people, access], agreed, log)
        )

        @asynccontextmanager
        async def means() -> AsyncIterator[Means]:
            async with Database.opened(url, Role.PIPELINE, size=1) as watchers:
                yield Means(watchers, envelope, http, agreed, new_id, more.mail)

        await stack.enter_async_context(standing_in(house_of(settings, log), means))
        yield App(
            edge, database, api, pages, keeps_reports=settings.spool_mib > 0, hang_up=watch.end
        )


def _dashboard(
    settings: Settings,
    envelope: Envelope,
    databases: tuple[Database, Database],
    outside: Outside,
    errands: Errands,
    watch: Watch,
) -> AsgiApp:
    clock, (people, access) = SystemClock(), databases
    doors = AccessTools(access, envelope, Passwords(), clock, new_id)
    tools = DashboardTools(
        database=people,
        envelope=envelope,
        platforms=outside.platforms,
        secrets=outside.secrets,
        signing_in=SigningIn(doors),
        team=Team(doors),
        second_factor=SecondFactor(doors),
        new_passwords=NewPasswords(doors),
        proving=Proving(doors),
        mail=outside.more.mail,
        clock=clock,
        new_id=new_id,
        base_url=settings.base_url,
        proxies=TrustedProxies(settings.trusted_proxies),
        web=PublicWeb(),
        page_checks=Throttle(rate=PAGE_CHECK_RATE, burst=PAGE_CHECK_BURST),
        platform_asks=Throttle(rate=PLATFORM_ASK_RATE, burst=PLATFORM_ASK_BURST),
        errands=errands,
        refusals_kept=dt.timedelta(days=settings.rejection_days),
        watch=watch,
        practice=outside.more.practice,
        golive=outside.more.golive,
        meta_url=settings.meta_url,
    )
    return create_dashboard(tools)


def _sampling(
    settings: Settings, url: str, pools: Sequence[Database], clock: Clock, log: MetricsLog | None
) -> AbstractAsyncContextManager[None]:
    """Return what measures this process."""
    name = f"serve@{socket.gethostname()}:{os.getpid()}"
    process = Process(name, Part.SERVE, pools, settings.data_dir, settings.spool_mib > 0)
    return sampling(url, Role.INGEST, process, clock, log=log)


def _spool(settings: Settings) -> Spool | None:
    if settings.spool_mib == 0:
        return None
    return Spool(settings.data_dir / SPOOL, new_id(), most_bytes=settings.spool_mib * _MIB)


async def _answer(send: Send, status: int, content: object) -> None:
    body = msgspec.json.encode(content)
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
