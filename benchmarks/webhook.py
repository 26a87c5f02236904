"""Webhooks: what a proof costs, and how long a sale takes from its webhook to Meta's stand-in.

The proof is the product's own check of 4 KB as each platform signs them, with the digest by which
repeats are found; the figure is the dearest platform's. The way is measured with everything in
processes of its own on this machine: from before the POST of a sale's first webhook to the moment
at which the stand-in has the event, both by the machine's clock, at 50 sales a second.
"""

import asyncio
import datetime as dt
import statistics
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from benchmarks.customer import GATEWAYS, Customer, open_customer, sandbox_meta
from benchmarks.figures import Figure, Size, percentile
from benchmarks.processes import http_process, process, program
from benchmarks.scratch import Scratch, run_async, scratch
from trackai.gateways.port import InboundRequest
from trackai.gateways.registry import gateways
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import Person, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import address
from trackai.storage.envelope import Envelope

BODY_BYTES = 4096
SECRET = "whsec_0123456789abcdef0123456789abcdef"
CHECKS = 300
SALES_A_SECOND = 50
# Sales under way side by side when throughput is what counts.
AT_ONCE = 32
SETTLE_S = 60.0
POLL_S = 0.2


def run(size: Size) -> list[Figure]:
    """Measure proofs in this process, then the whole way in a scratch installation."""
    costs = {name: _proof_us(name, size.rounds) for name in GATEWAYS}
    with scratch() as place:
        way = run_async(_way(place, size))
    return [
        Figure("webhook_verify_us", max(costs.values()), "raw body and proof, 4 KB", at_most=100),
        *(
            Figure(f"webhook_verify_{name}_us", cost, f"the same, {name}")
            for name, cost in costs.items()
        ),
        *way,
    ]


# Proof ------------------------------------------------------------------------------------------


def _proof_us(gateway: str, rounds: int) -> float:
    inbound = _inbound(gateway)
    check, envelope = gateways()[gateway].verify, Envelope([bytes(32)])
    tenant_id = new_id()
    envelope.learn(tenant_id, envelope.new_wrapped(tenant_id))
    assert check(inbound, (SECRET,)) is None
    best = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(CHECKS):
            check(inbound, (SECRET,))
            envelope.digest(inbound.body, tenant_id=tenant_id)
        best.append((time.perf_counter() - started) / CHECKS * 1e6)
    return statistics.median(best)


def _inbound(gateway: str) -> InboundRequest:
    """Return an authentic webhook of at least 4 KB: something in it has a long name."""
    signs, now = platform(gateway, SECRET), SystemClock().now()
    sale = Sale(signs.transaction(new_id()), now)
    missing = BODY_BYTES - len(signs.notice(sale, SaleStatus.APPROVED).body)
    # Stripe's notices name no product. The padding also makes up for the name it replaces.
    buyer, product = Person(full_name=f"Maria {'x' * (missing + 64)}"), "x" * (missing + 64)
    long = replace(sale, buyer=buyer) if gateway == "stripe" else replace(sale, product=product)
    webhook = signs.notice(long, SaleStatus.APPROVED)
    assert len(webhook.body) >= BODY_BYTES, (gateway, len(webhook.body))
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    headers["content-type"] = webhook.content_type
    return InboundRequest(webhook.body, headers, webhook.query, now)


# Way --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Whole:
    """The program in its processes, with a customer and the stand-in for Meta."""

    http: aiohttp.ClientSession
    base: str
    meta: str
    customer: Customer


