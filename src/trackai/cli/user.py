"""`trackai user`: people who sign in to the dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from trackai.accounts.passwords import Passwords
from trackai.accounts.team import INVITED_FOR, PASSWORD_FOR, Team
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
                    "disabled": one.disabled,
                }
                for one in await team.users()
            ]

    show(run(work()), json=json, empty="Nobody yet. Invite somebody: trackai user invite EMAIL")


@app.command()
def password(email: Email, json: Json = False) -> None:
    """Make a link by which somebody sets a new password. It is shown this once."""

    async def work() -> Row:
        async with _open_team() as (here, team):
            found = await team.forgot_password(email, by=actor())
            if found is None:
                raise NotFound("Nobody who may sign in has this e-mail: trackai user list")
            return {
                "link": f"{here.settings.base_url}/password/{found[1]}",
                "valid_until": SystemClock().now() + PASSWORD_FOR,
            }

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
    async with open_installation() as here, here.database(Role.ACCESS) as database:
        yield here, Team(database, here.envelope, Passwords(), SystemClock(), new_id)
