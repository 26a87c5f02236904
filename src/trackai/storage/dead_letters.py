"""Dead letters: the rows of deliveries that were given up, and table replays.

A replay marks the dead letters it is about; the worker then releases them, a few a second, with
their event ids as they were.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.errors import Conflict
from trackai.storage.pool import Row, Tx
from trackai.storage.queue_messages import QueuedDelivery

# Dead letters that somebody asks about; $2.. say which, null meaning any.
_ASKED = """
  d.tenant_id = $1 and d.status = 'dead'
  and ($2::uuid[] is null or d.id = any($2))
  and ($3::text is null or d.reason = $3)
  and ($4::uuid is null or d.destination_id = $4)
  and ($5::text is null or exists (
    select from conversions c
    where c.tenant_id = d.tenant_id and c.id = d.conversion_id and c.gateway = $5))
  and ($6::timestamptz is null or d.settled_at >= $6)
  and ($7::timestamptz is null or d.settled_at < $7)
"""

# Those that a wish is about: what is already in a replay and waits for its turn is not asked for
# twice.
_WANTED = f"{_ASKED} and not d.replay_waits"

# Dead letters, newest first, with the replay that one waits in.
LIST_DEAD = f"""
select d.id, c.gateway, c.transaction, d.event_name, d.event_id, d.event_time, d.reason,
  d.attempts, d.settled_at, case when d.replay_waits then d.replay_id end as replay, t.kind,
  t.pixel_id, d.destination_id, d.receipt_id
from deliveries d
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
join destinations t on t.tenant_id = d.tenant_id and t.id = d.destination_id
where {_ASKED}
order by d.settled_at desc, d.id desc limit $8
"""  # noqa: S608 - a constant's text

# How many dead letters there are.
COUNT_DEAD = "select count(*) as number from deliveries where tenant_id = $1 and status = 'dead'"

# How many of the newest dead letters are of which gateway and reason.
COUNT_NEWEST_DEAD = """
select c.gateway, d.reason, count(*) as number
from (select tenant_id, conversion_id, reason from deliveries
  where tenant_id = $1 and status = 'dead' order by settled_at desc limit $2) d
join conversions c on c.tenant_id = d.tenant_id and c.id = d.conversion_id
group by c.gateway, d.reason order by number desc, c.gateway, d.reason
"""

# Which accounts have dead letters, of which gateway and why; the most first.
LIST_CAUSES_ALL_TENANTS = """
select t.name as tenant, d.gateway, d.reason, count(*) as number, min(d.settled_at) as oldest_at,
  d.tenant_id
from deliveries d join tenants t on t.id = d.tenant_id and t.deleted_at is null
where d.status = 'dead'
group by t.name, d.tenant_id, d.gateway, d.reason
order by number desc, t.name, d.tenant_id, d.gateway, d.reason limit $1
"""

# How deliveries stand that somebody named.
LIST_STATES = """
select id, status, replay_id, replay_waits from deliveries
where tenant_id = $1 and id = any($2::uuid[])
"""

# Where a replay's deliveries go that are not through yet.
LIST_REPLAY_DESTINATIONS = """
select t.id, t.pixel_id, t.disabled_at is not null as disconnected from destinations t
where t.tenant_id = $1 and t.id in (
  select d.destination_id from deliveries d
  where d.tenant_id = $1 and d.replay_id = $2 and (d.replay_waits or d.status = 'pending'))
