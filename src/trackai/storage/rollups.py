"""Tables rollup_*: their upkeep.

Whatever changes a count writes so into changed_* (triggers of revisions 0014 and 0016). Here that
is folded in, and what time does to counts.
"""

import datetime as dt

from trackai.storage.pool import Tx

TABLES = ("rollup_totals", "rollup_sales", "rollup_campaigns", "rollup_dispatch", "rollup_latency")

# One folds at a time; whoever else comes leaves it to them.
TRY_LOCK_ALL_TENANTS = "select pg_try_advisory_xact_lock(hashtext('trackai fold')) as mine"

# The same, waiting for whoever folds, and for as long as it takes.
LOCK_ALL_TENANTS = """
select pg_advisory_xact_lock(hashtext('trackai fold')),
  set_config('idle_in_transaction_session_timeout', '0', true)
"""

# Changes in each bucket that they belong to. Of deleted tenants none: their buckets go, and what is
# deleted with them would be counted into new ones behind the job's back.
_SPREAD = """
  from taken c join tenants t on t.id = c.tenant_id and t.deleted_at is null
  cross join (values ('week'), ('day'), ('hour'), ('minute')) g (grain)
  where (g.grain <> 'minute' or c.at > now() - interval '49 hours')
"""


def _fold(changed: str, *inserts: str) -> str:
    folded = ", ".join(f"folded_{number} as ({one})" for number, one in enumerate(inserts))
    return f"""
with taken as (
  delete from {changed} where ctid = any(array(select ctid from {changed} limit $1)) returning *
), {folded}
select count(*) as number from taken
"""  # noqa: S608 - as listed


# What ends an insert into a rollup, named r: it is added to what is there.
ADDED = {
    "rollup_totals": """
  on conflict (tenant_id, grain, at, funnel_id, gateway, currency)
  do update set attempts = r.attempts + excluded.attempts,
    accepted = r.accepted + excluded.accepted,
    dead_letters = r.dead_letters + excluded.dead_letters,
    sales = r.sales + excluded.sales, matched = r.matched + excluded.matched,
    gross_minor = r.gross_minor + excluded.gross_minor,
    refunded_minor = r.refunded_minor + excluded.refunded_minor
""",
    "rollup_sales": """
  on conflict (tenant_id, grain, at, funnel_id, gateway, status, strategy, currency)
  do update set sales = r.sales + excluded.sales,
    gross_minor = r.gross_minor + excluded.gross_minor,
    refunded_minor = r.refunded_minor + excluded.refunded_minor
""",
    "rollup_campaigns": """
  on conflict (tenant_id, grain, at, funnel_id, gateway, campaign_id, currency)
  do update set clicks = r.clicks + excluded.clicks, sales = r.sales + excluded.sales,
    returning_sales = r.returning_sales + excluded.returning_sales,
    gross_minor = r.gross_minor + excluded.gross_minor,
    refunded_minor = r.refunded_minor + excluded.refunded_minor,
    returning_minor = r.returning_minor + excluded.returning_minor
""",
    "rollup_dispatch": """
  on conflict (tenant_id, grain, at, funnel_id, gateway, destination_id, status, reason)
  do update set attempts = r.attempts + excluded.attempts,
    deliveries = r.deliveries + excluded.deliveries
""",
    "rollup_latency": """
  on conflict (tenant_id, grain, at, stage, gateway)
  do update set (bins, numbers) = (
    select bins_sum, numbers_sum
    from trackai_add_bins(r.bins, r.numbers, excluded.bins, excluded.numbers))
""",
}

# Of rollup_totals: all funnels together are zeros, all gateways ''.
ALL_FUNNELS = "'00000000-0000-0000-0000-000000000000'"
TOGETHER = f"""coalesce(c.funnel_id, {ALL_FUNNELS}) as funnel_id,
    coalesce(c.gateway, '') as gateway"""


