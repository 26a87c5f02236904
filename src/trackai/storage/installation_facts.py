"""What is known of the whole installation, for whoever watches it from outside. Reads only."""

import datetime as dt

from trackai.model.alarm import Fact
from trackai.storage.pool import Tx

# Deliveries that were given up, and since when the first of them waits.
SUM_DEAD_ALL_TENANTS = """
select count(*)::float8 as number,
  coalesce(extract(epoch from $1::timestamptz - min(d.settled_at)), 0)::float8 as oldest_s
from deliveries d join tenants t on t.id = d.tenant_id and t.deleted_at is null
where d.status = 'dead'
"""

# The match rate of paid sales since a moment; null of none.
FIND_MATCH_RATE_ALL_TENANTS = """
select (100.0 * sum(r.matched) / nullif(sum(r.sales), 0))::float8 as percent
from tenants t join rollup_totals r on r.tenant_id = t.id and r.grain = 'hour' and r.gateway = ''
  and r.funnel_id = '00000000-0000-0000-0000-000000000000' and r.at >= $1
where t.deleted_at is null
"""

# When changes of counts were folded last, null when never, and how many are not.
FIND_FOLDED_ALL_TENANTS = """
select (
    select greatest(extract(epoch from $1::timestamptz - finished_at), 0)::float8
    from jobs where name = 'fold'
  ) as lag_s,
  least(
    (select count(*) from (select from changed_sales limit $2) s)
    + (select count(*) from (select from changed_clicks limit $2) c)
    + (select count(*) from (select from changed_dispatch limit $2) d)
    + (select count(*) from (select from changed_latency limit $2) l),
  $2)::float8 as waiting
"""

# More waiting changes are not counted.
MOST_WAITING = 100_000
_DAY = dt.timedelta(days=1)


async def load_facts_all_tenants(tx: Tx, *, now: dt.datetime) -> dict[Fact, float]:
    """Return every fact that is known, but for breakers: alarms measure those."""
    (dead,) = await tx.fetch(SUM_DEAD_ALL_TENANTS, now)
    (matched,) = await tx.fetch(FIND_MATCH_RATE_ALL_TENANTS, now - _DAY)
    (folded,) = await tx.fetch(FIND_FOLDED_ALL_TENANTS, now, MOST_WAITING)
    found = {
        Fact.DEAD_LETTERS_ALL: dead["number"],
        Fact.OLDEST_DEAD_LETTER_S: dead["oldest_s"],
        Fact.MATCH_RATE_PERCENT: matched["percent"],
        Fact.ROLLUP_LAG_S: folded["lag_s"],
        Fact.ROLLUP_WAITING: folded["waiting"],
    }
    return {fact: value for fact, value in found.items() if value is not None}
