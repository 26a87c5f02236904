"""The hot edge as one ASGI callable: routes, methods, errors to answers, start and close.

Plain ASGI without a framework; what people and dashboards call lives elsewhere.
"""

import datetime as dt
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from trackai.errors import MethodNotAllowed, NotFound, TrackaiError
from trackai.gateways.port import Gateway
from trackai.ingest.client_address import TrustedProxies
from trackai.ingest.directory import MOST_LOOKUPS, Directory
from trackai.ingest.openapi import openapi_document
from trackai.ingest.outage import PATIENCE_S
from trackai.ingest.script import is_script, serve_script
from trackai.ingest.stores import Stores
from trackai.ingest.throttle import Throttle
from trackai.ingest.tracking import Tracking
from trackai.ingest.webhooks import Address, Webhooks
from trackai.ingest.wire import (
    ANY_ORIGIN,
    EXPOSED,
    JSON_TYPE,
    Answer,
    ClientGone,
    Header,
    Receive,
    Request,
    Scope,
    Send,
    refusal,
)
from trackai.model.click import PageEventKind
from trackai.model.clock import Clock, NewId
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import CLICKS, NO_ROUTE, REQUEST_SECONDS, WEBHOOKS
from trackai.telemetry.tallies import Tally
from trackai.telemetry.timings import Timing
from trackai.tracker.script import build_script

TRACK = "/api/v1/track/"
WEBHOOK = "/api/v1/webhooks/"
OPENAPI = "/openapi.json"

Handle = Callable[[Request], Awaitable[Answer]]
Count = Callable[[str], None]

# What scripts of other origins may see and send.
_CROSS_ORIGIN: tuple[Header, ...] = (ANY_ORIGIN, EXPOSED)
_PREFLIGHT = Answer(
    204,
    headers=(
        ANY_ORIGIN,
        (b"access-control-allow-methods", b"POST, OPTIONS"),
        (b"access-control-allow-headers", b"content-type, x-tenant-id, x-site-key"),
        (b"access-control-max-age", b"86400"),
    ),
)


class _Bug(TrackaiError):
    """Something nobody foresaw."""

    code = "internal_error"


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What the operator decides about the edge."""

    trusted_proxies: tuple[str, ...] = ()  # addresses or networks
    track_rate: float = 2000.0  # reports a second and tenant
    track_burst: int = 4000
    rejection_kept: dt.timedelta = dt.timedelta(days=1)
    patience_s: float = PATIENCE_S  # longest wait of a request for the database
    writers: int = 2  # connections that commit side by side, a table

    @property
    def connections(self) -> int:
        """How many database connections the edge can use at once: the size of its pool."""
        return Stores.connections(self.writers) + MOST_LOOKUPS


@dataclass(frozen=True, slots=True)
class _Route:
    """One address: what answers, to which methods, and where that is counted and timed."""

    handle: Handle
    methods: tuple[str, ...]
    timing: Timing
    count: Count
    # What went well; shown nowhere when the handler counts it.
    taken: Tally = field(default_factory=Tally)
    cross_origin: bool = False


class Edge:
    """The addresses that pages and payment platforms call."""

    def __init__(
        self,
        directory: Directory,
        stores: Stores,
        *,
        clock: Clock,
        new_id: NewId,
        gateways: Mapping[str, Gateway],
        limits: EdgeLimits,
    ) -> None:
        self._directory = directory
        self._stores = stores
        self._webhooks = Webhooks(
            directory=self._directory,
            gateways=gateways,
            clock=clock,
            new_id=new_id,
            stores=self._stores,
            rejection_kept=limits.rejection_kept,
        )
        tracking = Tracking(
            directory=self._directory,
            throttle=Throttle(rate=limits.track_rate, burst=limits.track_burst),
            proxies=TrustedProxies(limits.trusted_proxies),
            clock=clock,
            new_id=new_id,
            stores=self._stores,
        )
        self._routes = _fixed_routes(tracking)
        # Looked up once: a click takes microseconds.
        self._of_webhooks, self._of_scripts = _timing(f"{WEBHOOK}{{gateway}}"), _timing("/t.js")
        self._of_others = _timing(NO_ROUTE)
        self._script = build_script(gateways.values())

    def handles(self, path: str) -> bool:
        """Tell whether the edge answers this path, be it with 404."""
        return path.startswith((TRACK, WEBHOOK)) or path == OPENAPI or is_script(path)

    async def start(self) -> None:
        """Learn the tenants; a wrong set-up fails here and not later."""
        await self._directory.start()

    async def close(self) -> None:
        """Take nothing more and commit what waits; requests that come later get 503."""
        await self._stores.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that comes by ASGI."""
        request = Request.of(scope, receive)
        answer = await self.answer(scope["method"], scope["path"], request)
        if answer is not None:
            await answer.send(send)

    async def answer(self, method: str, path: str, request: Request) -> Answer | None:
        """Return the answer to a request, None when the client has gone."""
        route = self._route(path)
        began = time.perf_counter()
        try:
            answer = await _answer(route, method, request)
        except ClientGone:
            route.count("client_gone")
            return None
        route.timing.observe(time.perf_counter() - began)
        return answer

    def _route(self, path: str) -> _Route:
        route = self._routes.get(path)
        if route is not None:
            return route
        if path.startswith(WEBHOOK):
            return self._webhook_route(path[len(WEBHOOK) :])
        if is_script(path):
            return self._script_route(path)
        return _Route(
            *(_nowhere, ("GET", "HEAD", "POST"), self._of_others, _uncounted),
            cross_origin=path.startswith(TRACK),
        )

    def _script_route(self, path: str) -> _Route:
        async def handle(request: Request) -> Answer:
            return serve_script(self._script, path, request)

        return _Route(handle, ("GET", "HEAD"), self._of_scripts, _uncounted)

    def _webhook_route(self, rest: str) -> _Route:
        gateway, slash, endpoint_key = rest.partition("/")
        # People and platforms add a slash to what was pasted.
        address = Address(gateway, endpoint_key.removesuffix("/") if slash else None)
        webhooks = self._webhooks
        # A closed set of labels: names made up by callers are one.
        label = gateway if gateway in webhooks.gateways else "unknown"

        def count(outcome: str) -> None:
            WEBHOOKS.labels(label, outcome).inc()

        async def handle(request: Request) -> Answer:
            answer, repeat = await webhooks.take(address, request)
            count("repeat" if repeat else "stored")
            return answer

        return _Route(handle, ("POST",), self._of_webhooks, count)


