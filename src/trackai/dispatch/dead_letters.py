"""Dead letters: look at, replay, discard. For people, who see one tenant at a time.

A replay sends under the same event ids; it is idempotent by its key, bounded in rate, and written
into the audit log with the commit that begins it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.dispatch.retry import EVENT_LIFETIME
from trackai.errors import InvalidField, NotFound
from trackai.model.clock import Clock, NewId
from trackai.queue.port import Queue
from trackai.storage import dead_letters, dispatch_attempts
from trackai.storage.audit_logs import Scribe
from trackai.storage.dead_letters import NewReplay, Wanted
from trackai.storage.pool import Database

# Most dead letters that a replay releases a second, unless told.
RATE = 50
MOST_RATE = 1000
MOST_KEY = 200
# A replay has a turn so often.
TURN = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants dead letters sent again, which, and how fast."""

    actor: str
    wanted: Wanted
    key: str | None = None  # the same key twice is one replay
    rate: int = RATE


class DeadLetters:
    """One tenant's dead letters, as people work on them."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, tenant_id: UUID) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._tenant_id = tenant_id

    async def list(self, wanted: Wanted, *, limit: int) -> list[dict[str, object]]:
        """Return dead letters, newest first."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            rows = await dead_letters.list_dead(
                tx, tenant_id=self._tenant_id, wanted=wanted, limit=limit
            )
        return [dict(row) for row in rows]

    async def count(self, *, limit: int) -> Sequence[tuple[str, str, int]]:
        """Return (gateway, reason, how many) of the newest, the most frequent first."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            rows = await dead_letters.count_newest_dead(tx, tenant_id=self._tenant_id, limit=limit)
        return [(row["gateway"], row["reason"], row["number"]) for row in rows]

    async def show(self, delivery_id: UUID) -> dict[str, object]:
        """Return one with all its tries; NotFound when it is not there or not dead."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            rows = await dead_letters.list_dead(
                tx, tenant_id=self._tenant_id, wanted=Wanted(ids=[delivery_id]), limit=1
            )
            attempts = await dispatch_attempts.list_attempts(
                tx, tenant_id=self._tenant_id, delivery_id=delivery_id
            )
        if not rows:
            raise NotFound("The tenant has no such dead letter. List them: trackai dlq list")
        return dict(rows[0]) | {"tries": [dict(row) for row in attempts]}

    async def replay(self, wish: Wish) -> dict[str, object]:
        """Have dead letters sent again; return the replay's progress.

        Those older than Meta takes stay, and are counted as too_old.
        """
        if not 1 <= wish.rate <= MOST_RATE:
            raise InvalidField(f"A rate is 1 to {MOST_RATE} a second.", field="rate")
        if wish.key is not None and not 1 <= len(wish.key) <= MOST_KEY:
            raise InvalidField(f"A key is 1 to {MOST_KEY} characters.", field="key")
        now, replay_id = self._clock.now(), self._new_id()
        asked = _told(wish.wanted)
        replay = NewReplay(
            tenant_id=self._tenant_id,
            id=replay_id,
            key=wish.key or str(replay_id),
            actor=wish.actor,
            asked=asked,
            rate=wish.rate,
            created_at=now,
        )
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            found = await dead_letters.insert_replay(
                tx, replay, wish.wanted, oldest=now - EVENT_LIFETIME
            )
            if found == replay_id:
                await self._scribe(wish.actor).note(tx, "dead_letters.replay", found, asked)
        return await self.progress(found)

    async def progress(self, replay_id: UUID) -> dict[str, object]:
        """Return how far a replay is."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            row = await dead_letters.find_progress(
                tx, tenant_id=self._tenant_id, replay_id=replay_id
            )
        if row is None:
            raise NotFound("The tenant has no such replay.")
        return dict(row)

    async def discard(self, wanted: Wanted, *, actor: str, why: str) -> int:
        """Give dead letters up for good; return how many."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            number = await dead_letters.discard(
                tx, tenant_id=self._tenant_id, wanted=wanted, now=self._clock.now()
            )
            details = {**_told(wanted), "why": why, "number": number}
            await self._scribe(actor).note(tx, "dead_letters.discard", "deliveries", details)
        return number

    def _scribe(self, actor: str) -> Scribe:
        return Scribe(self._tenant_id, actor, self._clock, self._new_id)


class ReplayReleaser:
    """Job: lets replays' dead letters go again, as many a second as each was asked for."""

    def __init__(self, database: Database, queue: Queue, clock: Clock) -> None:
        self._database = database
        self._queue = queue
        self._clock = clock

    async def step(self) -> bool:
        """Give one replay its turn; False when none had one."""
        async with self._database.transaction() as tx:
            released = await dead_letters.release_all_tenants(tx, now=self._clock.now(), pause=TURN)
            if released:
                await self._queue.enqueue(tx, released)
        return released is not None


def _told(wanted: Wanted) -> dict[str, object]:
    """Return a wish's words for the log: what was given, ids as text."""
    return {
        "ids": None if wanted.ids is None else [str(one) for one in wanted.ids],
        "reason": wanted.reason,
        "destination_id": str(wanted.destination_id) if wanted.destination_id else None,
        "gateway": wanted.gateway,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
    }
