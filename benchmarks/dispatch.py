"""From the queue to Meta's stand-in: one worker process, a backlog, batches of up to 1000.

Some hundred real sales are worked off, then copied with new ids until the backlog is as long as
asked for; the clock runs from the moment the backlog becomes due until the stand-in has it all.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import aiohttp
import asyncpg
from tests.support.databases import execute

from benchmarks.customer import Customer, open_customer, sandbox_meta
from benchmarks.figures import Figure, Size
from benchmarks.processes import http_process, process, program
from benchmarks.scratch import Scratch, run_async, scratch
from trackai.gateways.registry import gateways
from trackai.matching.process import ReceiptProcessor
from trackai.matching.sale import Tools
from trackai.model.clock import SystemClock, new_id
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.pool import Database, Role
from trackai.storage.receipts import NewReceipt, RequestParts, insert_receipts

SALES = 200
SETTLE_S = 120.0
POLL_S = 0.02

# Nothing is due before all is there and the worker is up.
HOLD = "update queue_messages set run_at = now() + interval '1 day'"
COPY_CONVERSIONS = """
insert into conversions select c.tenant_id, md5(c.id::text || n)::uuid, c.gateway,
  c.transaction || '-' || n, c.connection_id, c.funnel_id, c.status, c.recurrence, c.amount_minor,
  c.currency, c.refunded_minor, c.product_id, c.product_name, c.quantity, c.buyer_sealed,
  c.tracking, c.sold_at, c.first_seen_at, c.updated_at
from conversions c cross join generate_series(1, $1) as n
"""
COPY_DELIVERIES = """
insert into deliveries (tenant_id, id, conversion_id, destination_id, receipt_id, event_name,
  event_id, event_time, status, reason, attempts, next_at, created_at, settled_at, received_at,
  funnel_id, gateway)
select d.tenant_id, md5(d.id::text || n)::uuid,
  md5(d.conversion_id::text || n)::uuid, d.destination_id, d.receipt_id, d.event_name,
  d.event_id || '-' || n, d.event_time, d.status, d.reason, d.attempts, d.next_at, d.created_at,
  d.settled_at, d.received_at, d.funnel_id, d.gateway
from deliveries d cross join generate_series(1, $1) as n
"""
COPY_MESSAGES = """
insert into queue_messages select q.tenant_id, md5(q.delivery_id::text || n)::uuid,
  q.destination_id, q.run_at, null, 0
from queue_messages q cross join generate_series(1, $1) as n
"""
RELEASE = "update queue_messages set run_at = now()"
WAKE = "select pg_notify('trackai_deliveries', '')"


def run(size: Size) -> list[Figure]:
    """Build a backlog and let it go."""
    with scratch() as place:
        events, seconds = run_async(_measure(place, size))
    return [
        Figure(
            "dispatch_events_s",
            events / seconds,
            "events a second, queue to Meta's stand-in",
            at_least=10_000,
        ),
        Figure("dispatch_backlog", events, "events that waited"),
    ]


async def _measure(place: Scratch, size: Size) -> tuple[int, float]:
    with ExitStack() as stack:
        trackai = program("trackai")
        meta = stack.enter_context(
            http_process([*trackai, *sandbox_meta()], {}, place.log, "/sandbox/summary")
        )
        customer = await open_customer(place, meta)
        async with pipeline_connection(place) as owner, aiohttp.ClientSession() as http:
            events = await make_backlog(place, owner, customer, size.deliveries)
            stack.enter_context(process([*trackai, "worker"], place.environment, place.log))
            await await_listener(owner)
            started = time.perf_counter()
            await owner.execute(RELEASE)
            await owner.execute(WAKE)
            await await_accepted(http, meta, events)
            return events, time.perf_counter() - started


@asynccontextmanager
async def pipeline_connection(
    place: Scratch,
) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    """Open a connection as the workers have it."""
    connection = await asyncpg.connect(
        place.here.url, server_settings={"role": Role.PIPELINE.value}, command_timeout=300
    )
    try:
        yield connection
    finally:
        await connection.close()


async def make_backlog(
    place: Scratch,
    owner: "asyncpg.Connection[asyncpg.Record]",
    customer: Customer,
    deliveries: int,
) -> int:
    """Owe so many deliveries, due in a day; return how many they are."""
    sales = min(SALES, deliveries // 4)
    async with place.here.database(Role.INGEST) as edge, edge.transaction() as tx:
        receipts = [_receipt(customer, number) for number in range(sales)]
        await insert_receipts(tx, place.here.envelope, receipts)
    async with place.here.database(Role.PIPELINE) as database:
        processor = _processor(place, database)
        while await processor.step():
            pass
    copies = deliveries // sales - 1
    await owner.execute(HOLD)
    for statement in (COPY_CONVERSIONS, COPY_DELIVERIES, COPY_MESSAGES):
        await owner.execute(statement, copies)
    # As autovacuum does a minute later.
    await execute(place.here.url, "analyze")
    return sales * (copies + 1)


def _processor(place: Scratch, database: Database) -> ReceiptProcessor:
    clock = SystemClock()
    queue = PostgresQueue(database, clock, new_id)
    return ReceiptProcessor(database, Tools(place.here.envelope, queue, clock, new_id), gateways())


def _receipt(customer: Customer, number: int) -> NewReceipt:
    connection = customer.connections["kiwify"]
    sale = customer.sale("kiwify", number)
    webhook = customer.platforms["kiwify"].notice(sale, SaleStatus.APPROVED)
    return NewReceipt(
        tenant_id=connection.tenant_id,
        id=new_id(),
        connection_id=connection.id,
        gateway="kiwify",
        received_at=SystemClock().now(),
        body=webhook.body,
        request=RequestParts({"content-type": webhook.content_type}, webhook.query),
    )


async def await_listener(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until the worker is up: it listens for wake-ups."""
    deadline = time.monotonic() + SETTLE_S
    while not await owner.fetchval(
        "select count(*) from pg_stat_activity where application_name like 'trackai wake%'"
    ):
        if time.monotonic() > deadline:
            raise RuntimeError("The worker did not start.")
        await asyncio.sleep(POLL_S)


async def await_accepted(
    http: aiohttp.ClientSession, meta: str, events: int, *, patience_s: float = SETTLE_S
) -> None:
    """Wait until the stand-in has so many events."""
    deadline = time.monotonic() + patience_s
    while True:
        async with http.get(f"{meta}/sandbox/summary") as answer:
            accepted = (await answer.json())["accepted"]
        if accepted >= events:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"Only {accepted} of {events} events arrived.")
        await asyncio.sleep(POLL_S)
