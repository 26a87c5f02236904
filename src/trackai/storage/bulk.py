"""Filling tables by COPY, for a database that holds made-up rows only. As the tables' owner.

COPY does not go through row-level security: rows go into a table of the transaction's own first,
and tries straight into their partition, past the triggers that count; so they are counted here.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.partitions import list_partitions
from trackai.storage.pool import Tx
from trackai.storage.rezoning import count_peaks
from trackai.storage.rollups import ADDED, TOGETHER

# Tables that are filled through one of the transaction's own.
STAGED = ("clicks", "conversions", "matches", "deliveries")
ATTEMPTS = "dispatch_attempts"

# A crash may lose the last rows: they can be loaded again.
NOT_DURABLE = "set local synchronous_commit = off"

# Who folds meanwhile would hold buckets that are wanted here, and want some that are held.
LOCK_FOLDING_OUT = "select pg_advisory_xact_lock_shared(hashtext('trackai fold'))"

# Two days of a tenant end up in one week's bucket: they are counted one after the other.
LOCK_COUNTS = "select pg_advisory_xact_lock(hashtextextended($1::text, 0))"

# As many columns as the table has, and no constraint but the defaults.
MAKE_STAGE = {
    table: f"create temporary table staged_{table} (like {table} including defaults) on commit drop"
    for table in STAGED
}

# What an ad's address says.
INSERT_CAMPAIGNS = """
insert into campaigns (tenant_id, id, source, medium, campaign, content)
select $1, trackai_campaign_id(source, medium, campaign, content), ad.*
from unnest($2::text[], $3::text[], $4::text[], $5::text[])
  as ad (source, medium, campaign, content)
on conflict do nothing
"""

# A tenant's ads.
LIST_CAMPAIGNS = "select id, source, medium, campaign, content from campaigns where tenant_id = $1"

# The grains of an hour and more, from hours, of a stretch of tries that nobody has counted; minutes
# too, of the last two days and an hour.
_GRAINS = """(values ('hour'), ('day'), ('week'), ('minute')) g (grain)
  where g.grain <> 'minute' or c.at > now() - interval '49 hours'"""
_AT = """date_trunc(
      case when a.created_at > now() - interval '49 hours' then 'minute' else 'hour' end,
      a.created_at, t.time_zone) as at, t.time_zone"""
_OF_DAY = """from dispatch_attempts a join tenants t on t.id = a.tenant_id
  where a.tenant_id = $1 and a.created_at >= $2 and a.created_at < $3
    and day between ($2 at time zone 'UTC')::date and ($3 at time zone 'UTC')::date"""
COUNT_DISPATCH = f"""
with facts as materialized (
  select {_AT}, funnel_id, gateway, destination_id, status,
    coalesce(reason, '') as reason, count(*) as attempts
  {_OF_DAY}
  group by 1, 2, 3, 4, 5, 6, 7
), totals as (
  insert into rollup_totals as r
  select $1, g.grain, date_trunc(g.grain, c.at, c.time_zone), {TOGETHER}, '', sum(attempts),
    coalesce(sum(attempts) filter (where status = 'accepted'), 0), 0, 0, 0, 0, 0
  from facts c cross join {_GRAINS}
  group by 2, 3, cube (funnel_id, gateway)
  {ADDED["rollup_totals"]}
)
insert into rollup_dispatch as r
select $1, g.grain, date_trunc(g.grain, c.at, c.time_zone), funnel_id, gateway, destination_id,
  status, reason, sum(attempts), 0
