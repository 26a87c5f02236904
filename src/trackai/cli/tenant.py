"""`trackai tenant`: accounts of this installation."""

from typing import Annotated

import typer

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, Row, show, show_one
from trackai.errors import Conflict
from trackai.model.tenant import Tenant

app = typer.Typer(no_args_is_help=True, help="Accounts of this installation.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    time_zone: Annotated[str, typer.Option(help="Decides the tenant's day.")] = "America/Sao_Paulo",
    json: Json = False,
) -> None:
    """Create a tenant; prints its id and the public site key that its pages hold."""

    async def work() -> Tenant:
        async with open_installation() as here, here.onboarding() as onboarding:
            taken = [one.id for one in await here.tenants() if one.name == name.strip()]
            if taken:
                raise Conflict(
                    f"There is a tenant of this name already: {taken[0]}. Choose another name."
                )
            return await onboarding.create_tenant(name, time_zone=time_zone)

    show_one(_row(run(work())), json=json)


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List the tenants of this installation."""

    async def work() -> tuple[list[Tenant], str]:
        async with open_installation() as here:
            return await here.tenants(), here.where

    known, where = run(work())
    empty = f"No tenants yet in {where}. Create one: trackai tenant create NAME"
    show([_row(tenant) for tenant in known], json=json, empty=empty)


def _row(tenant: Tenant) -> Row:
    return {
        "tenant_id": tenant.id,
        "name": tenant.name,
        "site_key": tenant.site_key,
        "time_zone": tenant.time_zone,
        "currency": tenant.currency,
    }
