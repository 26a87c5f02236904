"""What metrics cost clicks: durable clicks over HTTP as they are, against unmeasured ones.

Both sides are one process, which a signal tells to measure or not: two processes of the very same
program differ by as much as is looked for. What is found differs from process to process, too, so
several are asked. Unmeasured, counters count nothing, times are not noted, nobody takes samples.
"""

import asyncio
import math
import os
import signal
import statistics
import sys
from collections.abc import Sequence
from types import FrameType

from prometheus_client import Counter, Gauge, Histogram

from benchmarks.figures import Figure, Size
from benchmarks.ingest import WARM_UP_S, requests_of, tenant_of
from benchmarks.press import Press
from benchmarks.processes import cpu_s, module, watched_http_process
from benchmarks.scratch import Scratch, scratch

MEASURED, UNMEASURED = signal.SIGUSR1, signal.SIGUSR2
PROCESSES = 7
# Rounds are short and many, so that what the machine does besides befalls both sides alike: so
# many times `Size.rounds` a side, each of that part of `Size.round_s`.
SHORTER = 3
# What the interpreter knew of the other side's calls it learns anew, in thousands of clicks.
SETTLES_S = 0.3

# Processor seconds of the server and clicks that it answered, by round.
Rounds = list[tuple[float, int]]


def run(size: Size) -> list[Figure]:
    """Measure in a scratch installation."""
    with scratch() as place:
        press = Press(requests_of(asyncio.run(tenant_of(place))), expect=b"HTTP/1.1 201")
        shares = [_share(place, press, size) for _ in range(PROCESSES)]
    return [
        Figure(
            "metrics_overhead",
            statistics.mean(shares),
            "share of a click's time on the server's processor that metrics take",
            at_most=0.03,
        ),
        Figure(
            "metrics_doubt",
            statistics.stdev(shares) / math.sqrt(PROCESSES),
            "the standard error of that share: processes differ",
        ),
    ]


def _share(place: Scratch, press: Press, size: Size) -> float:
    """Return the share that one process finds."""
    taken: dict[signal.Signals, Rounds] = {MEASURED: [], UNMEASURED: []}
    command = module("benchmarks.metering")
    with watched_http_process(command, place.environment, place.log, "/readyz") as server:
        press.run(server[0], 2 * WARM_UP_S)
        for number in range(SHORTER * size.rounds):
            for side in (MEASURED, UNMEASURED) if number % 2 else (UNMEASURED, MEASURED):
                os.kill(server[1], side)
                press.run(server[0], SETTLES_S)
                taken[side].append(_round(press, *server, size.round_s / SHORTER))
    return 1 - _click_s(taken[UNMEASURED]) / _click_s(taken[MEASURED])


def _round(press: Press, address: str, pid: int, seconds: float) -> tuple[float, int]:
    # Clicks a second say the same, and move by more than what is looked for.
    before = cpu_s([pid])
    pressed = press.run(address, seconds)
    return cpu_s([pid]) - before, len(pressed.latencies_s)


def _click_s(rounds: Sequence[tuple[float, int]]) -> float:
    """Return processor seconds a click, of all rounds: samples fall into few of them."""
    return sum(seconds for seconds, _ in rounds) / sum(clicks for _, clicks in rounds)


def _serve() -> None:
    """Run `trackai serve`; a signal puts away what measures, another puts it back."""
    from trackai import cli  # noqa: PLC0415 - of the server's process alone
    from trackai.alarms.sampler import Sampler  # noqa: PLC0415
    from trackai.ingest import app as edge  # noqa: PLC0415
    from trackai.telemetry.tallies import Tally  # noqa: PLC0415
    from trackai.telemetry.timings import Timing  # noqa: PLC0415

    put_away: list[tuple[object, str, object]] = [
        *((kind, "inc", _nothing) for kind in (Counter, Gauge, Tally)),
        *((Gauge, method, _nothing) for method in ("dec", "set")),
        *((kind, "observe", _nothing) for kind in (Histogram, Timing)),
        (Sampler, "write", _rest),
        (edge, "time", _NoClock),
    ]
    kept = [(kind, name, getattr(kind, name)) for kind, name, _ in put_away]

    def switch(signum: int, _: FrameType | None) -> None:
        for kind, name, method in kept if signum == MEASURED else put_away:
            setattr(kind, name, method)

    for one in (MEASURED, UNMEASURED):
        signal.signal(one, switch)
    sys.argv = ["trackai", "serve"]
    cli.main()


def _nothing(_: object, _number: float = 1) -> None:
    return


async def _rest(_: object) -> None:
    return


class _NoClock:
    """What the edge times its answers by, without asking what time it is."""

    perf_counter = float


if __name__ == "__main__":
    _serve()
