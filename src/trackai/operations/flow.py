"""The doctor's checks of what flows: is the queue worked on, and what do breakers hold back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.destinations.registry import host_of
from trackai.model.tenant import DestinationAccount
from trackai.operations.findings import Finding, Patient, State
from trackai.operations.standing import CLOSED, MENDS, OTHER_MEND, standings
from trackai.storage import breakers as stored
from trackai.storage import destinations, health, tenants
from trackai.storage.health import Queued
from trackai.storage.pool import Tx

# A delivery that is due for longer than this is not being worked on.
LATE_DELIVERY_S = 300
# Nobody is there to work on it: said sooner.
NO_WORKER_S = 60


@dataclass(frozen=True, slots=True)
class _Flow:
    """What waits for whom, and who may go."""

    queued: Mapping[UUID, Queued]
    held: frozenset[UUID]  # destinations whose breaker, or whose host's, holds
    workers: int
    accounts: Sequence[DestinationAccount]

    def waiting(self, host: str) -> int:
        """Return how many deliveries wait for a host."""
        return sum(
            self.queued[one.id].waiting
            for one in self.accounts
            if one.id in self.queued and host_of(one) == host
        )


async def queue(patient: Patient) -> list[Finding]:
    """Say what waits, and whether what may go is worked on."""
    now = patient.clock.now()
    async with patient.database.transaction() as tx:
        flow = await _flow(tx, patient, now)
    held = sum(one.waiting for one in flow.queued.values() if one.destination_id in flow.held)
    free = [one for one in flow.queued.values() if one.destination_id not in flow.held]
    found = f"{sum(one.waiting for one in free)} waiting, {sum(one.due for one in free)} due"
    found += f", {held} more held by breakers" if held else ""
    oldest = min((one.oldest_due for one in free if one.oldest_due), default=None)
    late_s = (now - oldest).total_seconds() if oldest else 0
    to_do = "Start a worker: trackai worker (or trackai up)."
    if late_s > NO_WORKER_S and not flow.workers:
        return [Finding("queue", State.WARNING, f"{found}, and no worker is seen", to_do)]
    if late_s > LATE_DELIVERY_S:
        return [Finding("queue", State.WARNING, f"{found}, the oldest is late", to_do)]
    return [Finding("queue", State.OK, found)]


async def breakers(patient: Patient) -> list[Finding]:
    """Say which pixels and hosts are not sent to, what for, and what mends it."""
    now = patient.clock.now()
    async with patient.database.transaction() as tx:
        pixels = await stored.list_open_all_tenants(tx)
        hosts = await stored.list_open_hosts_all_tenants(tx)
        flow = await _flow(tx, patient, now)
    findings = [
        Finding(
            f"breaker of pixel {one.pixel_id}",
            State.FAILED,
            f"{_held(one, one.waiting)}",
            f"{_mend(one.reason)} See: trackai destination list {one.tenant_id}",
        )
        for one in pixels
    ]
    findings += [
        Finding(
            f"breaker of {one.host}",
            State.FAILED,
            _held(one, flow.waiting(one.host)),
            _mend(one.reason),
        )
        for one in hosts
    ]
    return findings or [Finding("breakers", State.OK, "all closed")]


def _held(breaker: stored.OpenBreaker | stored.OpenHostBreaker, waiting: int) -> str:
    again = f", tried again at {breaker.retry_at:%H:%M:%S}" if breaker.retry_at else ""
    since = f"{breaker.state} since {breaker.since:%Y-%m-%d %H:%M} UTC"
    return f"{since} ({breaker.reason}){again}: {waiting} wait"


def _mend(reason: str | None) -> str:
    mend = MENDS.get(reason or "", OTHER_MEND)
    return mend if mend.endswith(".") else f"{mend}."


async def _flow(tx: Tx, patient: Patient, now: dt.datetime) -> _Flow:
    accounts = [
        account
        for tenant in await tenants.list_tenants_all_tenants(tx)
        for account in await destinations.list_destinations(
            tx, patient.envelope, tenant_id=tenant.id
        )
    ]
    stand = await standings(tx, accounts, now)
    return _Flow(
        queued={
            one.destination_id: one for one in await health.count_queued_all_tenants(tx, now=now)
        },
        held=frozenset(one for one, it in stand.items() if it.state != CLOSED or it.retry_at),
        workers=await health.count_workers(tx),
        accounts=accounts,
    )
