"""The queue: throughput on both engines, an outage's backlog worked off, and what idling costs.

Throughput is of the whole program, from the first webhook to the stand-in's last event, and of the
worker from a release to the stand-in's last event, the same small load on PostgreSQL and on Amazon
SQS. moto stands in for SQS: it is a Python program that gets slower the more it holds, so the
figures say that the engine works and what it costs the worker, not how fast Amazon is.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import asyncpg

from benchmarks.customer import PIXEL, open_customer, sandbox_meta
from benchmarks.dispatch import (
    RELEASE,
    WAKE,
    await_accepted,
    await_listener,
    make_backlog,
    pipeline_connection,
)
from benchmarks.figures import Figure, Size
from benchmarks.processes import http_process, process, program
from benchmarks.scratch import Scratch, run_async, scratch
from benchmarks.webhook import end_to_end_s
from trackai.queue.sqs_client import SqsNames

NAMES = SqsNames("capi-bench", "capi-bench-dlq")
IDLE_S = 20.0
# A worker that was just started has looked at everything once.
SETTLE_S = 5.0
TICKS_A_SECOND = 100
OPEN = "select count(*) from breakers where state = 'open'"
COMMITS = """
select xact_commit + xact_rollback from pg_stat_database where datname = current_database()
"""


def run(size: Size) -> list[Figure]:
    """Measure each in an installation of its own."""
    with scratch() as place:
        postgres_s = run_async(_throughput(place, size, {}))
    with scratch() as place, ExitStack() as stack:
        amazon = _amazon(stack, place)
        sqs_s = run_async(_throughput(place, size, amazon))
    with scratch() as place:
        whole_postgres_s = run_async(end_to_end_s(place, {}, size.queue_deliveries))
    with scratch() as place, ExitStack() as stack:
        amazon = _amazon(stack, place)
        whole_sqs_s = run_async(end_to_end_s(place, amazon, size.queue_deliveries))
    with scratch() as place:
        backlog, recovery_s = run_async(_recovery(place, size))
    with scratch() as place:
        queries_s, cpu = run_async(_idle(place))
    return [
        Figure("queue_postgres_events_s", postgres_s, "small backlog to Meta's stand-in"),
        Figure("queue_sqs_events_s", sqs_s, "the same over moto's SQS"),
        Figure("queue_sqs_vs_postgres", sqs_s / postgres_s, "one against the other"),
        Figure("end_to_end_postgres_sales_s", whole_postgres_s, "click and webhook to Meta's yes"),
        Figure("end_to_end_sqs_sales_s", whole_sqs_s, "the same over moto's SQS"),
        Figure("queue_recovery_s", recovery_s, "from Meta's recovery until the backlog is sent"),
        Figure("queue_recovery_backlog", backlog, "deliveries that waited for it"),
        Figure("queue_idle_transactions_s", queries_s, "of an idle worker, a second"),
        Figure("queue_idle_cpu_percent", cpu, "of one core, an idle worker"),
    ]


async def _throughput(place: Scratch, size: Size, variables: Mapping[str, str]) -> float:
    with ExitStack() as stack:
        trackai = program("trackai")
        meta = stack.enter_context(
            http_process([*trackai, *sandbox_meta()], {}, place.log, "/sandbox/summary")
        )
        customer = await open_customer(place, meta)
        async with pipeline_connection(place) as owner, aiohttp.ClientSession() as http:
            events = await make_backlog(place, owner, customer, size.queue_deliveries)
            environment = {**place.environment, **variables}
            stack.enter_context(process([*trackai, "worker"], environment, place.log))
            await await_listener(owner)
            started = time.perf_counter()
            await owner.execute(RELEASE)
            await owner.execute(WAKE)
            await await_accepted(http, meta, events)
            return events / (time.perf_counter() - started)


def _amazon(stack: ExitStack, place: Scratch) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    moto = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    stack.enter_context(process(moto, {}, place.log))
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    queues = {
        "TRACKAI_QUEUE": "sqs",
        "TRACKAI_SQS_QUEUE": NAMES.queue,
        "TRACKAI_SQS_DEAD_QUEUE": NAMES.dead,
    }
    trackai = program("trackai")
    with ExitStack() as making:
        log = Path(place.log)
        _until_it_listens(port)
        environment = {**place.environment, **variables, **queues}
        made = making.enter_context(process([*trackai, "queue", "create"], environment, log))
        if made.wait(60) != 0:
            raise RuntimeError(f"The queues could not be made: see {log}")
    return variables | queues


def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("moto did not start.")


async def _recovery(place: Scratch, size: Size) -> tuple[int, float]:
    """Let a backlog find Meta down and its breaker open; then let Meta be well again."""
    with ExitStack() as stack:
        trackai = program("trackai")
        meta = stack.enter_context(
            http_process([*trackai, *sandbox_meta()], {}, place.log, "/sandbox/summary")
        )
        customer = await open_customer(place, meta)
        async with pipeline_connection(place) as owner, aiohttp.ClientSession() as http:
            events = await make_backlog(place, owner, customer, size.backlog)
            await _script(http, meta, {"kind": "http_500", "times": None, "match": PIXEL})
            stack.enter_context(process([*trackai, "worker"], place.environment, place.log))
            await await_listener(owner)
            await owner.execute(RELEASE)
            await owner.execute(WAKE)
            await _until_open(owner)
            await _clear(http, meta)
            started = time.perf_counter()
            await await_accepted(http, meta, events, patience_s=600)
            return events, time.perf_counter() - started


async def _script(http: aiohttp.ClientSession, meta: str, fault: Mapping[str, object]) -> None:
    async with http.post(f"{meta}/sandbox/faults", json=fault) as answer:
        answer.raise_for_status()


async def _clear(http: aiohttp.ClientSession, meta: str) -> None:
    async with http.delete(f"{meta}/sandbox/faults") as answer:
        answer.raise_for_status()


async def _until_open(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    deadline = time.monotonic() + 120
    while not await owner.fetchval(OPEN):
        if time.monotonic() > deadline:
            raise RuntimeError("The breaker never opened.")
        await asyncio.sleep(0.1)


async def _idle(place: Scratch) -> tuple[float, float]:
    """Return what an idle worker asks of the database and of a core."""
    with ExitStack() as stack:
        worker = stack.enter_context(
            process([*program("trackai"), "worker"], place.environment, place.log)
        )
        async with pipeline_connection(place) as owner:
            await await_listener(owner)
            await asyncio.sleep(SETTLE_S)
            commits, ticks, started = await _commits(owner), _ticks(worker.pid), time.monotonic()
            await asyncio.sleep(IDLE_S)
            seconds = time.monotonic() - started
            queries = (await _commits(owner) - commits) / seconds
            return queries, (_ticks(worker.pid) - ticks) / TICKS_A_SECOND / seconds * 100


async def _commits(owner: "asyncpg.Connection[asyncpg.Record]") -> int:
    # What a session counted is published when it idles.
    await asyncio.sleep(1.5)
    return int(await owner.fetchval(COMMITS))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
