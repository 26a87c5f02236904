"""`trackai golive`: what must hold before an installation goes live, looked at and signed."""

import datetime as dt
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from trackai.accounts.emails import normalized_email
from trackai.cli.checklist import open_desk
from trackai.cli.installation import actor, open_all_tenants, open_installation, run
from trackai.cli.output import Json, Row, show, show_one, write_json
from trackai.cli.rehearsal.command import rehearse
from trackai.errors import ConfigurationError, Forbidden, NotFound
from trackai.golive.catalogue import ITEMS
from trackai.golive.report import checklist_page, document_of, report_of
from trackai.golive.signing import Pen, Signing
from trackai.golive.words import LANGUAGES, sentence_of, words_of
from trackai.model.access import MemberRole
from trackai.model.clock import SystemClock, new_id
from trackai.model.golive import Checklist, Verdict
from trackai.operations.golive.build import parse_told
from trackai.storage import build_facts, memberships, users
from trackai.storage.build_facts import BuildFacts
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="What must hold before going live.")
app.command()(rehearse)

ItemId = Annotated[str, typer.Argument(metavar="ITEM", help="An item's id, from the list.")]
Email = Annotated[str, typer.Option("--user", help="Who answers for it, by e-mail.")]


@app.command()
def check(
    report: Annotated[
        Path | None, typer.Option(help="Also write a report to print, in Markdown.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the report: pt or en.")] = "en",
    json: Json = False,
) -> None:
    """Look at every item; exit status 0 only when all hold."""
    if language not in LANGUAGES:
        raise ConfigurationError(f"A language is one of {', '.join(LANGUAGES)}.")

    async def work() -> Checklist:
        # What is not migrated is an item, not an error.
        async with open_installation(migrated=False) as here, open_desk(here) as desk:
            return await desk.check()

    checked = run(work())
    if report is not None:
        report.write_text(report_of(checked, language), "utf-8")
    if json:
        write_json(document_of(checked))
    else:
        show([_row(one) for one in checked.verdicts], json=False, empty="")
        print()
        write_json(checked.sums)
    if not checked.holds:
        sys.exit(1)


@app.command(name="list")
def list_(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="As docs/GO-LIVE-CHECKLIST.md has it.")
    ] = False,
    json: Json = False,
) -> None:
    """List what must hold, and how each is known."""
    if markdown:
        print(checklist_page(), end="")
        return
    words = words_of("en")
    rows: list[Row] = [
        {
            "number": one.number,
            "item": one.id,
            "section": one.section.value,
            "proof": one.proof.value,
            "title": words["titles"][one.id],
        }
        for one in ITEMS.values()
    ]
    show(rows, json=json, empty="")


@app.command()
def sign(
    item: ItemId,
    user: Email,
    note: Annotated[str, typer.Option(help="What was done; no personal data.")],
    until: Annotated[
        dt.datetime, typer.Option(help="How long it holds, in UTC.", formats=["%Y-%m-%d"])
    ],
    json: Json = False,
) -> None:
    """Answer for an item that nobody can measure; the user must own a team or run the platform."""

    async def work() -> dt.datetime:
        async with _signing(user) as hand:
            end = until.replace(tzinfo=dt.UTC)
            made = await hand.signing.sign(item, hand.pen, note=note, until=end)
            return made.expires_at

    expires_at = run(work())
    show_one({"signed": item, "expires_at": expires_at}, json=json)


@app.command()
def withdraw(item: ItemId, user: Email, json: Json = False) -> None:
    """Take a signature back."""

    async def work() -> None:
        async with _signing(user) as hand:
            await hand.signing.withdraw(item, hand.pen)

    run(work())
    show_one({"withdrawn": item}, json=json)


@app.command()
def attest(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", exists=True, help="What tools.attest or CI wrote."),
    ] = None,
    facts: Annotated[
        str | None, typer.Option(help="What stands in it, where there is no such file.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell what checks and tests said of a state of the source code."""
    if (file is None) == (facts is None):
        raise ConfigurationError("Give the file, or --facts with what stands in it.")
    raw = file.read_bytes() if file else str(facts).encode()

    async def work() -> BuildFacts:
        told, now = parse_told(raw), SystemClock().now()
        said = BuildFacts(told.digest, told.commit, told.made_at, told.checks, now, actor())
        async with open_all_tenants() as tx:
            await build_facts.save_facts(tx, said)
        return said

    told = run(work())
    failed = sorted(name for name, status in told.checks.items() if status != 0)
    show_one(
        {"commit": told.commit, "checks": len(told.checks), "failed": ", ".join(failed) or None},
        json=json,
    )


@dataclass(frozen=True, slots=True)
class _Hand:
    """Somebody who may sign."""

    pen: Pen
    signing: Signing


@asynccontextmanager
async def _signing(email: str) -> AsyncIterator[_Hand]:
    async with (
        open_installation() as here,
        here.database(Role.ACCESS, size=1) as access,
        here.database(Role.APP, size=1) as people,
    ):
        async with access.transaction() as tx:
            user = await users.find_by_email(tx, here.envelope, normalized_email(email))
            if user is None or user.disabled:
                raise NotFound("Nobody of this e-mail may sign in. List them: trackai user list")
            teams = await memberships.list_of_user(tx, user_id=user.id)
        if not user.platform_operator and all(one.role is not MemberRole.OWNER for one in teams):
            raise Forbidden("Only an owner of a team, or who runs the platform, can sign.")
        yield _Hand(Pen(user.id, actor()), Signing(people, SystemClock(), new_id))


def _row(one: Verdict) -> Row:
    evidence, signature, words = one.evidence, one.signature, words_of("en")
    told = sentence_of(evidence, "en") if evidence else ""
    if signature and one.outcome.holds:
        told = f"{signature.name} until {signature.expires_at:%Y-%m-%d}: {signature.note}"
    return {
        "": one.item.number,
        "item": one.item.id,
        "outcome": words["outcomes"][one.outcome],
        "found": told or None,
        "at": evidence.at if evidence else None,
        "what_to_do": None if one.outcome.holds else words["to_do"][one.item.id],
    }
