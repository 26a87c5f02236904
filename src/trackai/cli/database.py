"""`trackai migrate`, `secret-key` and `rekey`: schema and keys of an installation."""

from collections.abc import Mapping
from typing import Annotated

import typer

from trackai.accounts import rekeying
from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, Row, show_one
from trackai.storage.envelope import new_key_text
from trackai.storage.migrate import migrate as run_migrations
from trackai.storage.pool import Role


def migrate(
    allow_newer: Annotated[
        bool,
        typer.Option(
            "--allow-newer",
            help="Leave the schema of a newer release as it is: for the way back after a rollout.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Bring the database's schema up to date; safe to run from several places at once."""

    async def work() -> list[str]:
        async with open_installation(migrated=False) as here:
            applied = await run_migrations(here.url, allow_newer=allow_newer)
            await here.make_missing_keys()
            return applied

    applied = run(work())
    show_one({"applied": applied if json else ", ".join(applied) or "nothing to do"}, json=json)


def rekey(json: Json = False) -> None:
    """Wrap the tenants' keys by the first of TRACKAI_SECRET_KEY; tells what needs the others."""

    async def work() -> Row:
        async with open_installation() as here, here.database(Role.APP) as database:
            owners = [one.id for one in await here.tenants()]
            done = await rekeying.rekey(database, here.envelope, owners)
            async with here.database(Role.ACCESS) as access:
                done.wrapped += await rekeying.rekey_users(access, here.envelope)
            async with here.database(Role.PIPELINE) as workers:
                done.wrapped += await rekeying.rekey_alarms(workers, here.envelope)
        needed = +done.old_rows
        return {
            "wrapped": done.wrapped,
            "resealed": done.resealed,
            "need_an_older_key": dict(needed) if json else _listed(needed) or "nothing",
        }

    show_one(run(work()), json=json)


def _listed(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{table} {number}" for table, number in rows.items())


def secret_key() -> None:
    """Print a fresh key for TRACKAI_SECRET_KEY; keep it with the other secrets, nowhere else."""
    print(new_key_text())
