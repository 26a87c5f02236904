"""Tables rollup_*: a tenant's days counted again in another time zone.

All of it is one transaction that sees one moment (`one_moment` comes first), while nobody folds.
"""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.storage.pool import Tx
from trackai.storage.raw_counts import COUNTED
from trackai.storage.recounts import Stretch
from trackai.storage.rollups import ADDED, CHANGED, TABLES

# Every statement after it sees what was there at the first one.
ONE_MOMENT = "set transaction isolation level repeatable read"

# Tenants whose time zone is to change, some of them.
LIST_WANTED_ALL_TENANTS = """
select id, time_zone, next_time_zone from tenants
where next_time_zone is not null and deleted_at is null order by id limit 100
"""

# From now on this is the tenant's time zone.
SET_TIME_ZONE = """
update tenants set time_zone = $2, next_time_zone = null where id = $1 and next_time_zone = $2
"""

# Buckets from a moment on, by table; and weeks, which days add up to.
DELETE_BUCKETS = {
    table: f"delete from {table} where tenant_id = $1 and (at >= $2 or grain = 'week')"  # noqa: S608
    for table in TABLES
}

# The busiest minutes of days from a moment on.
DELETE_PEAKS = "delete from rollup_peaks where tenant_id = $1 and at >= $2"

# What is not folded in yet: it is part of what is counted.
DELETE_CHANGES = {
    changed: f"delete from {changed} where tenant_id = $1 and at >= $2"  # noqa: S608 - as listed
    for changed in CHANGED
}


def _inserted(table: str, columns: str = "counted.*", grouped: str = "") -> str:
    return f"""
with {COUNTED[table]}
insert into {table} as r
select $1, {columns} from counted {grouped}
{ADDED[table]}
"""  # noqa: S608 - as listed


# A stretch of rows, counted, by table; of no week.
INSERT_COUNTED = {
    **{table: _inserted(table) for table in TABLES},
    "rollup_latency": _inserted(
        "rollup_latency",
        "grain, at, stage, gateway, array_agg(bin order by bin),"
        " array_agg(raw_number order by bin)",
        "group by grain, at, stage, gateway",
    ),
}

# The busiest minute of a stretch of rows.
INSERT_PEAKS = """
insert into rollup_peaks as p (tenant_id, at, attempts)
select $1, date_trunc('day', m.at, t.time_zone), max(m.attempts)
from (
  select date_trunc('minute', created_at) as at, count(*) as attempts
  from dispatch_attempts where tenant_id = $1 and created_at >= $2 and created_at < $3 group by 1
) m join tenants t on t.id = $1
group by 2
on conflict (tenant_id, at) do update set attempts = greatest(p.attempts, excluded.attempts)
"""


# Columns that name a bucket's row beside tenant, grain and time, and those that add up, by table.
_SUMMED = {
    "rollup_totals": (
        "r.funnel_id, r.gateway, r.currency",
        (
            "sum(attempts), sum(accepted), sum(dead_letters), sum(sales), sum(matched),"
            " sum(gross_minor), sum(refunded_minor)"
        ),
    ),
    "rollup_sales": (
        "r.funnel_id, r.gateway, r.status, r.strategy, r.currency",
        "sum(sales), sum(gross_minor), sum(refunded_minor)",
    ),
    "rollup_campaigns": (
        "r.funnel_id, r.gateway, r.campaign_id, r.currency",
        (
            "sum(clicks), sum(sales), sum(returning_sales), sum(gross_minor),"
            " sum(refunded_minor), sum(returning_minor)"
        ),
    ),
    "rollup_dispatch": (
        "r.funnel_id, r.gateway, r.destination_id, r.status, r.reason",
        "sum(attempts), sum(deliveries)",
    ),
}


def _gathered(grain: str, at: str, wanted: str) -> dict[str, str]:
    """Statements by table that add buckets that are `wanted` up to others, which begin at `at`."""
    summed = {
        table: f"""
insert into {table}
select r.tenant_id, '{grain}', {at}, {keys}, {sums}
from {table} r join tenants t on t.id = r.tenant_id
where r.tenant_id = $1 and {wanted}
group by r.tenant_id, 3, {keys}
"""  # noqa: S608 - as listed
        for table, (keys, sums) in _SUMMED.items()
    }
    histograms = f"""
insert into rollup_latency
select tenant_id, '{grain}', at, stage, gateway, array_agg(bin order by bin),
  array_agg(number order by bin)
from (
  select r.tenant_id, {at} as at, r.stage, r.gateway, b.bin, sum(b.number)::bigint as number
  from rollup_latency r join tenants t on t.id = r.tenant_id
  cross join lateral unnest(r.bins, r.numbers) b (bin, number)
  where r.tenant_id = $1 and {wanted}
  group by 1, 2, 3, 4, 5
) b
group by 1, 3, 4, 5
"""  # noqa: S608 - as listed
    return {**summed, "rollup_latency": histograms}