def _binned(stage: str, bin_: str, number: str, wanted: str) -> str:
    """Bins of changes, one row a bucket and gateway, and one for all gateways."""
    return f"""
  select b.tenant_id, b.grain, b.at, b.stage, b.gateway, array_agg(b.bin order by b.bin),
    array_agg(b.number order by b.bin)
  from (
    select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone) as at, {stage} as stage,
      coalesce(c.gateway, '') as gateway, {bin_} as bin, sum({number})::bigint as number
    {_SPREAD} and {wanted}
    group by 1, 2, 3, 4, 6, rollup (c.gateway) having sum({number}) <> 0
  ) b
  group by 1, 2, 3, 4, 5
  {ADDED["rollup_latency"]}
"""  # noqa: S608 - as listed


# Some changes, added to the buckets of every grain, by the table of changes. Sales are counted by
# how they stand; those that were ever paid by their ad, and by the time since the click.
FOLD_ALL_TENANTS = {
    "changed_sales": _fold(
        "changed_sales",
        f"""
  insert into rollup_totals as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), {TOGETHER}, c.currency,
    0, 0, 0, sum(c.sales), coalesce(sum(c.sales) filter (where c.strategy <> 'unmatched'), 0),
    sum(c.gross_minor), sum(c.refunded_minor)
  {_SPREAD} and trackai_was_paid(c.status)
  group by 1, 2, 3, 6, cube (c.funnel_id, c.gateway)
  {ADDED["rollup_totals"]}
""",
        f"""
  insert into rollup_sales as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
    c.status, c.strategy, c.currency, sum(c.sales), sum(c.gross_minor), sum(c.refunded_minor)
  {_SPREAD}
  group by 1, 2, 3, 4, 5, 6, 7, 8
  having sum(c.sales) <> 0 or sum(c.gross_minor) <> 0 or sum(c.refunded_minor) <> 0
  {ADDED["rollup_sales"]}
""",
        f"""
  insert into rollup_campaigns as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
    c.campaign_id, c.currency, 0, sum(c.sales),
    coalesce(sum(c.sales) filter (where c.bought_before), 0),
    sum(c.gross_minor), sum(c.refunded_minor),
    coalesce(sum(c.gross_minor - c.refunded_minor) filter (where c.bought_before), 0)
  {_SPREAD} and trackai_was_paid(c.status)
  group by 1, 2, 3, 4, 5, 6, 7
  having sum(c.sales) <> 0 or sum(c.gross_minor) <> 0 or sum(c.refunded_minor) <> 0
    or bool_or(c.bought_before)
  {ADDED["rollup_campaigns"]}
""",
        f"""
  insert into rollup_latency as r
  {
            _binned(
                "'click_to_sale'",
                "c.click_bin",
                "c.sales",
                "trackai_was_paid(c.status) and c.click_bin is not null",
            )
        }
""",
    ),
    "changed_clicks": _fold(
        "changed_clicks",
        f"""
  insert into rollup_campaigns as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, '',
    c.campaign_id, '', sum(c.clicks), 0, 0, 0, 0, 0
  {_SPREAD}
  group by 1, 2, 3, 4, 5, 6, 7
  {ADDED["rollup_campaigns"]}
""",
    ),
    "changed_dispatch": _fold(
        "changed_dispatch",
        f"""
  insert into rollup_totals as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), {TOGETHER}, '',
    sum(c.attempts), coalesce(sum(c.attempts) filter (where c.status = 'accepted'), 0),
    coalesce(sum(c.deliveries) filter (where c.status = 'dead'), 0), 0, 0, 0, 0
  {_SPREAD}
  group by 1, 2, 3, cube (c.funnel_id, c.gateway)
  {ADDED["rollup_totals"]}
""",
        f"""
  insert into rollup_dispatch as r
  select c.tenant_id, g.grain, date_trunc(g.grain, c.at, t.time_zone), c.funnel_id, c.gateway,
    c.destination_id, c.status, c.reason, sum(c.attempts), sum(c.deliveries)
  {_SPREAD}
  group by 1, 2, 3, 4, 5, 6, 7, 8 having sum(c.attempts) <> 0 or sum(c.deliveries) <> 0
  {ADDED["rollup_dispatch"]}
""",
    ),
    "changed_latency": _fold(
        "changed_latency",
        f"""
  insert into rollup_latency as r
  {_binned("c.stage", "c.bin", "c.number", "true")}
""",
    ),
}