@asynccontextmanager
async def whole_program(place: Scratch, variables: Mapping[str, str]) -> AsyncIterator[Whole]:
    """Run server, worker and stand-in for the length of a block."""
    environment = {**place.environment, **variables}
    with ExitStack() as stack:
        trackai = program("trackai")
        meta = stack.enter_context(
            http_process([*trackai, *sandbox_meta()], {}, place.log, "/sandbox/summary")
        )
        customer = await open_customer(place, meta)
        base = stack.enter_context(
            http_process([*trackai, "serve"], environment, place.log, "/readyz")
        )
        stack.enter_context(process([*trackai, "worker"], environment, place.log))
        timeout = aiohttp.ClientTimeout(total=SETTLE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            yield Whole(http, base, meta, customer)


async def end_to_end_s(place: Scratch, variables: Mapping[str, str], count: int) -> float:
    """Return sales a second from the first webhook to the last event at the stand-in.

    Each is a click, its webhooks, a match and a delivery; as many at once as the server takes.
    """
    async with whole_program(place, variables) as whole:
        await _arrivals(whole, await _sell(whole, count=SALES_A_SECOND))
        sent: dict[str, dt.datetime] = {}
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with slots:
                await _sell_one(whole, GATEWAYS[number % len(GATEWAYS)], number, sent)

        started = SystemClock().now()
        await asyncio.gather(*(one(number) for number in range(count)))
        arrived = await _arrivals(whole, sent)
        assert sent.keys() <= arrived.keys(), "not everything arrived"
        ended = max(arrived[event_id] for event_id in sent)
        return count / (ended - started).total_seconds()


async def _way(place: Scratch, size: Size) -> list[Figure]:
    async with whole_program(place, {}) as whole:
        return await _measure(whole, size)


async def _measure(whole: Whole, size: Size) -> list[Figure]:
    await _arrivals(whole, await _sell(whole, count=SALES_A_SECOND))
    started = time.perf_counter()
    sent = await _sell(whole, count=round(SALES_A_SECOND * size.load_s))
    offered = len(sent) / (time.perf_counter() - started)
    arrived = await _arrivals(whole, sent)
    delays = [
        (arrived[event_id] - at).total_seconds() * 1000
        for event_id, at in sent.items()
        if event_id in arrived
    ]
    return [
        Figure(
            "webhook_to_meta_p95_ms",
            percentile(delays, 95),
            "webhook to Meta's stand-in, 95 of 100 below, at 50 sales a second",
            at_most=1000,
        ),
        Figure("webhook_to_meta_p50_ms", percentile(delays, 50), "the same, half below"),
        Figure("webhook_to_meta_sales_s", offered, "sales a second that were really offered"),
        Figure("webhook_to_meta_lost", len(sent) - len(delays), "of them, not arrived", at_most=1),
    ]


async def _sell(whole: Whole, *, count: int) -> dict[str, dt.datetime]:
    """Sell at a steady pace, whatever the answers take; return event id -> when it was sent."""
    sent: dict[str, dt.datetime] = {}
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0, started + number / SALES_A_SECOND - time.perf_counter()))
            gateway = GATEWAYS[number % len(GATEWAYS)]
            group.create_task(_sell_one(whole, gateway, number, sent))
    return sent


async def _sell_one(whole: Whole, gateway: str, number: int, sent: dict[str, dt.datetime]) -> None:
    http, base, customer = whole.http, whole.base, whole.customer
    click_id = f"c{new_id().hex}"
    click = {"site_key": customer.tenant.site_key, "click_id": click_id, "fbclid": f"Iw{click_id}"}
    async with http.post(f"{base}/api/v1/track/click", json=click) as answer:
        answer.raise_for_status()
    sale = customer.sale(gateway, number, click_id=click_id)
    webhooks = customer.platforms[gateway].notices(sale, SaleStatus.APPROVED)
    sent[f"{gateway}:{sale.transaction}"] = SystemClock().now()
    for webhook in webhooks:
        headers = {"Content-Type": webhook.content_type, **webhook.headers}
        url = address(base + customer.path(gateway), webhook)
        async with http.post(url, data=webhook.body, headers=headers) as answer:
            answer.raise_for_status()


async def _arrivals(whole: Whole, sent: dict[str, dt.datetime]) -> dict[str, dt.datetime]:
    """Return event id -> when the stand-in had it, once all have arrived or patience ends."""
    deadline = time.monotonic() + SETTLE_S
    arrived: dict[str, dt.datetime] = {}
    while not sent.keys() <= arrived.keys() and time.monotonic() < deadline:
        await asyncio.sleep(POLL_S)
        async with whole.http.get(f"{whole.meta}/sandbox/events?limit=10000") as answer:
            events: list[dict[str, Any]] = (await answer.json())["events"]
        arrived = {
            event["event_id"]: dt.datetime.fromisoformat(event["received_at"]) for event in events
        }
    return arrived
