"""`trackai dlq`: dead letters, that is deliveries that were given up."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import typer

from trackai.accounts import words
from trackai.cli.following import INTERRUPTED, Follower, end, look_again, note, tell_too_old
from trackai.cli.installation import actor, open_all_tenants, open_installation, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, TenantName, show, show_one
from trackai.dispatch.dead_letters import RATE, DeadLetters, Wish
from trackai.errors import InvalidField
from trackai.model.clock import SystemClock, new_id
from trackai.operations.letters import Counter
from trackai.storage.dead_letters import Wanted, list_causes_all_tenants
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
    """List dead letters, newest first, each with its reason and the replay that it waits in."""
    wanted = _wanted(None, reason, gateway, destination, since, until)

    async def work() -> tuple[list[Row], int]:
        async with _dead_letters(tenant) as (letters, counter):
            rows: list[Row] = list(await letters.list(wanted, limit=limit))
            return rows, len(rows) or await counter.in_all()

    rows, in_all = run(work())
    empty = f"None that match; {in_all} dead letters in all." if in_all else "No dead letters."
    show(rows, json=json, empty=empty)


@app.command()
def causes(limit: Limit = 50, json: Json = False) -> None:
    """Say which accounts have dead letters, of which gateway and why, the most first."""

    async def work() -> list[Row]:
        async with open_all_tenants() as tx:
            return [dict(row) for row in await list_causes_all_tenants(tx, limit=limit)]

    show(run(work()), json=json, empty="No dead letters.")


@app.command(name="show")
def show_letter(
    tenant: TenantName,
    delivery: Annotated[str, typer.Argument(help="Delivery id, from `dlq list`.")],
    json: Json = False,
) -> None:
    """Show one dead letter: its reason and every try with the destination's answer."""

    async def work() -> dict[str, object]:
        async with _dead_letters(tenant) as (letters, _):
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
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Stay until a worker is through; exit status 1 when one died again or was too "
            "old.",
        ),
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="With --wait: seconds to stay at most.")
    ] = None,
    json: Json = False,
) -> None:
    """Send dead letters again under the same event ids; a worker does it."""
    ids = _ids(deliveries)
    narrowed = _wanted(ids, reason, gateway, destination, since, until)
    wanted = _said(narrowed, everything=everything)
    wish = Wish(actor(), wanted, key=words.key(key), rate=rate)
    say = (lambda _line: None) if json else _tell
    begun: list[object] = []

    async def work() -> tuple[Row, list[str]]:
        async with _dead_letters(tenant) as (letters, counter):
            progress: Row = await letters.replay(wish)
            begun.append(progress["id"])
            refused = await counter.not_taken(ids or [], replay_id=UUID(str(progress["id"])))
            if wait:
                say(f"replay {progress['id']}")
                progress = await Follower(letters, counter, say, timeout).follow(progress)
            return progress, refused

    try:
        progress, refused = run(work())
    except KeyboardInterrupt:
        if begun:
            note(look_again(tenant, begun[0]))
        raise typer.Exit(INTERRUPTED) from None
    show_one(progress, json=json)
    tell_too_old(progress)
    _refuse(refused)
    if wait:
        end(progress, tenant)


@app.command()
def progress(
    tenant: TenantName,
    replay_id: Annotated[str, typer.Argument(metavar="REPLAY", help="Its id.")],
    json: Json = False,
) -> None:
    """Show how far a replay is."""

    async def work() -> Row:
        async with _dead_letters(tenant) as (letters, _):
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
    ids = _ids(deliveries)
    narrowed = _wanted(ids, reason, gateway, destination, since, until)
    wanted, because = _said(narrowed, everything=everything), words.why(why)

    async def work() -> tuple[int, list[str]]:
        async with _dead_letters(tenant) as (letters, counter):
            refused = await counter.not_taken(ids or [])
            return await letters.discard(wanted, actor=actor(), why=because), refused

    number, refused = run(work())
    show_one({"discarded": number}, json=json)
    _refuse(refused)


@asynccontextmanager
async def _dead_letters(tenant: str) -> AsyncIterator[tuple[DeadLetters, Counter]]:
    async with open_installation() as here, here.database(Role.APP) as database:
        owner, clock = await here.tenant(tenant), SystemClock()
        yield (
            DeadLetters(database, clock, new_id, owner.id),
            Counter(database, here.envelope, clock, owner.id),
        )


def _tell(line: str) -> None:
    print(line, flush=True)


def _refuse(refused: list[str]) -> None:
    """Name deliveries that were asked for and not to be had; exit status 1 when there are any."""
    for one in refused:
        note(f"not taken: {one}")
    if refused:
        raise typer.Exit(1)


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
        reason=words.reason(reason),
        gateway=words.gateway(gateway),
        destination_id=parse_uuid(destination, "--destination") if destination else None,
        since=since.replace(tzinfo=dt.UTC) if since else None,
        until=until.replace(tzinfo=dt.UTC) if until else None,
    )
