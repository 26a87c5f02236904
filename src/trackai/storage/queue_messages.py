"""Table queue_messages: the embedded queue. A message only names the delivery to look at next.

A claim moves `run_at` to the lease's end: a worker that dies gives its messages back by doing
nothing. A message is settled only by the lease that claimed it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx, columns

# A delivery to look at from this time on. Who still holds a message of an earlier end of it has
# nothing more to say: its lease is over.
ENQUEUE = """
insert into queue_messages (tenant_id, delivery_id, destination_id, run_at)
select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[])
on conflict (tenant_id, delivery_id) do update set run_at = excluded.run_at, lease = null
"""

# Wake the workers that wait for deliveries.
NOTIFY_DELIVERIES = "select pg_notify('trackai_deliveries', '')"

# `waiting`: the destinations of all messages. It walks the index from one to the next, however many
# messages each has.
WAITING = """waiting as (
  (select tenant_id, destination_id from queue_messages order by destination_id limit 1)
  union all
  select following.* from waiting w cross join lateral (
    select q.tenant_id, q.destination_id from queue_messages q
    where q.destination_id > w.destination_id order by q.destination_id limit 1
  ) as following
)"""

# Take what is ready and lease it: of at most $4 destinations, whichever, the $5 oldest messages
# each. A destination's flood is then its own. Those in $6 and those whose breaker holds are passed
# over.
CLAIM_ALL_TENANTS = f"""
with recursive {WAITING}, chosen as (
  select w.destination_id
  from waiting w
  left join breakers b on b.tenant_id = w.tenant_id and b.destination_id = w.destination_id
  where w.destination_id <> all($6::uuid[])
    and (b.state is null or b.state = 'closed' or b.retry_at <= $1)
    and (b.paused_until is null or b.paused_until <= $1)
    and exists (
      select from queue_messages q where q.destination_id = w.destination_id and q.run_at <= $1
    )
  order by random() limit $4
), ready as (
  select oldest.* from chosen c cross join lateral (
    select q.tenant_id, q.delivery_id from queue_messages q
    where q.destination_id = c.destination_id and q.run_at <= $1
    order by q.run_at limit $5 for update skip locked
  ) as oldest
)
update queue_messages q set run_at = $2, lease = $3, receives = receives + 1
from ready
where q.tenant_id = ready.tenant_id and q.delivery_id = ready.delivery_id
returning q.tenant_id, q.delivery_id, q.destination_id, q.receives
"""  # noqa: S608 - a constant

# Keep messages for longer: only while the lease is still ours.
EXTEND_ALL_TENANTS = """
update queue_messages q set run_at = $4
from unnest($1::uuid[], $2::uuid[]) as held (tenant_id, delivery_id)
where q.tenant_id = held.tenant_id and q.delivery_id = held.delivery_id and q.lease = $3
"""

# Take messages that another engine handed out: those still under the lease that it was told of,
# or under one that has run out. Handing out has counted the receive. One statement touches a row
# once, whoever names it twice.
CLAIM_NAMED_ALL_TENANTS = """
update queue_messages q set run_at = $4, lease = $5
from (
  select distinct tenant_id, delivery_id, lease
  from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as named (tenant_id, delivery_id, lease)
) as named
where q.tenant_id = named.tenant_id and q.delivery_id = named.delivery_id
  and (q.lease = named.lease or (q.lease is not null and q.run_at <= $6))
returning q.tenant_id, q.delivery_id, q.destination_id, q.receives
"""

# Destinations that have as many messages handed out or leased.
LIST_CROWDED_ALL_TENANTS = """
select destination_id from queue_messages where lease is not null and run_at > $1
group by destination_id having count(*) >= $2
"""

# Done with: only while the lease is still ours.
ACKNOWLEDGE_ALL_TENANTS = """
delete from queue_messages q using unnest($1::uuid[], $2::uuid[]) as done (tenant_id, delivery_id)
where q.tenant_id = done.tenant_id and q.delivery_id = done.delivery_id and q.lease = $3
"""

# What another engine gave up on: messages that no worker ever took over are given back...
GIVE_BACK_ALL_TENANTS = """
update queue_messages q set run_at = $4, lease = null
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as named (tenant_id, delivery_id, lease)
where q.tenant_id = named.tenant_id and q.delivery_id = named.delivery_id
  and q.lease = named.lease
