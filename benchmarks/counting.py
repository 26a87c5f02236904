"""What counting costs clicks: durable clicks over HTTP as they are, against uncounted ones.

The other side stores the same rows without their ad, with the trigger switched off. A worker folds
all the while; a round gives each side its turn, and the ratio is taken within a round.
"""

import asyncio
from contextlib import ExitStack

from tests.support.databases import execute

from benchmarks.figures import Figure, Size, median_ratio
from benchmarks.ingest import WARM_UP_S, requests_of, tenant_of
from benchmarks.press import Press
from benchmarks.processes import http_process, module, process, program
from benchmarks.scratch import scratch

ON = "alter table clicks enable trigger counted"
OFF = "alter table clicks disable trigger counted"
# Per side and unit of `Size.rounds`: rounds differ by more than what is looked for.
ROUNDS = 5


def run(size: Size) -> list[Figure]:
    """Measure in a scratch installation."""
    with scratch() as place, ExitStack() as stack:
        tenant = asyncio.run(tenant_of(place))
        press = Press(requests_of(tenant), expect=b"HTTP/1.1 201")
        stack.enter_context(process([*program("trackai"), "worker"], place.environment, place.log))
        counted = stack.enter_context(
            http_process([*program("trackai"), "serve"], place.environment, place.log, "/readyz")
        )
        uncounted = stack.enter_context(
            http_process(
                module("benchmarks.edge", "uncounted"), place.environment, place.log, "/readyz"
            )
        )
        sides = {ON: counted, OFF: uncounted}
        rates: dict[str, list[float]] = {ON: [], OFF: []}
        for number in range(-1, ROUNDS * size.rounds):
            for switch in (ON, OFF) if number % 2 else (OFF, ON):
                asyncio.run(execute(place.here.url, switch))
                seconds = WARM_UP_S if number < 0 else size.round_s
                rates[switch].append(press.run(sides[switch], seconds).rate)
    return [
        Figure(
            "ingest_overhead",
            1 - median_ratio(rates[ON][1:], rates[OFF][1:]),
            "share of clicks a second that counting them costs",
            at_most=0.15,
        )
    ]