from facts c cross join {_GRAINS}
group by 2, 3, 4, 5, 6, 7, 8
{ADDED["rollup_dispatch"]}
"""  # noqa: S608 - constants' text
# Stages as trackai_stages tells them, all tries' of a stage after the other: twice as fast.
COUNT_LATENCY = f"""
with tries as materialized (
  select {_AT}, a.gateway, a.status = 'accepted' as accepted,
    a.received_at, a.owed_at, a.created_at, a.duration_ms
  {_OF_DAY}
), stages as (
  select at, time_zone, gateway, 'call' as stage, duration_ms::double precision as ms from tries
  union all
  select at, time_zone, gateway, 'match', date_part('epoch', owed_at - received_at) * 1000
  from tries where accepted
  union all
  select at, time_zone, gateway, 'wait',
    date_part('epoch', created_at - owed_at) * 1000 - duration_ms
  from tries where accepted
  union all
  select at, time_zone, gateway, 'whole', date_part('epoch', created_at - received_at) * 1000
  from tries where accepted
), facts as materialized (
  select at, time_zone, stage, gateway, trackai_latency_bin(ms) as bin, count(*) as number
  from stages group by 1, 2, 3, 4, 5
)
insert into rollup_latency as r
select $1, grain, at, stage, gateway, array_agg(bin order by bin), array_agg(number order by bin)
from (
  select g.grain, date_trunc(g.grain, c.at, c.time_zone) as at, stage,
    coalesce(gateway, '') as gateway, bin, sum(number)::bigint as number
  from facts c cross join {_GRAINS}
  group by 1, 2, 3, 5, rollup (c.gateway)
) b
group by 2, 3, 4, 5
{ADDED["rollup_latency"]}
"""  # noqa: S608 - constants' text

# What the planner knows of tables that were just filled.
ANALYZE = "analyze"


class TenantDay(NamedTuple):
    """A tenant's day, in UTC, and how long the tenant keeps its rows."""

    tenant_id: UUID
    day: dt.date
    keep_days: int


async def relax(tx: Tx) -> None:
    """Do not wait for the disk at this transaction's end."""
    await tx.execute(NOT_DURABLE)


async def name_ads(
    tx: Tx, ads: Iterable[tuple[str, str, str, str]], *, tenant_id: UUID
) -> list[tuple[UUID, str, str, str, str]]:
    """Store ads by source, medium, campaign and content; return the tenant's, id first."""
    await tx.execute(
        INSERT_CAMPAIGNS, tenant_id, *(list(column) for column in zip(*ads, strict=True))
    )
    rows = await tx.fetch(LIST_CAMPAIGNS, tenant_id)
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


async def copy_staged(
    tx: Tx, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> int:
    """Add rows to one of STAGED, whose triggers count them; return how many."""
    await tx.execute(MAKE_STAGE[table])
    await tx.copy(f"staged_{table}", columns, rows)
    listed = ", ".join(columns)
    return await tx.execute(
        f"insert into {table} ({listed}) select {listed} from staged_{table}"  # noqa: S608 - names
    )


async def copy_attempts(
    tx: Tx, columns: Sequence[str], rows: Sequence[Sequence[object]], *, of: TenantDay
) -> int:
    """Add all tries of a tenant's day, which has none yet, and count them; return how many."""
    starts = [
        part.starts
        for part in await list_partitions(tx)
        if part.bulk == ATTEMPTS and part.keep_days == of.keep_days and part.starts <= of.day
    ]
    name = f"{max(starts):%Y%m%d}" if starts else "rest"
    number = await tx.copy(f"{ATTEMPTS}_{of.keep_days}_{name}", columns, rows)
    since = dt.datetime.combine(of.day, dt.time(), dt.UTC)
    await tx.execute(LOCK_FOLDING_OUT)
    await tx.execute(LOCK_COUNTS, f"counts of {of.tenant_id}")
    for statement in (COUNT_DISPATCH, COUNT_LATENCY):
        await tx.execute(statement, of.tenant_id, since, since + dt.timedelta(days=1))
    # Of days whose minutes are not kept, rows alone know the busiest.
    await count_peaks(tx, of.tenant_id, since, since + dt.timedelta(days=1))
    return number


async def analyze(tx: Tx) -> None:
    """Let the planner look at all tables."""
    await tx.execute(ANALYZE)