"""

# ... and those that workers took over and never finished are done with.
ABANDON_ALL_TENANTS = """
delete from queue_messages q
using unnest($1::uuid[], $2::uuid[], $3::uuid[]) as named (tenant_id, delivery_id, lease)
where q.tenant_id = named.tenant_id and q.delivery_id = named.delivery_id
  and q.lease <> named.lease and q.run_at <= $4
returning q.tenant_id, q.delivery_id
"""

# Look again at the given time: only while the lease is still ours.
POSTPONE_ALL_TENANTS = """
update queue_messages q set run_at = later.run_at, lease = null
from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as later (tenant_id, delivery_id, run_at)
where q.tenant_id = later.tenant_id and q.delivery_id = later.delivery_id and q.lease = $4
"""

# Do not wait any longer with messages that nobody has claimed yet.
HASTEN = """
update queue_messages set run_at = least(run_at, $3)
where tenant_id = $1 and delivery_id = any($2::uuid[]) and lease is null and receives = 0
"""

# Do not wait any longer with a destination's messages.
HASTEN_DESTINATION = """
update queue_messages set run_at = least(run_at, $3)
where tenant_id = $1 and destination_id = $2 and lease is null
"""

# How many messages wait, how many of them are due, and since when the oldest is due.
DEPTH_ALL_TENANTS = """
select count(*) as waiting, count(*) filter (where run_at <= $1) as due,
  min(run_at) filter (where run_at <= $1) as oldest_due
from queue_messages
"""

# What waits for one tenant, counted up to a bound.
COUNT_WAITING = """
select count(*) as number, min(nullif(run_at, 'infinity')) as oldest from (
  select run_at from queue_messages where tenant_id = $1 limit $2
) first
"""
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class QueuedDelivery:
    """A delivery to look at from `run_at` on."""

    tenant_id: UUID
    delivery_id: UUID
    destination_id: UUID
    run_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that is ours until the lease ends; `receives` counts claims, this one too."""

    tenant_id: UUID
    delivery_id: UUID
    destination_id: UUID
    receives: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in the queue for one tenant, and since when the oldest is or will be due.

    What is held for a flag waits, but is not due at any time.
    """

    number: int
    oldest: dt.datetime | None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What waits in the queue."""

    waiting: int
    due: int
    oldest_due: dt.datetime | None


async def enqueue(tx: Tx, messages: Sequence[QueuedDelivery]) -> None:
    """Add messages, visible with this transaction's commit, and wake the workers."""
    rows = [(m.tenant_id, m.delivery_id, m.destination_id, m.run_at) for m in messages]
    await tx.execute(ENQUEUE, *columns(rows))
    await tx.fetch(NOTIFY_DELIVERIES)


@dataclass(frozen=True, slots=True)
class Share:
    """How much one claim may take."""

    destinations: int  # most of them at once
    each: int  # most messages of one of them
    without: Sequence[UUID] = ()  # destinations to pass over


