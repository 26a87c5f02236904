"""The account of a smoke test: a tenant with one funnel, one gateway and a copy of a pixel.

What is tried under it changes no number and no setting of anybody's. It is closed as any tenant is:
from that moment nobody can read what it holds, and housekeeping deletes its rows.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated
from uuid import UUID

import msgspec

from trackai.accounts.api_keys import ApiKeys, ApiScope
from trackai.accounts.closing import close_tenant
from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.errors import ConfigurationError, UnknownTenant
from trackai.gateways.registry import gateway as gateway_named
from trackai.model.clock import Clock, NewId
from trackai.model.tenant import DestinationAccount, Tenant
from trackai.secrets.port import Reference, is_reference
from trackai.storage import destinations, smoke_runs
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.storage.smoke_runs import SmokeRun

GATEWAY = "perfectpay"
# Accounts of runs that were cut short are closed by the next after this.
LEFT_FOR = dt.timedelta(hours=1)

Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run needs which has no database at hand. It holds secrets."""

    run_id: UUID
    tenant_id: UUID  # the account that was made
    site_key: str
    webhook: str  # the address's path
    secret: str
    api_key: str
    until: Moment | None = None  # it serves any number of runs until then


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step of a run."""

    step: str
    ok: bool
    ms: float
    found: str


@dataclass(frozen=True, slots=True)
class Rooms:
    """Databases of three roles, and what else making an account needs."""

    people: Database
    workers: Database
    envelope: Envelope
    clock: Clock
    new_id: NewId
    actor: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose pixel, which of them, and under which test code of Meta's its events appear."""

    tenant: Tenant
    pixel_id: str | None = None
    test_event_code: str | None = None
    kept_for: dt.timedelta | None = None  # as a ticket; None: for one run


async def open_practice(rooms: Rooms, wish: Wish, url: str) -> Ticket:
    """Make an account and note that a run begins; ConfigurationError when no pixel may be used."""
    pixel = await _pixel(rooms, wish)
    people = Onboarding(rooms.people, rooms.envelope, rooms.clock, rooms.new_id, rooms.actor)
    # Noted first: an account is found again whatever happens between these lines.
    run_id, now = rooms.new_id(), rooms.clock.now()
    until = None if wish.kept_for is None else now + wish.kept_for
    made = await people.create_tenant("smoke test", currency=wish.tenant.currency)
    async with rooms.workers.transaction() as tx:
        about = (run_id, wish.tenant.id, made.id, version("trackai"), url, now)
        await smoke_runs.insert_run(tx, SmokeRun(*about, kept_until=until))
    try:
        return msgspec.structs.replace(
            await _furnish(rooms, wish, pixel, made, run_id), until=until
        )
    except BaseException:
        await close_practice(rooms, made.id)
        raise


async def note_steps(rooms: Rooms, ticket: Ticket, steps: Sequence[Step]) -> None:
    """Keep what became of a run."""
    passed = all(one.ok for one in steps)
    rows = [{"step": one.step, "ok": one.ok, "ms": one.ms, "found": one.found} for one in steps]
    async with rooms.workers.transaction() as tx:
        at = rooms.clock.now()
        await smoke_runs.finish_run(tx, ticket.run_id, at=at, passed=passed, steps=rows)


async def close_practice(rooms: Rooms, practice: UUID) -> None:
    """End an account of a run; one that is gone already is well."""
    with suppress(UnknownTenant):
        await close_tenant(
            *(rooms.people, rooms.envelope, rooms.clock, rooms.new_id),
            tenant_id=practice,
            by=rooms.actor,
        )
    async with rooms.workers.transaction() as tx:
        await smoke_runs.close_run(tx, practice, at=rooms.clock.now())


async def close_left(rooms: Rooms) -> int:
    """End accounts of runs that were cut short, and of tickets that are over; return how many."""
    now = rooms.clock.now()
    async with rooms.workers.transaction() as tx:
        left = await smoke_runs.list_left(tx, before=now - LEFT_FOR, now=now)
    return await _close(rooms, left)


async def close_all(rooms: Rooms) -> int:
    """End every account that is still there, of tickets, too; return how many."""
    async with rooms.workers.transaction() as tx:
        left = await smoke_runs.list_open(tx)
    return await _close(rooms, left)


async def _close(rooms: Rooms, left: Sequence[UUID]) -> int:
    for practice in left:
        await close_practice(rooms, practice)
    return len(left)


async def _furnish(
    rooms: Rooms, wish: Wish, pixel: DestinationAccount, made: Tenant, run_id: UUID
) -> Ticket:
    """Connect a gateway and the copy of the pixel, and make a key for programs."""
    people = Onboarding(rooms.people, rooms.envelope, rooms.clock, rooms.new_id, rooms.actor)
    secret = gateway_named(GATEWAY).secret_prefix + secrets.token_hex(20)
    connection = await people.connect_gateway(made.id, GATEWAY, secret)
    code = None if pixel.api_url else (wish.test_event_code or pixel.test_event_code)
    # Where a token is kept elsewhere, the copy says so, too: an operator gives this command.
    token = Reference(pixel.token) if is_reference(pixel.token) else pixel.token
    new = NewDestination(
        *(pixel.kind, pixel.pixel_id, token), test_event_code=code, api_url=pixel.api_url
    )
    await people.connect_destination(made.id, new)
    keys = ApiKeys(rooms.people, rooms.clock, rooms.new_id, made.id)
    _, key = await keys.create("smoke test", [ApiScope.READ], actor=rooms.actor)
    return Ticket(
        run_id=run_id,
        tenant_id=made.id,
        site_key=made.site_key,
        webhook=f"/api/v1/webhooks/{GATEWAY}/{connection.endpoint_key}",
        secret=secret,
        api_key=key,
    )


async def _pixel(rooms: Rooms, wish: Wish) -> DestinationAccount:
    """Return the pixel to copy: one whose events are seen to be tests, or that is a stand-in's."""
    async with rooms.workers.transaction() as tx:
        known = await destinations.list_destinations(tx, rooms.envelope, tenant_id=wish.tenant.id)
    found = [one for one in known if wish.pixel_id in {None, one.pixel_id}]
    if not found:
        raise ConfigurationError(
            "The tenant has no such pixel. Connect one: trackai destination connect"
        )
    for one in found:
        if one.api_url or one.test_event_code or wish.test_event_code:
            return one
    raise ConfigurationError(
        "The pixel is Meta's own: what nobody bought must be seen to be a test there. Take a code "
        "from Events Manager, Test events: trackai smoke --test-event-code CODE"
    )
