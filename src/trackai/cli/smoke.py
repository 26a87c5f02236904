"""`trackai smoke`: one made-up sale all the way through a deployment, and nothing of it left."""

import datetime as dt
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import aiohttp
import msgspec
import typer

from trackai.cli.following import note
from trackai.cli.installation import Installation, actor, open_installation, run
from trackai.cli.output import Json, Row, show, write_json
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock, new_id
from trackai.operations.practice import (
    GATEWAY,
    Rooms,
    Step,
    Ticket,
    Wish,
    close_all,
    close_left,
    close_practice,
    note_steps,
    open_practice,
)
from trackai.operations.smoke import MadeUp, Smoke
from trackai.sandbox.platforms import Sale, SaleStatus, platform
from trackai.storage.pool import Database, Role

_OWN = 0o600


class _Wanted(NamedTuple):
    """Whose pixel is tried, as it was said."""

    tenant: str
    pixel: str | None
    test_event_code: str | None
    kept_for: dt.timedelta | None = None


def smoke(
    url: Annotated[
        str | None, typer.Option(help="The deployment; default: TRACKAI_PUBLIC_URL.")
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose pixel is tried, by id or name.")] = None,
    pixel: Annotated[
        str | None, typer.Option(help="Which of its pixels; default: the first.")
    ] = None,
    test_event_code: Annotated[
        str | None, typer.Option(help="Meta's, for a pixel that is no stand-in.")
    ] = None,
    prepare: Annotated[
        Path | None,
        typer.Option(help="Only make the account, and write what a run elsewhere needs here."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=366, help="How long what --prepare wrote serves.")
    ] = 1,
    ticket: Annotated[
        Path | None, typer.Option(help="Run by what --prepare wrote; no database is needed.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only ask whether the --ticket still serves.")
    ] = False,
    clean: Annotated[
        bool, typer.Option("--clean", help="Close every account that is not closed yet.")
    ] = False,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that a step may take.")] = 60.0,
    json: Json = False,
) -> None:
    """Send a made-up sale from click to Meta and look for it; exit status 1 when a step failed.

    It is of an account that is made for it and closed after it: nobody's numbers change.
    """
    if clean:
        _say_closed(run(_clean()), json=json)
        return
    if ticket is not None:
        if url is None:
            raise ConfigurationError("--ticket needs --url: the deployment to try.")
        tried = (_read(ticket), url.rstrip("/"), patience, None)
        steps = run(_go(*tried, only_ask=check))
    elif tenant is None:
        raise ConfigurationError("Say whose pixel is tried: --tenant, by id or name.")
    elif prepare is not None:
        wanted = _Wanted(tenant, pixel, test_event_code, dt.timedelta(days=days))
        _write(prepare, run(_prepare(wanted, url)))
        note(
            f"Run it with: trackai smoke --ticket {prepare} --url ...; at the end: trackai smoke "
            "--clean"
        )
        return
    else:
        steps = run(_here(_Wanted(tenant, pixel, test_event_code), url, patience))
    _print(steps, json=json)


def _print(steps: Sequence[Step], *, json: bool) -> None:
    rows: list[Row] = [
        {"step": one.step, "ok": one.ok, "ms": one.ms, "found": one.found} for one in steps
    ]
    passed = all(one.ok for one in steps)
    if json:
        write_json({"passed": passed, "ms": round(sum(one.ms for one in steps), 1), "steps": rows})
    else:
        show(rows, json=False, empty="")
    if not passed:
        sys.exit(1)


def _say_closed(closed: int, *, json: bool) -> None:
    if json:
        write_json({"closed": closed})
    else:
        print(f"{closed} accounts closed")


async def _here(wanted: _Wanted, url: str | None, patience_s: float) -> list[Step]:
    async with open_installation() as here, _rooms(here) as rooms:
        await close_left(rooms)
        base = (url or here.settings.base_url).rstrip("/")
        ticket = await open_practice(rooms, await _wish(here, wanted), base)
        steps: list[Step] = []
        try:
            steps = await _go(ticket, base, patience_s, rooms.workers)
        finally:
            steps = [*steps, await _closed(rooms, ticket)]
            await note_steps(rooms, ticket, steps)
        return steps


async def _closed(rooms: Rooms, ticket: Ticket) -> Step:
    began = rooms.clock.now()
    await close_practice(rooms, ticket.tenant_id)
    took_ms = round((rooms.clock.now() - began).total_seconds() * 1000, 1)
    found = "the account is closed; housekeeping deletes its rows"
    return Step("cleanup", ok=True, ms=took_ms, found=found)


async def _go(
    ticket: Ticket,
    url: str,
    patience_s: float,
    database: Database | None,
    *,
    only_ask: bool = False,
) -> list[Step]:
    async with aiohttp.ClientSession(
        headers={"User-Agent": "trackai-smoke"}, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        tried = Smoke(url, ticket, http, _worded, new_id, database, patience_s)
        return list(await (tried.ask() if only_ask else tried.run()))


def _worded(click_id: str, secret: str) -> MadeUp:
    sender = platform(GATEWAY, secret)
    sale = Sale(sender.transaction(new_id()), SystemClock().now(), click_id=click_id)
    said = sender.notice(sale, SaleStatus.APPROVED)
    return MadeUp(sale.transaction, said.body, {"Content-Type": said.content_type, **said.headers})


async def _prepare(wanted: _Wanted, url: str | None) -> Ticket:
    async with open_installation() as here, _rooms(here) as rooms:
        await close_left(rooms)
        base = (url or here.settings.base_url).rstrip("/")
        return await open_practice(rooms, await _wish(here, wanted), base)


def _write(path: Path, ticket: Ticket) -> None:
    """Write it for nobody else to read: it holds a secret and a key."""
    path.touch(mode=_OWN)
    path.chmod(_OWN)
    path.write_bytes(msgspec.json.encode(ticket))


async def _clean() -> int:
    async with open_installation() as here, _rooms(here) as rooms:
        return await close_all(rooms)


def _read(path: Path) -> Ticket:
    try:
        ticket = msgspec.json.decode(path.read_bytes(), type=Ticket)
    except (OSError, msgspec.DecodeError):
        raise ConfigurationError(f"{path} is not what trackai smoke --prepare wrote.") from None
    if ticket.until is not None and ticket.until <= SystemClock().now():
        raise ConfigurationError(
            f"{path} served until {ticket.until:%Y-%m-%d}. Make another: trackai smoke --prepare"
        )
    return ticket


async def _wish(here: Installation, wanted: _Wanted) -> Wish:
    tenant = await here.tenant(wanted.tenant)
    return Wish(tenant, wanted.pixel, wanted.test_event_code, wanted.kept_for)


@asynccontextmanager
async def _rooms(here: Installation) -> AsyncIterator[Rooms]:
    async with here.database(Role.APP) as people, here.database(Role.PIPELINE) as workers:
        yield Rooms(people, workers, here.envelope, SystemClock(), new_id, actor())