CHANGED = tuple(FOLD_ALL_TENANTS)

# Buckets that nothing is left in, by table.
DELETE_EMPTY_ALL_TENANTS = {
    "rollup_totals": """
delete from rollup_totals
where attempts = 0 and accepted = 0 and dead_letters = 0 and sales = 0 and matched = 0
  and gross_minor = 0 and refunded_minor = 0
""",
    "rollup_sales": """
delete from rollup_sales where sales = 0 and gross_minor = 0 and refunded_minor = 0
""",
    "rollup_campaigns": """
delete from rollup_campaigns
where clicks = 0 and sales = 0 and gross_minor = 0 and refunded_minor = 0 and returning_sales = 0
  and returning_minor = 0
""",
    "rollup_dispatch": "delete from rollup_dispatch where attempts = 0 and deliveries = 0",
    "rollup_latency": "delete from rollup_latency where bins = '{}'",
}

# The busiest minute of days that still have minutes.
NOTE_PEAKS_ALL_TENANTS = """
insert into rollup_peaks as p (tenant_id, at, attempts)
select m.tenant_id, date_trunc('day', m.at, t.time_zone), max(m.attempts)
from (
  select tenant_id, at, sum(attempts) as attempts
  from rollup_dispatch where grain = 'minute' and attempts > 0 group by tenant_id, at
) m
join tenants t on t.id = m.tenant_id and t.deleted_at is null
group by 1, 2 order by 1, 2
on conflict (tenant_id, at) do update set attempts = greatest(p.attempts, excluded.attempts)
where p.attempts < excluded.attempts
"""

# Some buckets of a grain that are over, by table.
DELETE_OLD_ALL_TENANTS = {
    table: f"""
delete from {table} where grain = $1 and at < $2
  and ctid = any(array(select ctid from {table} where grain = $1 and at < $2 limit $3))
"""  # noqa: S608 - as listed
    for table in TABLES
}


async def try_lock_all_tenants(tx: Tx) -> bool:
    """Keep everybody else from folding until the commit; False when somebody does."""
    row = await tx.fetch_one(TRY_LOCK_ALL_TENANTS)
    return bool(row and row["mine"])


async def lock_all_tenants(tx: Tx) -> None:
    """Wait until nobody else folds, and keep everybody from it until the commit."""
    await tx.execute(LOCK_ALL_TENANTS)


async def fold_all_tenants(tx: Tx, changed: str, *, limit: int) -> int:
    """Fold at most `limit` changes of one of CHANGED; return how many. The caller has the lock."""
    (row,) = await tx.fetch(FOLD_ALL_TENANTS[changed], limit)
    number: int = row["number"]
    return number


async def delete_empty_all_tenants(tx: Tx) -> int:
    """Delete buckets that nothing is left in; return how many. The caller has the lock."""
    return sum([await tx.execute(one) for one in DELETE_EMPTY_ALL_TENANTS.values()])


async def note_peaks_all_tenants(tx: Tx) -> int:
    """Note the busiest minute of each of the last days; return how many days changed."""
    return await tx.execute(NOTE_PEAKS_ALL_TENANTS)


async def delete_old_all_tenants(
    tx: Tx, table: str, *, grain: str, before: dt.datetime, limit: int
) -> int:
    """Delete at most about `limit` buckets of one of TABLES that began before; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS[table], grain, before, limit)
