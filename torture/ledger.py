"""What must be there, held against what is there: in the database and at Meta's stand-in."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from tests.support.customer import Customer

from torture.load import Heard
from trackai.sandbox.meta import MetaSandbox

CLICKS = "select click_id from clicks"
SALES = """
select c.gateway || ':' || c.transaction as event_id, m.click_id, d.status, d.reason
from conversions c
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join deliveries d on d.tenant_id = c.tenant_id and d.conversion_id = c.id
"""
LEFT = """
select (select count(*) from deliveries where status = 'pending')
  + (select count(*) from queue_messages)
  + (select count(*) from webhook_receipts where run_at is not null)
"""
FAILED = "select count(*) from webhook_receipts where state = 'failed'"
# Time that passes: leases end, pauses end. What somebody works on at this moment is let be: a
# process that is stopped may hold it.
TIME_PASSES = """
update queue_messages q set run_at = now() from (
  select tenant_id, delivery_id from queue_messages where run_at > now() for update skip locked
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
# The reasons that this harness gives cause for.
MEANT = frozenset({"event_too_old", "tries_exhausted", "invalid_parameter", "workers_died"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; `problems` are sentences for people."""

    acknowledged: int
    lost: int
    duplicated: int
    stuck: int
    dead: int
    repeats: int  # sent again under the same event id: Meta drops those
    problems: Sequence[str]


async def left(url: str) -> int:
    """Return how many things are still under way."""
    return int(await _ask(url, LEFT))


async def let_time_pass(url: str) -> None:
    """Make every lease and pause end now."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(TIME_PASSES)
    finally:
        await connection.close()


async def judge(
    url: str, heard: Heard, customers: Sequence[Customer], meta: MetaSandbox, cursed: set[str]
) -> Verdict:
    """Hold the ledger against database and stand-in."""
    connection = await asyncpg.connect(url)
    try:
        clicks = {row["click_id"] for row in await connection.fetch(CLICKS)}
        sales = {row["event_id"]: row for row in await connection.fetch(SALES)}
        stuck = int(await connection.fetchval(LEFT))
        failed = int(await connection.fetchval(FAILED))
    finally:
        await connection.close()
    arrived = {event.event_id for one in customers for event in one.accepted()}
    problems = [f"click {one} was acknowledged and is not there" for one in heard.clicks - clicks]
    lost = len(problems)
    problems += heard.wrong
    if failed:
        problems.append(f"{failed} authentic webhooks failed")
    for event_id, click_id in heard.sales.items():
        wrong = _wrong(event_id, click_id, sales.get(event_id), arrived, cursed)
        if wrong:
            lost += 1
            problems.append(wrong)
    twice = _under_several_ids(customers)
    problems += [f"sale {one} went out under several event ids" for one in twice]
    if stuck:
        problems.append(f"{stuck} things are stuck")
    return Verdict(
        acknowledged=len(heard.clicks) + heard.webhooks,
        lost=lost,
        duplicated=len(twice),
        stuck=stuck,
        dead=sum(row["status"] == "dead" for row in sales.values()),
        repeats=len(meta.duplicates),
        problems=problems,
    )


def _wrong(
    event_id: str,
    click_id: str | None,
    row: "asyncpg.Record | None",
    arrived: set[str | None],
    cursed: set[str],
) -> str | None:
    """Return what is wrong with an acknowledged sale."""
    if row is None:
        return f"sale {event_id} was acknowledged and is not there"
    if click_id is not None and row["click_id"] != click_id:
        return f"sale {event_id} was not matched to its click {click_id}"
    if row["status"] == "accepted":
        return None if event_id in arrived else f"{event_id} is noted as accepted; Meta has none"
    if row["status"] == "dead" and row["reason"] in MEANT:
        return None
    if event_id in cursed and row["status"] == "dead":
        return None
    return f"{event_id} ended as {row['status']} ({row['reason']})"


def _under_several_ids(customers: Sequence[Customer]) -> list[str]:
    ids: defaultdict[str, set[str | None]] = defaultdict(set)
    for customer in customers:
        for event in customer.accepted():
            ids[event.payload["custom_data"]["order_id"]].add(event.event_id)
    return [order for order, found in ids.items() if len(found) > 1]


async def _ask(url: str, statement: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(statement))
    finally:
        await connection.close()
