"""`trackai alarms drill`: alarms fired on purpose, watched from the first look to the all-clear."""

import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import typer

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.choices import alarm_named
from trackai.alarms.drill import Drill, Drilled, Ground
from trackai.alarms.message import Sender as Who
from trackai.alarms.ways.opening import open_ways
from trackai.cli.http import address_of, http_server, listening
from trackai.cli.installation import Installation, open_installation, run
from trackai.cli.output import Json, Row, show, write_json
from trackai.destinations.http import open_http
from trackai.errors import ConfigurationError
from trackai.model.alarm import INSTALLATION, RouteKind, Severity
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.settings import load_settings
from trackai.storage.alarm_routes import (
    Route,
    Target,
    load_routes_all_tenants,
    open_routes_all_tenants,
)
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

    async def work() -> list[Drilled]:
        async with _ground(real_pager=real_pager, scratch=scratch) as ground:
            held = Drill(ground, new_id(), {one.id: one for one in wanted})
            try:
                return [await held.run(one) for one in wanted]
            finally:
                await held.clear()

    done = run(work())
    if not json:
        show([_row(one) for one in done], json=False, empty="")
        print()
    write_json(_sum(done))
    if not all(one.whole for one in done):
        sys.exit(1)


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


@asynccontextmanager
async def _ground(*, real_pager: bool, scratch: bool) -> AsyncIterator[Ground]:
    if real_pager and scratch:
        raise ConfigurationError("A scratch installation has no pager of its own.")
    async with AsyncExitStack() as stack:
        settings = load_settings()
        if scratch:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="trackai-drill-"))
            changes = {"data_dir": Path(directory), "database_url": None, "secret_key": None}
            settings = settings.model_copy(update=changes)
        here = await stack.enter_async_context(open_installation(settings))
        database = await stack.enter_async_context(here.database(Role.PIPELINE))
        clock = SystemClock()
        if real_pager:
            routes, url = await _real_routes(here, database), settings.pagerduty_url
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
        ways = open_ways(http, clock, None, pagerduty_url=url, web=PublicWeb())
        yield Ground(database, routes, ways, who, clock, new_id, ask)


def _own_route(sandbox: PagerDutySandbox) -> Mapping[UUID, tuple[Route, Target]]:
    key = secrets.token_hex(16)
    sandbox.add_service(key)
    route = Route(*(INSTALLATION, new_id(), RouteKind.PAGERDUTY, "drill", Severity.MEDIUM, "en"))
    return {route.id: (route, Target(secret=key))}


async def _real_routes(
    here: Installation, database: Database
) -> Mapping[UUID, tuple[Route, Target]]:
    """Return the installation's routes to PagerDuty."""
    async with database.transaction() as tx:
        pagers = [
            one.id
            for one in await load_routes_all_tenants(tx)
            if one.tenant_id == INSTALLATION and one.kind is RouteKind.PAGERDUTY
        ]
        found = await open_routes_all_tenants(tx, here.envelope, pagers)
    if not found:
        raise ConfigurationError(
            "There is no route to PagerDuty. Add one: trackai alarms routes add pagerduty NAME"
        )
    return found
