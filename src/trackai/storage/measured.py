"""How fast and how well everything of a period went, of all tenants together. Reads only.

Counted from the rows themselves: percentiles are exact. Accounts of smoke tests are left out.
"""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Tries of a period, how they ended, and how long stages took; `whole` ends with the yes.
MEASURE_ATTEMPTS_ALL_TENANTS = """
select count(*) as attempts, count(*) filter (where status = 'accepted') as accepted,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as call,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by
    extract(epoch from owed_at - received_at) * 1000) filter (where status = 'accepted') as match,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by
    extract(epoch from created_at - owed_at) * 1000 - duration_ms)
    filter (where status = 'accepted') as wait,
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by
    extract(epoch from created_at - received_at) * 1000) filter (where status = 'accepted') as whole
from dispatch_attempts
where created_at >= $1 and created_at < $2 and day >= ($1 at time zone 'UTC')::date
  and tenant_id <> all($3::uuid[])
"""

# Webhooks of a period, and those that could not be processed.
COUNT_RECEIPTS_ALL_TENANTS = """
select count(*) as webhooks, count(*) filter (where state = 'failed') as failed
from webhook_receipts
where received_at >= $1 and received_at < $2 and day >= ($1 at time zone 'UTC')::date
  and tenant_id <> all($3::uuid[])
"""

# Webhooks of a period whose proof failed.
COUNT_REFUSED_ALL_TENANTS = """
select count(*) as refused from webhook_rejections
where received_at >= $1 and received_at < $2 and tenant_id <> all($3::uuid[])
"""

# Clicks of a period.
COUNT_CLICKS_ALL_TENANTS = """
select count(*) as clicks from clicks
where received_at >= $1 and received_at < $2 and day >= ($1 at time zone 'UTC')::date
  and tenant_id <> all($3::uuid[])
"""

# Deliveries that ended in a period, and those given up.
COUNT_SETTLED_ALL_TENANTS = """
select count(*) as settled, count(*) filter (where status = 'dead') as dead from deliveries
where settled_at >= $1 and settled_at < $2 and tenant_id <> all($3::uuid[])
"""

# What processes said of their answers in a period: the worst minute's 95th percentile.
FIND_SLOWEST_ANSWERS_ALL_TENANTS = """
select max(value) as api_p95_ms from alarm_samples
where metric = 'api_p95_ms' and drill = '00000000-0000-0000-0000-000000000000'
  and at >= $1 and at < $2
"""

# What is due and not worked on at a moment.
COUNT_DUE_ALL_TENANTS = """
select count(*) as due from queue_messages where run_at <= $1 and tenant_id <> all($2::uuid[])
"""


async def measure_attempts_all_tenants(
    tx: Tx, since: dt.datetime, until: dt.datetime, without: Collection[UUID]
) -> Row:
    """Return attempts, accepted, and percentiles of call, match, wait and whole."""
    (row,) = await tx.fetch(MEASURE_ATTEMPTS_ALL_TENANTS, since, until, list(without))
    return row


async def count_all_tenants(
    tx: Tx, since: dt.datetime, until: dt.datetime, without: Collection[UUID]
) -> dict[str, float | None]:
    """Return webhooks, failed, refused, clicks, settled, dead, due and api_p95_ms."""
    found: dict[str, float | None] = {}
    for statement in (
        *(COUNT_RECEIPTS_ALL_TENANTS, COUNT_REFUSED_ALL_TENANTS, COUNT_CLICKS_ALL_TENANTS),
        COUNT_SETTLED_ALL_TENANTS,
    ):
        found |= dict((await tx.fetch(statement, since, until, list(without)))[0])
    found |= dict((await tx.fetch(FIND_SLOWEST_ANSWERS_ALL_TENANTS, since, until))[0])
    found |= dict((await tx.fetch(COUNT_DUE_ALL_TENANTS, until, list(without)))[0])
    return found
