"""`trackai privacy`: requests of a person (LGPD, article 18): what is stored, and erasing it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from trackai.cli.following import note
from trackai.cli.installation import Installation, actor, open_installation, run
from trackai.cli.output import Json, Row, TenantName, show_one, write_json
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock, new_id
from trackai.privacy.desk import Desk
from trackai.privacy.erase import Erasure, checked_why
from trackai.privacy.export import Export
from trackai.privacy.person import Person
from trackai.privacy.search import Search
from trackai.secrets.opening import open_secrets
from trackai.settings import Settings
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Requests of a person (LGPD, article 18).")

Email = Annotated[str | None, typer.Option(help="The person's e-mail.")]
Phone = Annotated[
    str | None, typer.Option(help="The person's phone; abroad with + and the country's code.")
]


@app.command()
def export(
    tenant: TenantName,
    email: Email = None,
    phone: Phone = None,
    json: Annotated[bool, typer.Option("--json", help="On one line.")] = False,
) -> None:
    """Print all that is stored about a person, as one JSON document."""
    person = Person.named(email=email, phone=phone)

    async def work() -> Row:
        async with _desk(tenant) as (here, desk):
            document = await Export(desk, person).run()
            return {**document, "not_searched": _not_searched(here.settings)}

    write_json(run(work()), indent=0 if json else 2)


@app.command()
def erase(
    tenant: TenantName,
    why: Annotated[
        str, typer.Option(help="For the audit log: a ticket, a date; no name, e-mail or phone.")
    ],
    email: Email = None,
    phone: Phone = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase a person: what is personal goes for good, amounts and counts stay."""
    person = Person.named(email=email, phone=phone)
    reason = checked_why(why, person)
    if not yes and not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on. Say --yes to erase.")

    async def work() -> Row:
        async with _desk(tenant) as (here, desk):
            if not yes:
                found = await Search(desk, person).run()
                _ask(found.counts(), sorted(found.also_known_by))
            changed = await Erasure(desk, person, why=reason).run()
            return {**changed, "not_searched": _not_searched(here.settings)}

    show_one(run(work()), json=json)


@asynccontextmanager
async def _desk(tenant: str) -> AsyncIterator[tuple[Installation, Desk]]:
    async with (
        open_installation() as here,
        here.database(Role.APP) as database,
        open_secrets(here.settings.secrets_dir) as secrets,
    ):
        owner = await here.tenant(tenant)
        yield (
            here,
            Desk(database, here.envelope, SystemClock(), new_id, owner.id, actor(), secrets),
        )


def _ask(counts: dict[str, int], also_known_by: list[str]) -> None:
    show_one(counts, json=False)
    if also_known_by:
        note(f"Their sales also name: {', '.join(also_known_by)}. Erase these, too, if theirs.")
    typer.confirm("Erase this for good?", abort=True)


def _not_searched(settings: Settings) -> str | None:
    """Say what of this machine was left out: page reports that wait for the database."""
    spool = settings.data_dir / "spool"
    files = [path for path in spool.glob("*") if path.suffix in {".spool", ".aside"}]
    waiting = [path for path in files if path.stat().st_size]
    if not waiting:
        return None
    return (
        f"{len(waiting)} file(s) of page reports in {spool} were not searched: they are not in the "
        "database yet. Run this again when they are."
    )
