"""`trackai funnel`: a tenant's sales paths."""

import datetime as dt
from typing import Annotated

import typer

from trackai.accounts.funnels import FunnelChange, Funnels
from trackai.cli.installation import actor, open_installation, open_tenant, run
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import Attribution, Funnel
from trackai.storage import tenants
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="A tenant's sales paths.")


@app.command()
def create(
    tenant: TenantName,
    name: Annotated[str, typer.Argument(help="The funnel's name, unique in the tenant.")],
    window_hours: Annotated[
        int, typer.Option(min=1, max=2160, help="Attribution window in hours.")
    ] = 72,
    json: Json = False,
) -> None:
    """Create a funnel with its attribution window."""

    async def work() -> Funnel:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            window = dt.timedelta(hours=window_hours)
            return await onboarding.create_funnel(owner.id, name, window=window)

    show_one(_row(run(work())), json=json)


@app.command()
def change(
    tenant: TenantName,
    funnel: Annotated[str, typer.Argument(help="The funnel, by name or id.", metavar="FUNNEL")],
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    window_hours: Annotated[
        int | None, typer.Option(min=1, max=2160, help="Attribution window in hours.")
    ] = None,
    attribution: Annotated[
        Attribution | None, typer.Option(help="Which of a buyer's clicks counts.")
    ] = None,
    visitor_minutes: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=1440,
            help="Match by address and agent, at most so long after the click; 0: never.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Change a funnel's name, or how its sales are matched from now on."""
    wanted = FunnelChange(
        name,
        None if window_hours is None else dt.timedelta(hours=window_hours),
        attribution,
        None if visitor_minutes is None else dt.timedelta(minutes=visitor_minutes),
    )

    async def work() -> Funnel:
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            funnels = Funnels(database, SystemClock(), new_id, owner.id)
            return await funnels.change(funnel, wanted, actor=actor())

    show_one(_row(run(work())), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's funnels."""

    async def work() -> list[Funnel]:
        async with open_tenant(tenant) as view:
            return await tenants.list_funnels(view.tx, tenant_id=view.tenant_id)

    empty = "No funnels yet. Create one: trackai funnel create TENANT NAME"
    show([_row(funnel) for funnel in run(work())], json=json, empty=empty)


def _row(funnel: Funnel) -> Row:
    return {
        "funnel_id": funnel.id,
        "name": funnel.name,
        "attribution_window_h": int(funnel.attribution_window.total_seconds() // 3600),
        "attribution": funnel.attribution.value,
        "visitor_window_min": int(funnel.visitor_window.total_seconds() // 60),
    }