order by t.created_at, t.id
"""

# Mark those young enough to be sent; count those that are not.
SELECT_FOR_REPLAY = f"""
with wanted as (
  select d.id, d.event_time > $8 as young from deliveries d where {_WANTED} for update
), marked as (
  update deliveries d set replay_id = $9, replay_waits = true
  from wanted w where d.tenant_id = $1 and d.id = w.id and w.young
)
select count(*) filter (where young) as selected, count(*) filter (where not young) as too_old
from wanted
"""  # noqa: S608 - a constant's text

# Give dead letters up for good.
DISCARD = f"""
update deliveries d set status = 'discarded', settled_at = $8 where {_WANTED}
"""  # noqa: S608 - a constant's text

# The same wish, wished before.
FIND_REPLAY_BY_KEY = """
select id, asked, rate from replays where tenant_id = $1 and key = $2
"""

# Until the commit, nobody else wishes under this tenant's key.
LOCK_KEY = "select pg_advisory_xact_lock(hashtextextended('replay:' || $1::uuid || ':' || $2, 0))"

# A new wish.
INSERT_REPLAY = """
insert into replays (tenant_id, id, key, actor, asked, rate, selected, too_old, created_at,
  finished_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# How far a replay is.
FIND_PROGRESS = """
select r.id, r.actor, r.selected, r.too_old, r.rate, r.created_at, r.finished_at,
  count(d.id) filter (where d.replay_waits) as waiting,
  count(d.id) filter (where not d.replay_waits and d.status = 'pending') as under_way,
  count(d.id) filter (where d.status = 'accepted') as accepted,
  count(d.id) filter (where not d.replay_waits and d.status = 'dead') as dead_again,
  count(d.id) filter (where d.status = 'discarded') as discarded
from replays r
left join deliveries d on d.tenant_id = r.tenant_id and d.replay_id = r.id
where r.tenant_id = $1 and r.id = $2
group by r.tenant_id, r.id
"""

# The replay that has waited longest for its turn, locked and skipped by all others.
CLAIM_REPLAY_ALL_TENANTS = """
select tenant_id, id, rate from replays
where finished_at is null and (released_at is null or released_at <= $1)
order by released_at nulls first, created_at limit 1 for update skip locked
"""

# Let some of a replay's dead letters go again, as if they had never been tried.
RELEASE = """
update deliveries d set status = 'pending', reason = null, failed_tries = 0, next_at = $4,
  settled_at = null, replay_waits = false
from (
  select id from deliveries where tenant_id = $1 and replay_id = $2 and replay_waits
  order by id limit $3
) as turn
where d.tenant_id = $1 and d.id = turn.id
returning d.id, d.destination_id
"""

# When a replay released some, and whether it has any left.
UPDATE_REPLAY = """
update replays set released_at = $3, finished_at = $4 where tenant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters; None means any."""

    ids: Sequence[UUID] | None = None
    reason: str | None = None
    destination_id: UUID | None = None
    gateway: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def values(self) -> tuple[object, ...]:
        """Return the statement's parameters."""
        ids = None if self.ids is None else list(self.ids)
        return (ids, self.reason, self.destination_id, self.gateway, self.since, self.until)


@dataclass(frozen=True, slots=True)
class NewReplay:
    """A wish to send dead letters again."""

    tenant_id: UUID
    id: UUID
    key: str
    actor: str
    asked: Mapping[str, object]
    rate: int  # most released a second
    created_at: dt.datetime


async def list_dead(tx: Tx, *, tenant_id: UUID, wanted: Wanted, limit: int) -> Sequence[Row]:
    """Return dead letters, newest first, without personal data."""
    return await tx.fetch(LIST_DEAD, tenant_id, *wanted.values(), limit)


async def count_newest_dead(tx: Tx, *, tenant_id: UUID, limit: int) -> Sequence[Row]:
    """Return how many of so many newest dead letters are of which gateway and reason."""
    return await tx.fetch(COUNT_NEWEST_DEAD, tenant_id, limit)


async def count_dead(tx: Tx, *, tenant_id: UUID) -> int:
    """Return how many dead letters the tenant has."""
    (row,) = await tx.fetch(COUNT_DEAD, tenant_id)
    number: int = row["number"]
    return number


async def list_causes_all_tenants(tx: Tx, *, limit: int) -> Sequence[Row]:
    """Return which tenants have dead letters, of which gateway and why, the most first."""
    return await tx.fetch(LIST_CAUSES_ALL_TENANTS, limit)


async def list_states(tx: Tx, *, tenant_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Return id -> how that delivery stands."""
    return {row["id"]: row for row in await tx.fetch(LIST_STATES, tenant_id, list(ids))}


async def list_replay_destinations(tx: Tx, *, tenant_id: UUID, replay_id: UUID) -> Sequence[Row]:
    """Return the destinations that a replay still has something for."""
    return await tx.fetch(LIST_REPLAY_DESTINATIONS, tenant_id, replay_id)


async def insert_replay(tx: Tx, replay: NewReplay, wanted: Wanted, *, oldest: dt.datetime) -> UUID:
    """Mark what is to be sent again and store the wish; the first one's id for a known key.

    Conflict when the key is known for another wish.
    """
    await tx.execute(LOCK_KEY, replay.tenant_id, replay.key)
    known = await tx.fetch_one(FIND_REPLAY_BY_KEY, replay.tenant_id, replay.key)
    if known is not None:
        if (known["asked"], known["rate"]) != (dict(replay.asked), replay.rate):
            raise Conflict("This key is another replay's. Choose another key, or repeat that wish.")
        found: UUID = known["id"]
        return found
    (counted,) = await tx.fetch(
        SELECT_FOR_REPLAY, replay.tenant_id, *wanted.values(), oldest, replay.id
    )
    await tx.execute(
        INSERT_REPLAY,
        *(replay.tenant_id, replay.id, replay.key, replay.actor, dict(replay.asked), replay.rate),
        *(counted["selected"], counted["too_old"], replay.created_at),
        None if counted["selected"] else replay.created_at,
    )
    return replay.id


async def discard(tx: Tx, *, tenant_id: UUID, wanted: Wanted, now: dt.datetime) -> int:
    """Give dead letters up for good; return how many."""
    return await tx.execute(DISCARD, tenant_id, *wanted.values(), now)


async def find_progress(tx: Tx, *, tenant_id: UUID, replay_id: UUID) -> Row | None:
    """Return how far a replay is."""
    return await tx.fetch_one(FIND_PROGRESS, tenant_id, replay_id)


async def release_all_tenants(
    tx: Tx, *, now: dt.datetime, pause: dt.timedelta
) -> list[QueuedDelivery] | None:
    """Let the next replay's turn go; return what to queue, None when no replay has a turn."""
    replay = await tx.fetch_one(CLAIM_REPLAY_ALL_TENANTS, now - pause)
    if replay is None:
        return None
    tenant_id: UUID = replay["tenant_id"]
    rows = await tx.fetch(RELEASE, tenant_id, replay["id"], replay["rate"], now)
    finished_at = now if len(rows) < replay["rate"] else None
    await tx.execute(UPDATE_REPLAY, tenant_id, replay["id"], now, finished_at)
    return [QueuedDelivery(tenant_id, row["id"], row["destination_id"], now) for row in rows]
