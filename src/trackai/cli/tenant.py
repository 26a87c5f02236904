"""`trackai tenant`: accounts of this installation."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from trackai.accounts.closing import close_tenant
from trackai.accounts.upkeep import KEEPING
from trackai.cli.following import note
from trackai.cli.installation import Installation, actor, open_installation, open_upkeep, run
from trackai.cli.output import Json, Row, show, show_one
from trackai.errors import ConfigurationError, Conflict
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import Tenant
from trackai.storage.pool import Role

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
            await _check_free(here, name)
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


@app.command()
def change(
    tenant: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    currency: Annotated[
        str | None, typer.Option(help="Its own currency, such as BRL; amounts stay in theirs.")
    ] = None,
    json: Json = False,
) -> None:
    """Change a tenant's name or its own currency."""

    async def work() -> Row:
        async with open_upkeep(tenant) as (here, upkeep):
            if name is not None:
                await _check_free(here, name, of=(await here.tenant(tenant)).id)
            changed, another = await upkeep.change_tenant(name=name, currency=currency)
        return {**_row(changed), "changed": another}

    show_one(run(work()), json=json)


@app.command()
def retention(
    tenant: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    days: Annotated[int | None, typer.Argument(help="30, 90, 180, 365 or 730.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before keeping less.")] = False,
    json: Json = False,
) -> None:
    """Show or set for how many days clicks, webhooks and who bought are kept."""

    async def work() -> Row:
        async with open_upkeep(tenant) as (_, upkeep):
            before = await upkeep.keeping()
            if days is None:
                return {"keep_days": before}
            if days < before and days in KEEPING and not yes:
                _ask_to_shorten(days)
            changed = await upkeep.keep(days)
        return {"keep_days": days, "before": before, "changed": changed}

    show_one(run(work()), json=json)


@app.command(name="time-zone")
def time_zone(
    tenant: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    zone: Annotated[str | None, typer.Argument(help="Such as America/Sao_Paulo.")] = None,
    json: Json = False,
) -> None:
    """Show or set the time zone that decides the tenant's days; counts follow within minutes."""

    async def work() -> Row:
        async with open_upkeep(tenant) as (_, upkeep):
            changed = zone is not None and await upkeep.want_time_zone(zone)
            now, following = await upkeep.time_zone()
        return {"time_zone": now, "next_time_zone": following, "changed": changed}

    show_one(run(work()), json=json)


async def _check_free(here: Installation, name: str, *, of: UUID | None = None) -> None:
    taken = [one.id for one in await here.tenants() if one.name == name.strip() and one.id != of]
    if taken:
        raise Conflict(f"There is a tenant of this name already: {taken[0]}. Choose another name.")


def _ask_to_shorten(days: int) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on. Say --yes to keep less.")
    note(f"What is older than {days} days is deleted in the next minutes, for good.")
    typer.confirm("Keep less?", abort=True)


@app.command()
def delete(
    tenant: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete a tenant for good: its key at once, its rows in the next minutes."""
    if not yes and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on. Say --yes to delete.")

    async def work() -> Row:
        async with open_installation() as here, here.database(Role.APP) as database:
            gone = await here.tenant(tenant)
            if not yes:
                _ask(gone)
            clock = SystemClock()
            await close_tenant(
                *(database, here.envelope, clock, new_id), tenant_id=gone.id, by=actor()
            )
            return {"deleted": gone.id}

    show_one(run(work()), json=json)


def _ask(gone: Tenant) -> None:
    note("Nothing of it can be read again, and what waits is not sent. Backups keep theirs.")
    if typer.prompt("Type the tenant's name to delete it") != gone.name:
        raise ConfigurationError("That is not its name: nothing was deleted.")


def _row(tenant: Tenant) -> Row:
    return {
        "tenant_id": tenant.id,
        "name": tenant.name,
        "site_key": tenant.site_key,
        "time_zone": tenant.time_zone,
        "next_time_zone": tenant.next_time_zone,
        "currency": tenant.currency,
    }
