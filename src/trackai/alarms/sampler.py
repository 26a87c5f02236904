"""What a process measures of itself, and that it works, written down four times a minute.

Samples are for alarms: a database that is away has no use for them, so one that is not stored is
dropped. CPU is of one core, for a process computes on one.
"""

import asyncio
import datetime as dt
import shutil
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import Gauge

from trackai.alarms.metrics_log import MetricsLog
from trackai.errors import TrackaiError
from trackai.model.alarm import Metric
from trackai.model.clock import Clock
from trackai.storage.alarm_samples import insert_samples
from trackai.storage.pool import Database, Role
from trackai.storage.up_hours import Part, note_up
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import PROCESS, REQUEST_SECONDS, SPOOL_BYTES

EVERY_S = 15.0
# How often the loop is asked whether it still turns, and who has connections.
TICK_S = 0.25
# A sample's latency is that of so many samples before it: a minute.
SAMPLES = 4
# Answers of a minute that make a percentile.
FEWEST_ANSWERS = 20

# Cumulated answers by bound, of one area.
Buckets = Mapping[float, float]
# What else a process can say; a metric that it cannot is left out.
More = Callable[[], Awaitable[Mapping[Metric, float]]]


@dataclass(frozen=True, slots=True)
class Process:
    """Whose samples they are, and what of."""

    name: str
    part: Part
    pools: Sequence[Database]
    data_dir: Path
    # Keeps what pages report while the database is away.
    keeps_reports: bool = False


@dataclass(slots=True)
class _Ticks:
    """What was seen between two samples."""

    lag_s: float = 0.0
    number: int = 0
    used: list[float] = field(default_factory=list)  # by pool, summed up


class Sampler:
    """Measures for as long as it runs."""

    def __init__(
        self,
        process: Process,
        writer: Database,
        clock: Clock,
        more: More | None = None,
        log: MetricsLog | None = None,
    ) -> None:
        self._process = process
        self._writer = writer
        self._clock = clock
        self._more = more
        self._log = log
        self._ticks = _Ticks()
        self._cpu = (time.process_time(), time.monotonic())
        self._answers: deque[Mapping[str, Buckets]] = deque(maxlen=SAMPLES + 1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measure for the length of a block."""
        tasks = [asyncio.create_task(one) for one in (self._tick(), self._write())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def sample(self) -> dict[Metric, float]:
        """Return what was measured since the last sample."""
        ticks, self._ticks = self._ticks, _Ticks()
        found = {
            Metric.CPU_PERCENT: self._cpu_percent(),
            Metric.DISK_PERCENT: _disk_percent(self._process.data_dir),
        }
        if ticks.number:
            found[Metric.LOOP_LAG_MS] = 1000 * ticks.lag_s
            found[Metric.POOL_PERCENT] = 100 * max(ticks.used, default=0.0) / ticks.number
        latency = self._latency_ms()
        if latency is not None:
            found[Metric.API_P95_MS] = latency
        if self._process.keeps_reports:
            found[Metric.SPOOL_BYTES] = _now_in(SPOOL_BYTES)
        return found | dict(await self._more() if self._more else {})

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            ticks = self._ticks
            ticks.lag_s = max(ticks.lag_s, loop.time() - due)
            ticks.number += 1
            now = [one.in_use for one in self._process.pools]
            ticks.used = [
                before + share
                for before, share in zip(ticks.used or [0.0] * len(now), now, strict=True)
            ]

    async def write(self) -> None:
        """Show what was measured since the last sample, then write it down."""
        part, found, now = self._process.part, await self.sample(), self._clock.now()
        shown = [((part.value, metric.value), value) for metric, value in found.items()]
        # Neither needs a database.
        PROCESS.say(shown, speaker=part)
        if self._log:
            self._log.write(self._process.name, found, now)
        async with self._writer.transaction(waits=False) as tx:
            await insert_samples(tx, self._process.name, found, at=now)
            await note_up(tx, part, now=now)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.write()
            except TrackaiError as error:
                get_logger().info("sample.dropped", reason=error.code)
            except Exception:  # noqa: BLE001 - a defect of measuring must not end the measuring
                get_logger().exception("sample.failed")

    def _cpu_percent(self) -> float:
        before, began = self._cpu
        self._cpu = (time.process_time(), time.monotonic())
        wall = self._cpu[1] - began
        return 100 * (self._cpu[0] - before) / wall if wall > 0 else 0.0

    def _latency_ms(self) -> float | None:
        """Return the worst area's p95 of the last minute."""
        self._answers.append(_answers())
        first, last = self._answers[0], self._answers[-1]
        found = [p95_ms(_since(first.get(area, {}), buckets)) for area, buckets in last.items()]
        return max((one for one in found if one is not None), default=None)


@asynccontextmanager
async def sampling(
    url: str,
    role: Role,
    process: Process,
    clock: Clock,
    more: More | None = None,
    log: MetricsLog | None = None,
) -> AsyncIterator[None]:
    """Measure for the length of a block, by a connection of its own.

    Whoever had to wait for one of the process's could not say that all of them are used.
    """
    async with (
        Database.opened(url, role, size=1) as own,
        Sampler(process, own, clock, more, log).running(),
    ):
        yield


def p95_ms(buckets: Buckets) -> float | None:
    """Return the 95th percentile of cumulated seconds, within its bucket evenly; None of few."""
    bounds = sorted(buckets)
    number = buckets[bounds[-1]] if bounds else 0
    if number < FEWEST_ANSWERS:
        return None
    lower, below, wanted = 0.0, 0.0, 0.95 * number
    for bound in bounds:
        if buckets[bound] >= wanted:
            if bound == float("inf"):
                return 1000 * lower
            inside = (wanted - below) / (buckets[bound] - below)
            return 1000 * (lower + (bound - lower) * inside)
        lower, below = bound, buckets[bound]
    return None


def _since(before: Buckets, now: Buckets) -> Buckets:
    return {bound: number - before.get(bound, 0.0) for bound, number in now.items()}


def _answers() -> Mapping[str, Buckets]:
    found: dict[str, dict[float, float]] = {}
    for metric in REQUEST_SECONDS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                area = found.setdefault(sample.labels["area"], {})
                bound = float(sample.labels["le"])
                area[bound] = area.get(bound, 0.0) + sample.value  # of all its routes
    return found


def _now_in(gauge: Gauge) -> float:
    return next(sample.value for metric in gauge.collect() for sample in metric.samples)


def _disk_percent(path: Path) -> float:
    while not path.exists() and path != path.parent:
        path = path.parent
    usage = shutil.disk_usage(path)
    # As df counts: what only the system may use is not free.
    return 100 * usage.used / (usage.used + usage.free)


def kept_for(
    length: dt.timedelta, clock: Clock, ask: More, *, again: dt.timedelta = dt.timedelta(minutes=1)
) -> More:
    """Return the same question, asked again only after so long; after `again` when nothing came."""
    asked_at: list[dt.datetime] = []
    known: dict[Metric, float] = {}

    async def answer() -> Mapping[Metric, float]:
        now = clock.now()
        if not asked_at or now - asked_at[-1] >= (length if known else again):
            asked_at[:] = [now]
            known.clear()
            known.update(await ask())
        return known

    return answer