# Weeks from days, by table.
INSERT_WEEKS = _gathered("week", "date_trunc('week', r.at, t.time_zone)", "r.grain = 'day'")

# The same day of the calendar in the tenant's zone of now, for a bucket of the zone $3: that which
# most of it is in.
_SAME_DAY = """date_trunc('day', ((r.at + interval '12 hours') at time zone $3)::date::timestamp
  at time zone t.time_zone, t.time_zone)"""

# Days before a moment, to begin when they do in the zone of now. Two may be one then, or one begin
# when another did, so they go by way of weeks, of which there are none meanwhile.
TAKE_DAYS_OUT = _gathered("week", _SAME_DAY, "r.grain = 'day' and r.at < $2")

# The days that were taken out, by table.
DELETE_DAYS = {
    table: f"delete from {table} where tenant_id = $1 and grain = 'day' and at < $2"  # noqa: S608
    for table in TABLES
}

# The days out of those weeks, by table.
PUT_DAYS_BACK = _gathered("day", "r.at", "r.grain = 'week'")

# The weeks that days went by, by table.
DELETE_WEEKS = {
    table: f"delete from {table} where tenant_id = $1 and grain = 'week'"  # noqa: S608 - as listed
    for table in TABLES
}

# The busiest minutes of those days.
MOVE_PEAKS = f"""
with gone as (
  delete from rollup_peaks where tenant_id = $1 and at < $2 returning *
)
select {_SAME_DAY} as at, max(r.attempts) as attempts
from gone r join tenants t on t.id = r.tenant_id group by 1
"""  # noqa: S608 - constants' text

# And where they go.
INSERT_MOVED_PEAKS = """
insert into rollup_peaks (tenant_id, at, attempts)
select $1, said.at, said.attempts
from unnest($2::timestamptz[], $3::bigint[]) as said (at, attempts)
"""


async def one_moment(tx: Tx) -> None:
    """Let all that follows see the same; the first statement of a transaction."""
    await tx.execute(ONE_MOMENT)


async def list_wanted_all_tenants(tx: Tx) -> Sequence[tuple[UUID, str, str]]:
    """Return tenants, their time zone, and the one that is wanted."""
    rows = await tx.fetch(LIST_WANTED_ALL_TENANTS)
    return [(row["id"], row["time_zone"], row["next_time_zone"]) for row in rows]


async def set_time_zone(tx: Tx, *, tenant_id: UUID, zone: str) -> bool:
    """Set a tenant's wanted zone; False when another is wanted by now."""
    return await tx.execute(SET_TIME_ZONE, tenant_id, zone) == 1


async def forget_counts(tx: Tx, *, tenant_id: UUID, since: dt.datetime) -> None:
    """Delete what was counted from a moment on, and all weeks."""
    for statement in (*DELETE_BUCKETS.values(), DELETE_PEAKS, *DELETE_CHANGES.values()):
        await tx.execute(statement, tenant_id, since)


async def move_days(tx: Tx, *, tenant_id: UUID, since: dt.datetime, zone: str) -> None:
    """Let days before a moment, which began when they do in `zone`, begin as they do now.

    Their rows may be gone: each keeps its date and what was counted. There must be no weeks.
    """
    for table in TABLES:
        await tx.execute(TAKE_DAYS_OUT[table], tenant_id, since, zone)
        await tx.execute(DELETE_DAYS[table], tenant_id, since)
        await tx.execute(PUT_DAYS_BACK[table], tenant_id)
        await tx.execute(DELETE_WEEKS[table], tenant_id)
    peaks = await tx.fetch(MOVE_PEAKS, tenant_id, since, zone)
    columns = [[row["at"] for row in peaks], [row["attempts"] for row in peaks]]
    await tx.execute(INSERT_MOVED_PEAKS, tenant_id, *columns)


async def count_again(tx: Tx, stretch: Stretch) -> None:
    """Add the rows of a stretch to their buckets, but to no week: its weeks begin with its end."""
    for statement in INSERT_COUNTED.values():
        await tx.execute(statement, *stretch)
    await count_peaks(tx, *stretch[:3])


async def count_peaks(tx: Tx, tenant_id: UUID, start: dt.datetime, end: dt.datetime) -> None:
    """Note the busiest minute of each day of a stretch, from its rows."""
    await tx.execute(INSERT_PEAKS, tenant_id, start, end)


async def add_weeks(tx: Tx, *, tenant_id: UUID) -> None:
    """Add days up to weeks."""
    for statement in INSERT_WEEKS.values():
        await tx.execute(statement, tenant_id)
