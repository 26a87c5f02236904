"""What metrics cost clicks: durable clicks over HTTP as they are, against unmeasured ones.

The other side is the same server, in which counters count nothing, times are not noted, and nobody
takes samples. A round gives each side its turn, and the ratio is taken within a round.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from prometheus_client import Counter, Gauge, Histogram

from benchmarks.figures import Figure, Size, median_ratio
from benchmarks.ingest import WARM_UP_S, requests_of, tenant_of
from benchmarks.press import Press
from benchmarks.processes import cpu_s, module, watched_http_process
from benchmarks.scratch import scratch

SIDES = (MEASURED, UNMEASURED) = ("measured", "unmeasured")
# Per side and unit of `Size.rounds`: a share of a hundredth is looked for.
ROUNDS = 5


def run(size: Size) -> list[Figure]:
    """Measure in a scratch installation."""
    with scratch() as place, ExitStack() as stack:
        press = Press(requests_of(asyncio.run(tenant_of(place))), expect=b"HTTP/1.1 201")
        # Started alike: the program's own script was 3 % slower than the same under `python -m`.
        commands = [module("benchmarks.metering", side) for side in SIDES]
        sides = [
            stack.enter_context(watched_http_process(one, place.environment, place.log, "/readyz"))
            for one in commands
        ]
        taken: tuple[list[float], list[float]] = ([], [])
        for number in range(-1, ROUNDS * size.rounds):
            for side in (0, 1) if number % 2 else (1, 0):
                seconds = WARM_UP_S if number < 0 else size.round_s
                taken[side].append(_click_s(press, *sides[side], seconds))
    measured, unmeasured = taken
    return [
        Figure(
            "metrics_overhead",
            1 - median_ratio(unmeasured[1:], measured[1:]),
            "share of a click's time on the server's processor that metrics take",
            at_most=0.03,
        )
    ]


def _click_s(press: Press, address: str, pid: int, seconds: float) -> float:
    """Return processor seconds of the server a click.

    Clicks a second say the same, and move by more than what is looked for: the same program was
    found 4 % slower than itself.
    """
    before = cpu_s([pid])
    pressed = press.run(address, seconds)
    return (cpu_s([pid]) - before) / len(pressed.latencies_s)


def _serve(side: str) -> None:
    """Run `trackai serve`, as it is or with nothing that measures."""
    from trackai import cli  # noqa: PLC0415 - what is measured with is put away first
    from trackai.alarms.sampler import Sampler  # noqa: PLC0415
    from trackai.telemetry.timings import Timing  # noqa: PLC0415

    if side == UNMEASURED:
        for kind, methods in ((Counter, ("inc",)), (Gauge, ("inc", "dec", "set"))):
            for method in methods:
                setattr(kind, method, _nothing)
        for timed in (Histogram, Timing):
            setattr(timed, "observe", _nothing)  # noqa: B010 - not every kind says so by its type
        setattr(Sampler, "running", _idle)  # noqa: B010 - its argument has another name
    sys.argv = ["trackai", "serve"]
    cli.main()


def _nothing(*_: object, **__: object) -> None:
    return


@asynccontextmanager
async def _idle(_: object) -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    _serve(sys.argv[1])
