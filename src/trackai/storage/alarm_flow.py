"""Tables rollup_totals and rollup_latency: what flowed, all tenants together. Reads only.

Tenant by tenant, for that is what their keys begin with. What is not folded in yet is left out: a
second or two of the running minute.
"""

import datetime as dt
from typing import NamedTuple

from trackai.model.histogram import Histogram
from trackai.storage.pool import Tx

# Tries and paid sales of a minute.
SUM_TOTALS_ALL_TENANTS = """
select coalesce(sum(f.attempts), 0)::bigint as attempts,
  coalesce(sum(f.accepted), 0)::bigint as accepted, coalesce(sum(f.sales), 0)::bigint as sales
from tenants t
cross join lateral (
  select sum(r.attempts) as attempts, sum(r.accepted) as accepted, sum(r.sales) as sales
  from rollup_totals r
  where r.tenant_id = t.id and r.grain = 'minute' and r.gateway = ''
    and r.funnel_id = '00000000-0000-0000-0000-000000000000' and r.at = $1
) f
where t.deleted_at is null
"""

# How long events of a minute took, tenant by tenant (offset 0): joined as a whole the planner has
# read every minute there is.
LIST_LATENCY_ALL_TENANTS = """
select f.bins, f.numbers
from tenants t
cross join lateral (
  select r.bins, r.numbers from rollup_latency r
  where r.tenant_id = t.id and r.grain = 'minute' and r.stage = $1 and r.gateway = ''
    and r.at = $2 offset 0
) f
where t.deleted_at is null
"""


class Totals(NamedTuple):
    """Tries and paid sales."""

    attempts: int
    accepted: int  # of the tries
    sales: int


async def sum_totals_all_tenants(tx: Tx, *, minute: dt.datetime) -> Totals:
    """Return what was tried and sold in a minute."""
    (row,) = await tx.fetch(SUM_TOTALS_ALL_TENANTS, minute)
    return Totals(**dict(row))


async def load_latency_all_tenants(tx: Tx, *, stage: str, minute: dt.datetime) -> Histogram:
    """Return how long a stage took in a minute."""
    found = Histogram()
    for bins, numbers in await tx.fetch(LIST_LATENCY_ALL_TENANTS, stage, minute):
        found.add(bins, numbers)
    return found
