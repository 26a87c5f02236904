"""What is in the database at the end, what is still under way, and time that is made to pass."""

import datetime as dt
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import asyncpg

from trackai.analytics.verify import Days, verify
from trackai.model.clock import SystemClock
from trackai.storage.pool import Database, Role, Row

CLICKS = "select click_id, received_at from clicks"
RECEIPTS = "select id from webhook_receipts"
SALES = """
select c.gateway || ':' || c.transaction as event_id, m.click_id, d.status, d.reason,
  d.failed_tries
from conversions c
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join deliveries d on d.tenant_id = c.tenant_id and d.conversion_id = c.id
"""
LEFT = """
select (select count(*) from deliveries where status = 'pending')
  + (select count(*) from queue_messages)
  + (select count(*) from webhook_receipts where run_at is not null)
"""
TENANTS = "select id from tenants"
FAILED = "select count(*) from webhook_receipts where state = 'failed'"
# Time that passes: workers' leases end, pauses end. What somebody works on at this moment is let
# be: a process that is stopped may hold it. What the relay has put into SQS stays there, unless
# all leases are meant: to end its quarter of an hour has it sent once more each time, and the
# stand-in drowns in the repeats of much.
_TIME_PASSES = """
update queue_messages q set run_at = now() from (
  select tenant_id, delivery_id from queue_messages
  where run_at > now() and (lease is null or run_at < now() + interval '{leases}')
  for update skip locked
) as later where q.tenant_id = later.tenant_id and q.delivery_id = later.delivery_id;
update webhook_receipts r set run_at = now() from (
  select tenant_id, id from webhook_receipts where run_at > now() for update skip locked
) as later where r.tenant_id = later.tenant_id and r.id = later.id;
update breakers b set retry_at = least(retry_at, now()), paused_until = least(paused_until, now())
from (select destination_id from breakers for update skip locked) as held
where b.destination_id = held.destination_id;
update host_breakers b set retry_at = least(retry_at, now())
from (select host from host_breakers for update skip locked) as held where b.host = held.host;
"""


TIME_PASSES = _TIME_PASSES.format(leases="200 seconds")
ALL_TIME_PASSES = _TIME_PASSES.format(leases="1 day")


@dataclass(frozen=True, slots=True)
class Sold:
    """What became of a sale; None where there is no such row."""

    click_id: str | None
    status: str | None
    reason: str | None
    failed_tries: int = 0  # those that failed while its destination was well


@dataclass(frozen=True, slots=True)
class Found:
    """What the tables hold."""

    clicks: Mapping[str, dt.datetime]  # click id -> received at
    receipts: AbstractSet[str]
    sales: Mapping[str, Sold]  # by event id
    stuck: int
    failed: int  # receipts of authentic webhooks that were given up
    miscounted: int  # buckets of counts that are not what their rows are


async def look(url: str) -> Found:
    """Read the tables."""
    connection = await asyncpg.connect(url)
    try:
        return Found(
            clicks={row["click_id"]: row["received_at"] for row in await connection.fetch(CLICKS)},
            receipts={str(row["id"]) for row in await connection.fetch(RECEIPTS)},
            sales={
                row["event_id"]: Sold(
                    row["click_id"], row["status"], row["reason"], row["failed_tries"] or 0
                )
                for row in await connection.fetch(SALES)
            },
            stuck=int(await connection.fetchval(LEFT)),
            failed=int(await connection.fetchval(FAILED)),
            miscounted=await _miscounted(url, await connection.fetch(TENANTS)),
        )
    finally:
        await connection.close()


async def _miscounted(url: str, tenants: Sequence[Row]) -> int:
    different = 0
    async with Database.opened(url, Role.APP, size=1) as people:
        for tenant in tenants:
            async with people.transaction(tenant_id=tenant["id"]) as tx:
                now = SystemClock().now()
                found = await verify(tx, tenant_id=tenant["id"], days=Days(30), now=now)
            different += found.different
    return different


async def left(url: str) -> int:
    """Return how many things are still under way."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(LEFT))
    finally:
        await connection.close()


async def let_time_pass(url: str, *, everything: bool) -> None:
    """Make workers' leases, or all, and every pause end now."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ALL_TIME_PASSES if everything else TIME_PASSES)
    finally:
        await connection.close()
