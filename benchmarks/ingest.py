"""Durable clicks over HTTP, against nothing stored, a row a request, pgbench and two processes.

64 keep-alive connections, each sends its next click when the last one is answered. All servers
are up all the time; a round gives each its turn, and a ratio is taken within a round.
"""

import asyncio
import statistics
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from benchmarks.figures import Figure, Size, median_ratio, percentile
from benchmarks.pgbench import FBCLID, Pgbench
from benchmarks.press import CONNECTIONS, Press
from benchmarks.processes import http_process, module, program
from benchmarks.scratch import Scratch, scratch
from trackai.model.tenant import Tenant

BODY = (
    '{"site_key":"SITE_KEY","click_id":"cBench%015d","fbclid":"FBCLID%015d",'
    '"fbc":"fb.1.1795435200000.FBCLID%015d","fbp":"fb.1.1795435200000.%015d",'
    '"client_time":1795435200000,"utm_source":"facebook","utm_medium":"cpc",'
    '"utm_campaign":"cafe|120210001","utm_content":"video-1|120210003",'
    '"page_url":"https://exemplo.com.br/curso","referrer":"https://l.facebook.com/"}'
)
HEAD = (
    "POST /api/v1/track/click HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15\r\n"
    "Accept-Language: pt-BR\r\nOrigin: https://exemplo.com.br\r\n"
    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n"
)
WARM_UP_S = 0.7

Sides = Mapping[str, Callable[[float], float]]
Rates = Mapping[str, list[float]]


def run(size: Size) -> list[Figure]:
    """Measure in a scratch installation."""
    with scratch() as place, ExitStack() as stack:
        tenant = asyncio.run(tenant_of(place))
        press = Press(requests_of(tenant), expect=b"HTTP/1.1 201")
        pgbench = Pgbench(place, tenant.id)
        latencies: list[float] = []

        def server(command: list[str], kept: list[float] | None = None) -> Callable[[float], float]:
            address = stack.enter_context(
                http_process(command, place.environment, place.log, "/readyz")
            )

            def press_it(seconds: float) -> float:
                pressed = press.run(address, seconds)
                if kept is not None:
                    kept.extend(pressed.latencies_s)
                return pressed.rate

            return press_it

        serve = [*program("trackai"), "serve"]
        sides = {
            "durable": server(serve, latencies),
            "none": server(module("benchmarks.edge", "none")),
            "pgbench": lambda seconds: pgbench.run(seconds, clients=CONNECTIONS),
            "row": server(module("benchmarks.edge", "row")),
            "workers2": server([*serve, "--workers", "2"]),
        }
        for side in sides.values():
            side(WARM_UP_S)
        latencies.clear()
        return _figures(_measure(sides, size), latencies)


async def tenant_of(place: Scratch) -> Tenant:
    """Make a tenant."""
    async with place.here.onboarding() as onboarding:
        return await onboarding.create_tenant("Benchmark")


def requests_of(tenant: Tenant) -> Callable[[int], bytes]:
    """Return what makes the request of a number."""
    body = BODY.replace("SITE_KEY", tenant.site_key).replace("FBCLID", FBCLID)
    length = len(body % (0, 0, 0, 0))
    request = HEAD.format(length=length).encode() + body.encode()
    return lambda number: request % (number, number, number, number)


def _measure(sides: Sides, size: Size) -> Rates:
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(size.rounds):
        # Forwards and backwards in turn, so that nobody always follows the same neighbour.
        for name in list(sides)[:: -1 if number % 2 else 1]:
            rates[name].append(sides[name](size.round_s))
    return rates


def _figures(rates: Rates, latencies: list[float]) -> list[Figure]:
    durable = rates["durable"]
    return [
        Figure(
            "ingest_vs_nodb",
            median_ratio(durable, rates["none"]),
            "durable clicks against the same endpoint that stores nothing",
            at_least=0.5,
        ),
        Figure(
            "ingest_vs_row",
            median_ratio(durable, rates["row"]),
            "durable clicks against a transaction a request",
            at_least=5,
        ),
        Figure(
            "ingest_vs_pgbench",
            median_ratio(durable, rates["pgbench"]),
            "durable clicks over HTTP against pgbench's prepared INSERTs",
            at_least=1.2,
        ),
        Figure(
            "ingest_workers2_vs_1",
            median_ratio(rates["workers2"], durable),
            "two server processes against one, load generator on the same machine",
        ),
        *(
            Figure(f"ingest_{name}_s", statistics.median(rates[name]), f"a second, {meaning}")
            for name, meaning in _RATES.items()
        ),
        Figure("ingest_p99_ms", percentile(latencies, 99) * 1000, "durable click, 99 of 100 below"),
    ]


_RATES = {
    "durable": "durable clicks",
    "none": "clicks without a database",
    "row": "clicks, a transaction each",
    "pgbench": "INSERTs by pgbench",
    "workers2": "durable clicks, two server processes",
}
