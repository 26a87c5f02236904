"""`trackai alarms drill`: alarms fired on purpose, watched from the first look to the all-clear."""

import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import typer

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.choices import alarm_named
from trackai.alarms.drill import Drill, Drilled, Ground
from trackai.alarms.message import Sender as Who
from trackai.alarms.sender import Opened
from trackai.alarms.ways.opening import open_ways
from trackai.cli.http import address_of, http_server, listening
from trackai.cli.installation import Installation, open_installation, parse_uuid, run
from trackai.cli.mailing import mail_of
from trackai.cli.output import Json, Row, show, write_json
from trackai.destinations.http import open_http
from trackai.errors import ConfigurationError
from trackai.model.alarm import INSTALLATION, Alarm, RouteKind, Severity
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.settings import Settings, load_settings
from trackai.storage import drill_runs
from trackai.storage.alarm_routes import (
    Route,
    Target,
    load_routes_all_tenants,
    open_routes_all_tenants,
)
from trackai.storage.drill_runs import DrillRun
from trackai.storage.pool import Database, Role
from trackai.telemetry.logging import configure_logging
from trackai.tracker.public_web import PublicWeb


def drill(
    alarm: Annotated[
        str | None, typer.Argument(metavar="[ALARM]", help="This one; default: all of them.")
    ] = None,
    real_pager: Annotated[
        bool,
        typer.Option("--real-pager", help="Call the installation's own PagerDuty, marked [DRILL]."),
    ] = False,
    route: Annotated[
        str | None,
        typer.Option(help="Call this route of the installation, of any kind, marked [DRILL]."),
    ] = None,
    scratch: Annotated[
        bool, typer.Option("--scratch", help="On a database that is made for it and removed.")
    ] = False,
    json: Json = False,
) -> None:
    """Fire alarms on purpose and watch them end; what is measured is pretended, the rest is not.

    Waiting times are the real ones and pass at once. Exit status 1 when one did not go all its way.
    """
    wanted = [alarm_named(alarm)] if alarm else list(ALARMS.values())
    # The table says it all.
    configure_logging(json=False, level="ERROR")
    if scratch and (real_pager or route):
        raise ConfigurationError("A scratch installation has no routes of its own.")
    called = parse_uuid(route, "ROUTE") if route else RouteKind.PAGERDUTY if real_pager else None

    async def work(settings: Settings) -> list[Drilled]:
        async with _ground(settings, called) as ground:
            held = Drill(ground, new_id(), {one.id: one for one in wanted})
            try:
                return [await _held(held, one) for one in wanted]
            finally:
                await held.clear()

    with _installation(scratch=scratch) as settings:
        done = run(work(settings))
    if not json:
        show([_row(one) for one in done], json=False, empty="")
        print()
    write_json(_sum(done))
    if not all(one.whole for one in done):
        sys.exit(1)


async def _held(held: Drill, alarm: Alarm) -> Drilled:
    """Hold a drill of one alarm and keep that it was held: the go-live checklist asks."""
    done, ground = await held.run(alarm), held.ground
    async with ground.database.transaction() as tx:
        run_ = DrillRun(alarm.id, ground.clock.now(), done.whole, done.trouble)
        await drill_runs.insert_run(tx, held.id, run_)
    return done


def _row(one: Drilled) -> Row:
    return {
        "alarm": one.alarm,
        "pending": _at(one.pending_s),
        "fired": _at(one.fired_s),
        "notified": _at(one.notified_s),
        "ended": _at(one.ended_s),
        "resolved": _at(one.resolved_s),
        "took": f"{one.took_ms:.0f} ms",
        "trouble": one.trouble or None,
    }


def _at(seconds: float | None) -> str | None:
    """Return minutes and seconds after the first bad value."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    return f"+{minutes}:{rest:02}"


def _sum(done: list[Drilled]) -> Row:
    return {
        "alarms": len(done),
        "fired": sum(one.fired_s is not None for one in done),
        "notified": sum(one.notified_s is not None for one in done),
        "resolved": sum(one.resolved_s is not None for one in done),
    }


@contextmanager
def _installation(*, scratch: bool) -> Iterator[Settings]:
    """Return the settings of the installation, or of one that is removed after the block."""
    settings = load_settings()
    if not scratch:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="trackai-drill-") as directory:
        changes = {"data_dir": Path(directory), "database_url": None, "secret_key": None}
        yield settings.model_copy(update=changes)


@asynccontextmanager
async def _ground(settings: Settings, called: UUID | RouteKind | None) -> AsyncIterator[Ground]:
    """Open what a drill is held on; it calls a stand-in, or these routes of the installation."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(open_installation(settings))
        database = await stack.enter_async_context(here.database(Role.PIPELINE))
        clock = SystemClock()
        if called is not None:
            routes, url = await _real_routes(here, database, called), settings.pagerduty_url
            sandbox = None
        else:
            sandbox = PagerDutySandbox(clock)
            routes = _own_route(sandbox)
            listener = stack.enter_context(listening("127.0.0.1", 0))
            await stack.enter_async_context(http_server(sandbox, listener, drain_s=1))
            url = address_of(listener)
        http = await stack.enter_async_context(open_http())

        async def ask(key: str) -> bool | None:
            return None if sandbox is None else sandbox.open(key) is not None

        host = urlsplit(settings.base_url).netloc
        who = Who(settings.base_url, f"{settings.environment.value}/{host}", drill=True)
        mail = mail_of(settings) if called is not None else None
        ways = open_ways(http, clock, mail, pagerduty_url=url, web=PublicWeb())
        yield Ground(database, routes, ways, who, clock, new_id, ask)


def _own_route(sandbox: PagerDutySandbox) -> Opened:
    key = secrets.token_hex(16)
    sandbox.add_service(key)
    route = Route(*(INSTALLATION, new_id(), RouteKind.PAGERDUTY, "drill", Severity.MEDIUM, "en"))
    return {route.id: (route, Target(secret=key))}


async def _real_routes(here: Installation, database: Database, wanted: UUID | RouteKind) -> Opened:
    """Return the installation's route of this id, or its routes of this kind."""
    async with database.transaction() as tx:
        known = [
            one.id
            for one in await load_routes_all_tenants(tx)
            if one.tenant_id == INSTALLATION and wanted in {one.id, one.kind}
        ]
        found = await open_routes_all_tenants(tx, here.envelope, known)
    if not found:
        raise ConfigurationError(
            "The installation has no such route. List them: trackai alarms routes list; "
            "add one: trackai alarms routes add pagerduty NAME"
        )
    if any(target is None for _, target in found.values()):
        raise ConfigurationError(
            "A route was sealed with a key that is not in TRACKAI_SECRET_KEY. Add it again: "
            "trackai alarms routes add"
        )
    return found
