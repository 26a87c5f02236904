"""`trackai dlq`: dead letters, that is deliveries that were given up."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import typer

from trackai.cli.installation import actor, open_installation, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, TenantName, show, show_one
from trackai.dispatch.dead_letters import RATE, DeadLetters, Wish
from trackai.errors import InvalidField
from trackai.model.clock import SystemClock, new_id
from trackai.storage.dead_letters import Wanted
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="Dead letters: deliveries that were given up.")

Reason = Annotated[str | None, typer.Option(help="Only those with this reason.")]
Gateway = Annotated[str | None, typer.Option(help="Only this gateway's.")]
DestinationId = Annotated[
    str | None, typer.Option("--destination", help="Only this destination's.")
]
Since = Annotated[dt.datetime | None, typer.Option(help="Given up at or after this time (UTC).")]
Until = Annotated[dt.datetime | None, typer.Option(help="Given up before this time (UTC).")]
Ids = Annotated[list[str] | None, typer.Argument(help="Delivery ids, from `dlq list`.")]
Everything = Annotated[bool, typer.Option("--all", help="All: needed when nothing narrows it.")]

# A replay that somebody waits for is looked at so often.
_LOOK_S = 1.0


@app.command(name="list")
def list_(
    tenant: TenantName,
    reason: Reason = None,
    gateway: Gateway = None,
    destination: DestinationId = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List dead letters, newest first, each with its reason."""
    wanted = _wanted(None, reason, gateway, destination, since, until)

    async def work() -> list[Row]:
        async with _dead_letters(tenant) as letters:
            return list(await letters.list(wanted, limit=limit))

    show(run(work()), json=json, empty="No dead letters.")


@app.command(name="show")
def show_letter(
    tenant: TenantName,
    delivery: Annotated[str, typer.Argument(help="Delivery id, from `dlq list`.")],
    json: Json = False,
) -> None:
    """Show one dead letter: its reason and every try with the destination's answer."""

    async def work() -> dict[str, object]:
        async with _dead_letters(tenant) as letters:
            return await letters.show(parse_uuid(delivery, "DELIVERY"))

    letter = run(work())
    if json:
        show_one(letter, json=True)
        return
    tries = letter.pop("tries")
    show_one(letter, json=False)
    print()
    show(tries if isinstance(tries, list) else [], json=False, empty="It was never tried.")


@app.command()
def replay(
    tenant: TenantName,
    deliveries: Ids = None,
    everything: Everything = False,
    reason: Reason = None,
    gateway: Gateway = None,
    destination: DestinationId = None,
    since: Since = None,
    until: Until = None,
    rate: Annotated[int, typer.Option(help="Most sent again a second.")] = RATE,
    key: Annotated[
        str | None, typer.Option(help="The same key again is the same replay, not another.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until a worker is through.")] = False,
    json: Json = False,
) -> None:
    """Send dead letters again under the same event ids; a worker does it."""
    narrowed = _wanted(_ids(deliveries), reason, gateway, destination, since, until)
    wish = Wish(actor(), _said(narrowed, everything=everything), key=key, rate=rate)

    async def work() -> Row:
        async with _dead_letters(tenant) as letters:
            progress = await letters.replay(wish)
            while wait and (progress["waiting"] or progress["under_way"]):
                if not json:
                    print(_line(progress), flush=True)
                await asyncio.sleep(_LOOK_S)
                progress = await letters.progress(UUID(str(progress["id"])))
            return progress

    show_one(run(work()), json=json)


@app.command()
def progress(
    tenant: TenantName,
    replay_id: Annotated[str, typer.Argument(metavar="REPLAY", help="Its id.")],
    json: Json = False,
) -> None:
    """Show how far a replay is."""

    async def work() -> Row:
        async with _dead_letters(tenant) as letters:
            return await letters.progress(parse_uuid(replay_id, "REPLAY"))

    show_one(run(work()), json=json)


@app.command()
def discard(
    tenant: TenantName,
    why: Annotated[str, typer.Option(help="For the audit log.")],
    deliveries: Ids = None,
    everything: Everything = False,
    reason: Reason = None,
    gateway: Gateway = None,
    destination: DestinationId = None,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """Give dead letters up for good: they are listed and counted no longer."""
    narrowed = _wanted(_ids(deliveries), reason, gateway, destination, since, until)
    wanted = _said(narrowed, everything=everything)

    async def work() -> int:
        async with _dead_letters(tenant) as letters:
            return await letters.discard(wanted, actor=actor(), why=why)

    show_one({"discarded": run(work())}, json=json)


@asynccontextmanager
async def _dead_letters(tenant: str) -> AsyncIterator[DeadLetters]:
    async with open_installation() as here, here.database(Role.APP) as database:
        owner = await here.tenant(tenant)
        yield DeadLetters(database, SystemClock(), new_id, owner.id)


def _ids(deliveries: list[str] | None) -> list[UUID] | None:
    return [parse_uuid(one, "DELIVERY") for one in deliveries] if deliveries else None


def _said(wanted: Wanted, *, everything: bool) -> Wanted:
    """Return what was asked for; InvalidField when it means everything without saying so."""
    if wanted == Wanted() and not everything:
        raise InvalidField(
            "Say which: delivery ids, options such as --reason, or --all.", field="deliveries"
        )
    return wanted


def _wanted(
    ids: list[UUID] | None,
    reason: str | None,
    gateway: str | None,
    destination: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> Wanted:
    return Wanted(
        ids=ids,
        reason=reason,
        gateway=gateway,
        destination_id=parse_uuid(destination, "--destination") if destination else None,
        since=since.replace(tzinfo=dt.UTC) if since else None,
        until=until.replace(tzinfo=dt.UTC) if until else None,
    )


def _line(progress: Row) -> str:
    parts = ("waiting", "under_way", "accepted", "dead_again")
    return "  ".join(f"{part.replace('_', ' ')} {progress[part]}" for part in parts)
