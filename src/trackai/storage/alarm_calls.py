"""Table alarm_calls, the outbox: what is to be said to routes, an incident's deeds in order."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from trackai.model.alarm import REAL, Deed
from trackai.storage.pool import Row, Tx, columns

# New ones, due at once.
INSERT_CALLS_ALL_TENANTS = """
insert into alarm_calls (drill, made_at, run_at, state, tenant_id, id, route_id, deed, key, alarm,
  details)
select $1, $2, $2, 'waiting', * from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
  $7::text[], $8::text[], $9::jsonb[])
"""

# Some that are due, ours for a while. Of one incident and route only the first that waits. What a
# newer release says and this one does not know waits for a worker of that release; what goes by a
# kind of route that this process has no means for is left to the others until $8. First those of
# the installation, then of tenants in turn: nobody waits for another's many that nobody answers.
CLAIM_CALLS_ALL_TENANTS = """
update alarm_calls c set run_at = $3, attempts = c.attempts + 1
from (
  select w.tenant_id, w.id
  from alarm_calls w
  join (
    select o.tenant_id, o.id,
      row_number() over (partition by o.tenant_id order by o.run_at, o.made_at, o.id) as turn
    from alarm_calls o where o.drill = $1 and o.run_at <= $2
  ) q on q.tenant_id = w.tenant_id and q.id = w.id
  left join alarm_routes r on r.tenant_id = w.tenant_id and r.id = w.route_id
  where w.drill = $1 and w.run_at <= $2 and w.deed = any($5)
    and ($6::text[] is null or w.alarm = any($6))
    and ($7::text[] is null or r.kind is null or r.kind = any($7) or w.run_at <= $8)
    and not exists (
    select from alarm_calls before
    where before.tenant_id = w.tenant_id and before.key = w.key and before.drill = w.drill
      and before.route_id = w.route_id and before.run_at is not null
      and (before.made_at, before.id) < (w.made_at, w.id))
  order by w.tenant_id <> '00000000-0000-0000-0000-000000000001', q.turn, w.run_at, w.made_at, w.id
  limit $4 for update of w skip locked
) due
where c.tenant_id = due.tenant_id and c.id = due.id
returning c.tenant_id, c.id, c.route_id, c.deed, c.key, c.alarm, c.details, c.made_at, c.attempts
"""

# How a try ended.
SETTLE_CALL = """
update alarm_calls set run_at = $3, state = $4, reason = $5, ended_at = $6
where tenant_id = $1 and id = $2
"""

# Whoever never heard that it began hears no more of this incident; the next one begins anew.
END_UNTOLD = """
update alarm_calls c set run_at = null, state = 'dead', reason = 'never_told', ended_at = $3
from alarm_calls lost
where lost.tenant_id = $1 and lost.id = $2 and c.tenant_id = $1 and c.route_id = lost.route_id
  and c.key = lost.key and c.drill = lost.drill and c.run_at is not null and c.deed <> 'trigger'
  and (c.made_at, c.id) > (lost.made_at, lost.id) and not exists (
    select from alarm_calls next
    where next.tenant_id = $1 and next.route_id = c.route_id and next.key = c.key
      and next.drill = c.drill and next.deed = 'trigger'
      and (next.made_at, next.id) > (lost.made_at, lost.id)
      and (next.made_at, next.id) < (c.made_at, c.id))
"""

# Which routes were told that these began, each since its own moment, or will be; and what of, for
# what is disconnected meanwhile has no name any more. Who never was told is told of no end: the
# all-clear of calls_lost would be lost by the same route, and fire it again.
LIST_TOLD_ALL_TENANTS = """
select distinct on (c.tenant_id, c.route_id, c.key) c.tenant_id, c.route_id, c.key,
  coalesce(c.details ->> 'subject', '') as subject
from unnest($2::text[], $3::timestamptz[]) as asked (key, since)
join alarm_calls c on c.key = asked.key and c.made_at >= asked.since
where c.drill = $1 and c.deed = 'trigger' and c.state <> 'dead'
order by c.tenant_id, c.route_id, c.key, c.made_at desc
"""

# The newest, everybody's or one owner's, with what the route is or was called.
LIST_CALLS_ALL_TENANTS = """
select c.tenant_id, c.id, c.route_id, r.name as route, c.deed, c.key, c.alarm, c.made_at,
  c.attempts, c.state, c.reason, c.ended_at
