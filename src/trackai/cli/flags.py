"""`trackai flags`: what is on, for whom, and what becomes of what is off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer

from trackai.cli.installation import Installation, actor, open_installation, run
from trackai.cli.output import Json, Limit, Row, show, show_one
from trackai.destinations.registry import KINDS
from trackai.flags.catalogue import flags_for
from trackai.flags.setting import Change, FlagSetting
from trackai.gateways.registry import gateways
from trackai.model.alarm import INSTALLATION
from trackai.model.clock import SystemClock, new_id
from trackai.model.flag import EVERYBODY, NOBODY, OffMode, Rule
from trackai.operations.flags import load_flags
from trackai.storage.audit_logs import Scribe, list_audit
from trackai.storage.pool import Database, Role

app = typer.Typer(no_args_is_help=True, help="What is on, and for whom.")

Key = Annotated[str, typer.Argument(metavar="FLAG", help="A flag, from the list.")]
Tenant = Annotated[
    str | None, typer.Option(help="Of this tenant alone, by id or name; default: of everybody.")
]
Mode = Annotated[
    OffMode | None,
    typer.Option(
        "--when-off",
        help="Webhooks of a gateway that is off: stored until it is on, or answered 404.",
    ),
]


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List every flag: what is said of it, by whom, and what waits for it."""

    async def work() -> list[Row]:
        async with open_installation() as here:
            names = {one.id: one.name for one in await here.tenants()}
            async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
                found = await load_flags(tx, _known(here))
        return [
            {
                "flag": one.key,
                "for": "everybody" if one.owner is None else names.get(one.owner, str(one.owner)),
                "state": one.state,
                "when_off": one.rule.off_mode.value,
                "set_by": one.set_by,
                "set_at": one.set_at,
                "held": one.held if one.owner is None else None,
            }
            for one in found
        ]

    show(run(work()), json=json, empty="There are no flags.")


@app.command(name="set")
def set_(
    flag: Key,
    percent: Annotated[
        int | None, typer.Option(min=0, max=100, help="On for so many of a hundred tenants.")
    ] = None,
    when_off: Mode = None,
    tenant: Tenant = None,
    json: Json = False,
) -> None:
    """Let a flag be on for a part of the tenants, the same ones whenever it is asked.

    A larger percentage turns nobody off. For one tenant 100 is on and 0 is off.
    """
    _say(flag, tenant, Change(percent=percent, off_mode=when_off), json=json)


@app.command()
def off(flag: Key, tenant: Tenant = None, when_off: Mode = None, json: Json = False) -> None:
    """Turn off: for everybody at once, whatever else was said, or for one tenant."""
    change = Change(killed=True) if tenant is None else Change(percent=NOBODY)
    _say(flag, tenant, Change(change.percent, when_off, change.killed), json=json)


@app.command()
def on(flag: Key, tenant: Tenant = None, json: Json = False) -> None:
    """Turn on: end `off`, so that the percentage counts again, or for one tenant."""
    change = Change(killed=False) if tenant is None else Change(percent=EVERYBODY)
    _say(flag, tenant, change, json=json)


@app.command()
def clear(flag: Key, tenant: Tenant = None, json: Json = False) -> None:
    """Forget what was said: on for everybody, or for a tenant what counts for everybody."""

    async def work() -> None:
        async with _operator(tenant) as view:
            await view.setting.clear(flag)

    run(work())
    show_one({"cleared": flag, "for": tenant or "everybody"}, json=json)


@app.command()
def changes(
    tenant: Tenant = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List who changed which flag, newest first."""

    async def work() -> list[Row]:
        async with (
            _operator(tenant) as view,
            view.database.transaction(tenant_id=view.owner) as tx,
        ):
            rows = await list_audit(tx, tenant_id=view.owner, limit=limit)
        return [
            {"at": row["at"], "by": row["actor"], "flag": row["subject"], "change": row["details"]}
            for row in rows
            if str(row["action"]).startswith("flag.")
        ]

    show(run(work()), json=json, empty="Nobody changed a flag.")


def _say(flag: str, tenant: str | None, change: Change, *, json: bool) -> None:
    async def work() -> Rule:
        async with _operator(tenant) as view:
            return await view.setting.change(flag, change)

    rule = run(work())
    said = {"percent": rule.percent, "killed": rule.killed, "when_off": rule.off_mode.value}
    show_one({"flag": flag, "for": tenant or "everybody", **said}, json=json)


@dataclass(frozen=True, slots=True)
class _View:
    database: Database
    owner: UUID
    setting: FlagSetting


@asynccontextmanager
async def _operator(tenant: str | None) -> AsyncIterator[_View]:
    """Open the installation, and what its operator says for everybody or for a tenant."""
    async with open_installation() as here, here.database(Role.APP) as database:
        owner = (await here.tenant(tenant)).id if tenant else INSTALLATION
        clock = SystemClock()
        scribe = Scribe(owner, actor(), clock, new_id)
        yield _View(database, owner, FlagSetting(database, clock, scribe, _known(here)))


def _known(here: Installation) -> tuple[str, ...]:
    return flags_for(gateways(plugins=here.settings.gateway_plugins), KINDS)