async def claim_all_tenants(
    tx: Tx, *, now: dt.datetime, lease: UUID, lease_until: dt.datetime, share: Share
) -> list[ClaimedDelivery]:
    """Lease ready messages, of each destination the oldest."""
    rows = await tx.fetch(
        CLAIM_ALL_TENANTS,
        *(now, lease_until, lease),
        *(share.destinations, share.each, list(share.without)),
    )
    return [ClaimedDelivery(**dict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class Named:
    """A message as another engine names it, and the lease it was handed out under."""

    tenant_id: UUID
    delivery_id: UUID
    lease: UUID


async def claim_named_all_tenants(
    tx: Tx, named: Sequence[Named], *, lease: UUID, lease_until: dt.datetime, run_out: dt.datetime
) -> list[ClaimedDelivery]:
    """Take over messages that are still as they were handed out, or whose lease has run out."""
    if not named:
        return []
    rows = await tx.fetch(
        CLAIM_NAMED_ALL_TENANTS, *columns(_keys(named)), lease_until, lease, run_out
    )
    return [ClaimedDelivery(**dict(row)) for row in rows]


async def list_crowded_all_tenants(tx: Tx, *, now: dt.datetime, most: int) -> list[UUID]:
    """Return destinations that have this many messages handed out."""
    rows = await tx.fetch(LIST_CROWDED_ALL_TENANTS, now, most)
    return [row["destination_id"] for row in rows]


async def extend_all_tenants(
    tx: Tx, keys: Sequence[tuple[UUID, UUID]], *, lease: UUID, until: dt.datetime
) -> int:
    """Keep (tenant, delivery) messages of this lease until then; return how many were ours."""
    return await tx.execute(EXTEND_ALL_TENANTS, *columns(sorted(keys)), lease, until)


async def acknowledge_all_tenants(tx: Tx, keys: Sequence[tuple[UUID, UUID]], *, lease: UUID) -> int:
    """Remove (tenant, delivery) messages that this lease holds; return how many were ours."""
    return await tx.execute(ACKNOWLEDGE_ALL_TENANTS, *columns(sorted(keys)), lease)


async def postpone_all_tenants(
    tx: Tx, rows: Sequence[tuple[UUID, UUID, dt.datetime]], *, lease: UUID
) -> int:
    """Give (tenant, delivery, run_at) messages back until then; return how many were ours."""
    return await tx.execute(POSTPONE_ALL_TENANTS, *columns(sorted(rows)), lease)


async def give_back_all_tenants(tx: Tx, named: Sequence[Named], *, now: dt.datetime) -> int:
    """Make messages due again that are still as they were handed out; return how many were."""
    return await tx.execute(GIVE_BACK_ALL_TENANTS, *columns(_keys(named)), now) if named else 0


async def abandon_all_tenants(
    tx: Tx, named: Sequence[Named], *, run_out: dt.datetime
) -> list[tuple[UUID, UUID]]:
    """Remove messages that were taken over, and whose lease has run out; return their keys.

    A message that waits for its time, or that somebody works on, stays.
    """
    if not named:
        return []
    rows = await tx.fetch(ABANDON_ALL_TENANTS, *columns(_keys(named)), run_out)
    return [(row["tenant_id"], row["delivery_id"]) for row in rows]


async def hasten(
    tx: Tx, *, tenant_id: UUID, delivery_ids: Sequence[UUID], now: dt.datetime
) -> None:
    """Make messages that nobody has claimed yet due now, and wake the workers."""
    await tx.execute(HASTEN, tenant_id, list(delivery_ids), now)
    await tx.fetch(NOTIFY_DELIVERIES)


async def hasten_destination(
    tx: Tx, *, tenant_id: UUID, destination_id: UUID, now: dt.datetime
) -> None:
    """Make a destination's waiting messages due now, and wake the workers."""
    await tx.execute(HASTEN_DESTINATION, tenant_id, destination_id, now)
    await tx.fetch(NOTIFY_DELIVERIES)


def _keys(named: Sequence[Named]) -> list[tuple[UUID, UUID, UUID]]:
    return sorted({(one.tenant_id, one.delivery_id, one.lease) for one in named})


async def waiting_of(tx: Tx, *, tenant_id: UUID) -> Waiting:
    """Return what waits for a tenant in the embedded queue; MOST_WAITING means at least so much."""
    (row,) = await tx.fetch(COUNT_WAITING, tenant_id, MOST_WAITING)
    return Waiting(**dict(row))


async def depth_all_tenants(tx: Tx, *, now: dt.datetime) -> QueueDepth:
    """Return what waits in the queue."""
    row = await tx.fetch_one(DEPTH_ALL_TENANTS, now)
    return QueueDepth(**dict(row)) if row else QueueDepth(0, 0, None)
