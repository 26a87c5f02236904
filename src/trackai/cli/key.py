"""`trackai key`: keys with which a tenant's programs ask the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from trackai.accounts.api_keys import ApiKeys, ApiScope
from trackai.cli.installation import actor, open_installation, parse_uuid, run
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.model.clock import SystemClock, new_id
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Keys of a tenant's programs, for the API.")

Scopes = Annotated[
    list[ApiScope],
    typer.Option("--scope", help="What it may do, several times: read, deliver (replay, discard)."),
]


@app.command()
def create(
    tenant: TenantName,
    name: Annotated[str, typer.Argument(help="Whose it is, for people.")],
    scope: Scopes = [ApiScope.READ],  # noqa: B006 - typer copies it
    json: Json = False,
) -> None:
    """Make a key. It is shown this once."""

    async def work() -> Row:
        async with _keys(tenant) as keys:
            key_id, key = await keys.create(name, scope, actor=actor())
        return {"key_id": key_id, "key": key, "scopes": [str(one) for one in scope]}

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's keys, newest first."""

    async def work() -> list[Row]:
        async with _keys(tenant) as keys:
            return [dict(row) for row in await keys.list()]

    show(run(work()), json=json, empty="No keys yet. Make one: trackai key create TENANT NAME")


@app.command()
def revoke(
    tenant: TenantName,
    key: Annotated[str, typer.Argument(help="Key id, from `key list`.")],
    json: Json = False,
) -> None:
    """Let a key open nothing from now on."""

    async def work() -> Row:
        async with _keys(tenant) as keys:
            await keys.revoke(parse_uuid(key, "KEY"), actor=actor())
        return {"revoked": key}

    show_one(run(work()), json=json)


@asynccontextmanager
async def _keys(tenant: str) -> AsyncIterator[ApiKeys]:
    async with open_installation() as here, here.database(Role.APP) as database:
        owner = await here.tenant(tenant)
        yield ApiKeys(database, SystemClock(), new_id, owner.id)