async def _answer(route: _Route, method: str, request: Request) -> Answer:
    headers = _CROSS_ORIGIN if route.cross_origin else ()
    if method not in route.methods:
        if method == "OPTIONS" and route.cross_origin:
            return _PREFLIGHT
        return _wrong_method(route, headers)
    try:
        answer = await route.handle(request)
    except ClientGone:
        raise
    except TrackaiError as error:
        refused = error
    except Exception as error:  # noqa: BLE001 - the edge's loop: answered, logged once, counted
        refused = _Bug("Something went wrong here; it has been logged.")
        refused.__cause__ = error
    else:
        route.taken.inc()
        return answer
    route.count(refused.code)
    if refused.status == _Bug.status:
        _log_bug(refused)
    return refusal(refused, headers)


def _wrong_method(route: _Route, headers: tuple[Header, ...]) -> Answer:
    route.count(MethodNotAllowed.code)
    allowed = [*route.methods, *(["OPTIONS"] if route.cross_origin else [])]
    text = ", ".join(allowed)
    allow: Header = (b"allow", text.encode())
    return refusal(MethodNotAllowed(f"This address takes {text}."), (*headers, allow))


def _log_bug(error: TrackaiError) -> None:
    # Where, never what: messages of exceptions may hold what a visitor sent.
    cause = error.__cause__ or error
    frames = traceback.extract_tb(cause.__traceback__)
    get_logger().error(
        "edge.failed",
        error=type(cause).__name__,
        code=error.code,
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    )


def _fixed_routes(tracking: Tracking) -> dict[str, _Route]:
    document = Answer(200, openapi_document(), (JSON_TYPE,))

    async def openapi(_request: Request) -> Answer:
        return document

    reports: dict[str, Handle] = {
        "click": tracking.click,
        PageEventKind.PAGEVIEW.value: tracking.pageview,
        PageEventKind.INITIATE_CHECKOUT.value: tracking.initiate_checkout,
        PageEventKind.LEAD.value: tracking.lead,
        PageEventKind.IDENTIFY.value: tracking.identify,
    }
    routes = {TRACK + kind: _report_route(kind, handle) for kind, handle in reports.items()}
    routes[OPENAPI] = _Route(openapi, ("GET", "HEAD"), _timing(OPENAPI), _uncounted)
    return routes


def _report_route(kind: str, handle: Handle) -> _Route:
    def count(outcome: str) -> None:
        CLICKS.labels(kind, outcome).inc()

    stored = CLICKS.labels(kind, "stored")
    return _Route(handle, ("POST",), _timing(TRACK + kind), count, stored, cross_origin=True)


def _timing(name: str) -> Timing:
    """Return where answers of these addresses are timed, by their pattern."""
    return REQUEST_SECONDS.labels("edge", name)


async def _nowhere(_request: Request) -> Answer:
    raise NotFound("There is nothing at this address.")


def _uncounted(_outcome: str) -> None:
    """Count nothing: addresses whose outcomes nobody asks for."""
