"""`trackai alarms routes`: whom to call, and how."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from trackai.alarms.choices import Choices, NewRoute
from trackai.cli.installation import actor, open_installation, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, show, show_one
from trackai.cli.prompts import hidden
from trackai.model.alarm import INSTALLATION, RouteKind, Severity
from trackai.model.clock import SystemClock, new_id
from trackai.storage import alarm_calls, alarms_key
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Whom to call, and how.")

SECRET = "TRACKAI_ALARM_SECRET"  # noqa: S105 - a variable's name
Tenant = Annotated[
    str | None,
    typer.Option(help="A tenant's route, by id or name: it hears of that tenant's alarms alone."),
]


@app.command()
def add(
    kind: Annotated[RouteKind, typer.Argument(help="How people are told.")],
    name: Annotated[str, typer.Argument(help="Whom, for people.")],
    address: Annotated[
        str, typer.Option(help="An e-mail address, or an https address (webhook).")
    ] = "",
    secret: Annotated[
        str | None,
        typer.Option(
            envvar=SECRET,
            help="PagerDuty's integration key, or Slack's address; asked for when left out.",
        ),
    ] = None,
    least: Annotated[Severity, typer.Option(help="Of what is at least so bad.")] = Severity.MEDIUM,
    language: Annotated[str, typer.Option(help="pt or en.")] = "en",
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Call somebody from now on. A webhook's secret is shown this once."""

    async def work() -> Row:
        given = secret or ""
        if kind is RouteKind.PAGERDUTY:
            given = hidden(secret, "Integration key", variable=SECRET)
        leads = hidden(secret, "Address", variable=SECRET) if kind is RouteKind.SLACK else address
        new = NewRoute(kind, name, leads, given, least, language)
        async with _choices(tenant) as choices:
            route, shown = await choices.add_route(new)
        row: Row = {"route_id": route.id, "kind": kind.value, "name": route.name}
        return {**row, "secret": shown} if shown else row

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: Tenant = None, json: Json = False) -> None:
    """List who is called; where a route leads is not shown."""

    async def work() -> list[Row]:
        async with _choices(tenant) as choices:
            return [
                {
                    "route_id": row["id"],
                    "kind": row["kind"],
                    "name": row["name"],
                    "least": row["least"],
                    "language": row["language"],
                    "made_by": row["made_by"],
                    "made_at": row["made_at"],
                }
                for row in await choices.routes()
            ]

    empty = "Nobody is called. Add somebody: trackai alarms routes add pagerduty NAME"
    show(run(work()), json=json, empty=empty)


@app.command()
def remove(
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="Route id, from the list.")],
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Call somebody no more."""

    async def work() -> None:
        async with _choices(tenant) as choices:
            await choices.end_route(parse_uuid(route, "ROUTE"))

    run(work())
    show_one({"removed": route}, json=json)


@app.command()
def calls(limit: Limit = 50, json: Json = False) -> None:
    """List the newest calls by all routes: what was said, and whether it arrived."""

    async def work() -> list[Row]:
        async with open_installation() as here:
            names = {one.id: one.name for one in await here.tenants()}
            async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
                rows = await alarm_calls.list_calls_all_tenants(tx, limit=limit)
            return [
                {
                    "made_at": row["made_at"],
                    "alarm": row["alarm"],
                    "deed": row["deed"],
                    "state": row["state"],
                    "attempts": row["attempts"],
                    "reason": row["reason"],
                    "tenant": names.get(row["tenant_id"]),
                    "route": row["route"],
                    "route_id": row["route_id"],
                    "key": row["key"],
                }
                for row in rows
            ]

    show(run(work()), json=json, empty="Nobody has been called.")


@asynccontextmanager
async def _choices(tenant: str | None) -> AsyncIterator[Choices]:
    async with open_installation() as here:
        owner = (await here.tenant(tenant)).id if tenant else INSTALLATION
        if owner == INSTALLATION:
            async with here.database(Role.PIPELINE) as workers, workers.transaction() as tx:
                await alarms_key.make_all_tenants(tx, here.envelope)
        async with here.database(Role.APP) as database:
            clock = SystemClock()
            scribe = Scribe(owner, actor(), clock, new_id)
            yield Choices(database, here.envelope, clock, new_id, scribe)