from alarm_calls c left join alarm_routes r on r.tenant_id = c.tenant_id and r.id = c.route_id
where c.drill = $1 and ($2::uuid is null or c.tenant_id = $2)
order by c.made_at desc, c.id desc limit $3
"""

# How the newest call by each of a tenant's routes went.
LIST_LATEST_CALLS = """
select distinct on (route_id) route_id, made_at, state, reason from alarm_calls
where tenant_id = $1 and drill = $2 order by route_id, made_at desc, id desc
"""

# Letters that no process could send, for want of a mail server, since a moment.
COUNT_UNMAILED_ALL_TENANTS = """
select count(*) as number from alarm_calls
where drill = $1 and made_at > $2 and reason = 'mail_not_set_up'
"""

# Those that are over, and those that nobody makes any more: of a drill that was killed, of a
# release that is gone.
DELETE_OLD_ALL_TENANTS = "delete from alarm_calls where made_at < $1"

# A drill's.
DELETE_DRILL_ALL_TENANTS = "delete from alarm_calls where drill = $1 and drill <> $2"


# A process that cannot send by a kind of route leaves its calls to the others for so long: a worker
# looks every few seconds, and is started anew in less.
LEFT_FOR = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Means:
    """What a process knows how to say, and by which kinds of routes it can."""

    alarms: Collection[str]
    kinds: Collection[str]


@dataclass(frozen=True, slots=True)
class NewCall:
    """What is to be said to a route; `details` hold no personal data and no secret."""

    tenant_id: UUID
    id: UUID
    route_id: UUID
    deed: Deed
    key: str
    alarm: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToldOf:
    """A route that was told that an incident began, and what of."""

    tenant_id: UUID
    route_id: UUID
    key: str
    subject: str  # as people were told it


@dataclass(frozen=True, slots=True)
class DueCall:
    """A call that is being made."""

    tenant_id: UUID
    id: UUID
    route_id: UUID
    deed: Deed
    key: str
    alarm: str
    details: Mapping[str, Any]
    made_at: dt.datetime
    attempts: int  # with this one


async def insert_calls_all_tenants(
    tx: Tx, calls: Sequence[NewCall], *, now: dt.datetime, drill: UUID = REAL
) -> None:
    """Store calls that are to be made."""
    rows = [
        (one.tenant_id, one.id, one.route_id, one.deed.value, one.key, one.alarm, one.details)
        for one in calls
    ]
    if rows:
        await tx.execute(INSERT_CALLS_ALL_TENANTS, drill, now, *columns(rows))


async def claim_calls_all_tenants(
    tx: Tx,
    *,
    now: dt.datetime,
    until: dt.datetime,
    limit: int,
    means: Means | None = None,
    drill: UUID = REAL,
) -> list[DueCall]:
    """Take calls that are due; whoever dies over them gives them back at `until`.

    What they ask for is one of our deeds in any case.
    """
    deeds, alarms = [one.value for one in Deed], [*means.alarms] if means else None
    kinds = [*means.kinds] if means else None
    rows = await tx.fetch(
        *(CLAIM_CALLS_ALL_TENANTS, drill, now, until, limit, deeds, alarms, kinds, now - LEFT_FOR)
    )
    return [DueCall(**(dict(row) | {"deed": Deed(row["deed"])})) for row in rows]


async def settle_call(
    tx: Tx, call: DueCall, *, reason: str | None, again_at: dt.datetime | None, now: dt.datetime
) -> None:
    """Store how a try ended: without a reason it went; with one it goes again, or never."""
    state = "sent" if reason is None else "waiting" if again_at else "dead"
    ended_at = None if again_at else now
    await tx.execute(SETTLE_CALL, call.tenant_id, call.id, again_at, state, reason, ended_at)
    if state == "dead" and call.deed is Deed.TRIGGER:
        await tx.execute(END_UNTOLD, call.tenant_id, call.id, now)


async def list_told_all_tenants(
    tx: Tx, since: Mapping[str, dt.datetime], *, drill: UUID = REAL
) -> list[ToldOf]:
    """Return those who were told that one of these keys began, since then.

    A key is used again by the next incident of its subject.
    """
    rows = await tx.fetch(LIST_TOLD_ALL_TENANTS, drill, list(since), list(since.values()))
    return [ToldOf(**dict(row)) for row in rows]


async def list_calls_all_tenants(
    tx: Tx, *, tenant_id: UUID | None = None, limit: int, drill: UUID = REAL
) -> Sequence[Row]:
    """Return the newest calls, of all or of one owner of routes."""
    return await tx.fetch(LIST_CALLS_ALL_TENANTS, drill, tenant_id, limit)


async def count_unmailed_all_tenants(tx: Tx, *, since: dt.datetime) -> int:
    """Return how many letters found no process with a mail server, of those made since then."""
    (row,) = await tx.fetch(COUNT_UNMAILED_ALL_TENANTS, REAL, since)
    number: int = row["number"]
    return number


async def list_latest_calls(tx: Tx, *, tenant_id: UUID) -> dict[UUID, Row]:
    """Return route -> how the newest call by it went."""
    rows = await tx.fetch(LIST_LATEST_CALLS, tenant_id, REAL)
    return {row["route_id"]: row for row in rows}


async def delete_old_all_tenants(tx: Tx, *, before: dt.datetime) -> int:
    """Delete calls from before a moment; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, before)


async def delete_drill_all_tenants(tx: Tx, *, drill: UUID) -> None:
    """Delete a drill's calls."""
    await tx.execute(DELETE_DRILL_ALL_TENANTS, drill, REAL)
