"""`trackai user`: people who sign in to the dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from trackai.accounts.access_tools import AccessTools
from trackai.accounts.new_passwords import PASSWORD_FOR, NewPasswords
from trackai.accounts.passwords import Passwords
from trackai.accounts.second_factor import SecondFactor
from trackai.accounts.team import INVITED_FOR, Team
from trackai.cli.installation import Installation, actor, open_installation, run
from trackai.cli.output import Json, Row, show, show_one
from trackai.errors import NotFound
from trackai.model.access import MemberRole
from trackai.model.clock import SystemClock, new_id
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="People who sign in to the dashboard.")

Email = Annotated[str, typer.Argument(help="Their e-mail.")]


@app.command()
def invite(
    email: Email,
    tenant: Annotated[
        str | None, typer.Option(help="Whose team; without it they may enter every tenant.")
    ] = None,
    role: Annotated[
        MemberRole, typer.Option(help="What they are to the tenant.")
    ] = MemberRole.OWNER,
    json: Json = False,
) -> None:
    """Make a link by which somebody joins. It is shown this once; give it to them."""

    async def work() -> Row:
        async with _open_team() as (here, team):
            tenant_id = (await here.tenant(tenant)).id if tenant else None
            token = await team.invite(email, tenant_id=tenant_id, role=role, by=actor())
            return {
                "link": f"{here.settings.base_url}/join/{token}",
                "valid_until": SystemClock().now() + INVITED_FOR,
            }

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List everybody who may sign in."""

    async def work() -> list[Row]:
        async with _open_team() as (_, team):
            return [
                {
                    "user_id": one.id,
                    "email": one.email,
                    "name": one.name,
                    "platform_operator": one.platform_operator,
                    "second_factor": one.second_factor,
                    "disabled": one.disabled,
                }
                for one in await team.users()
            ]

    show(run(work()), json=json, empty="Nobody yet. Invite somebody: trackai user invite EMAIL")


@app.command()
def password(email: Email, json: Json = False) -> None:
    """Make a link by which somebody sets a new password. It is shown this once."""

    async def work() -> Row:
        async with _open() as (here, tools):
            found = await NewPasswords(tools).forgot(email, by=actor())
            if found is None:
                raise NotFound("Nobody who may sign in has this e-mail: trackai user list")
            return {
                "link": f"{here.settings.base_url}/password/{found[1]}",
                "valid_until": SystemClock().now() + PASSWORD_FOR,
            }

    show_one(run(work()), json=json)


@app.command()
def second_factor_off(email: Email, json: Json = False) -> None:
    """Ask somebody for no code any more who is locked out. It is noted in their teams' audit logs.

    Be sure that it is they who ask.
    """

    async def work() -> Row:
        async with _open() as (_, tools):
            user = await SecondFactor(tools).remove(email, by=actor())
            return {"user_id": user.id, "second_factor": False}

    show_one(run(work()), json=json)


@app.command()
def disable(email: Email, json: Json = False) -> None:
    """Let somebody sign in no more; their sessions end at once."""
    show_one(run(_set_disabled(email, disabled=True)), json=json)


@app.command()
def enable(email: Email, json: Json = False) -> None:
    """Let somebody sign in again."""
    show_one(run(_set_disabled(email, disabled=False)), json=json)


async def _set_disabled(email: str, *, disabled: bool) -> Row:
    async with _open_team() as (_, team):
        user = await team.set_disabled(email, disabled=disabled)
        return {"user_id": user.id, "disabled": disabled}


@asynccontextmanager
async def _open_team() -> AsyncIterator[tuple[Installation, Team]]:
    async with _open() as (here, tools):
        yield here, Team(tools)


@asynccontextmanager
async def _open() -> AsyncIterator[tuple[Installation, AccessTools]]:
    async with open_installation() as here, here.database(Role.ACCESS) as database:
        yield here, AccessTools(database, here.envelope, Passwords(), SystemClock(), new_id)
