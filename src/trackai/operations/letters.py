"""What people are told of dead letters: which were not taken, and what a replay waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.model.clock import Clock
from trackai.operations.standing import CLOSED, standings
from trackai.storage import dead_letters, destinations, health
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Row

# A worker looks once a second: after this somebody should be told that none is there.
NOBODY_S = 10.0

_NOT_DEAD: Mapping[str, str] = {
    "accepted": "already accepted",
    "discarded": "discarded",
    "pending": "on its way",
    "withheld": "withheld",
}


@dataclass(frozen=True, slots=True)
class Counter:
    """Answers one tenant's questions about dead letters."""

    database: Database  # as people
    envelope: Envelope
    clock: Clock
    tenant_id: UUID

    async def in_all(self) -> int:
        """Return how many dead letters there are, whatever was asked for."""
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            return await dead_letters.count_dead(tx, tenant_id=self.tenant_id)

    async def not_taken(self, ids: Sequence[UUID], *, replay_id: UUID | None = None) -> list[str]:
        """Return, for each of these that is not to be had, its id and why.

        Those in `replay_id` were taken by it.
        """
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            known = await dead_letters.list_states(tx, tenant_id=self.tenant_id, ids=ids)
        said = ((one, _why_not(known.get(one), replay_id)) for one in ids)
        return [f"{one}: {why}" for one, why in said if why]

    async def holds(self, replay_id: UUID) -> list[str]:
        """Return what holds a replay's deliveries back, a sentence each."""
        now = self.clock.now()
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            to = await dead_letters.list_replay_destinations(
                tx, tenant_id=self.tenant_id, replay_id=replay_id
            )
            accounts = await destinations.list_destinations(
                tx, self.envelope, tenant_id=self.tenant_id
            )
            stand = await standings(tx, accounts, now)
        found = [f"pixel {one['pixel_id']} is disconnected" for one in to if one["disconnected"]]
        for one in to:
            it = stand.get(one["id"])
            if it is not None and (it.state != CLOSED or it.retry_at):
                until = f" until {it.retry_at:%H:%M:%S} UTC" if it.retry_at else ""
                what = f"breaker of pixel {one['pixel_id']} {it.state}{until} ({it.reason})"
                paused = f"Meta asked to pause pixel {one['pixel_id']}{until}"
                found.append(what if it.state != CLOSED else paused)
        return found

    async def workers(self) -> int:
        """Return how many workers are connected."""
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            return await health.count_workers(tx)


def _why_not(row: Row | None, replay_id: UUID | None) -> str | None:
    if row is None:
        return "unknown"
    if replay_id is not None and row["replay_id"] == replay_id:
        return None
    if row["replay_waits"]:
        return f"in the replay {row['replay_id']}"
    return _NOT_DEAD.get(row["status"])
