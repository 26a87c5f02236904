"""What a process says of itself."""

import asyncio
import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.proxy import local_proxy
from tests.support.tls import make_certificate

from trackai.alarms.certificate import certificate_days
from trackai.alarms.sampler import Process, Sampler, p95_ms, sampling
from trackai.model.alarm import Metric
from trackai.storage.alarm_samples import insert_samples, load_latest_all_tenants
from trackai.storage.pool import Database, Role
from trackai.storage.up_hours import Part
from trackai.telemetry.metrics import REQUEST_SECONDS, SPOOL_BYTES

if TYPE_CHECKING:
    from tests.support.world import World

INFINITY = float("inf")


def sampler_of(world: "World", **changes: bool) -> Sampler:
    pools, nowhere = [world.workers, world.edge], Path("/not/there")
    process = Process("test", Part.SERVE, pools, nowhere, **changes)
    return Sampler(process, world.edge, world.clock)


@dataclass
class Times:
    """What a process is told of time, whatever else the machine does."""

    computed_s: float = 7.0
    passed_s: float = 100.0

    def process_time(self) -> float:
        return self.computed_s

    def monotonic(self) -> float:
        return self.passed_s


async def test_a_process_that_computes_is_busy(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    times = Times()
    monkeypatch.setattr("trackai.alarms.sampler.time", times)
    sampler = sampler_of(world)
    times.computed_s, times.passed_s = 8.5, 102.0
    busy = await sampler.sample()
    times.passed_s = 104.0
    idle = await sampler.sample()

    assert (75, 0) == (busy[Metric.CPU_PERCENT], idle[Metric.CPU_PERCENT])
    assert 0 < busy[Metric.DISK_PERCENT] <= 100


async def test_a_loop_that_stands_still_and_a_pool_that_is_used_are_seen(world: "World") -> None:
    sampler = sampler_of(world)
    # The connection is had before anybody looks who has one.
    async with world.edge.transaction(), sampler.running():
        await asyncio.sleep(0.3)
        time.sleep(0.6)  # noqa: ASYNC251 - that is what is looked for
        await asyncio.sleep(0.01)
        found = await sampler.sample()

    assert found[Metric.LOOP_LAG_MS] > 200
    assert 25 <= found[Metric.POOL_PERCENT] <= 100


async def test_that_all_connections_are_used_is_said_by_another(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.alarms.sampler.EVERY_S", 0.5)
    nowhere, now = Path("/not/there"), world.clock.now()
    async with Database.opened(world.url, Role.PIPELINE, size=1) as pool, pool.transaction():
        process = Process("test", Part.WORK, [pool], nowhere)
        async with (
            sampling(world.url, Role.PIPELINE, process, world.clock),
            asyncio.timeout(60),
        ):
            found: dict[Metric, float] = {}
            while Metric.POOL_PERCENT not in found:
                await asyncio.sleep(0.1)
                async with world.workers.transaction() as tx:
                    found = await load_latest_all_tenants(
                        tx, since=now - dt.timedelta(minutes=1), until=now
                    )

    assert 100 == found[Metric.POOL_PERCENT]


async def test_slow_answers_are_seen_for_a_minute(world: "World") -> None:
    sampler = sampler_of(world)
    await sampler.sample()
    for _ in range(100):
        REQUEST_SECONDS.labels("pages", "/events").observe(7.0)
    slow = await sampler.sample()
    *_, later = [await sampler.sample() for _ in range(4)]

    assert 5000 < slow[Metric.API_P95_MS] <= 10_000
    assert Metric.API_P95_MS not in later


@pytest.mark.parametrize(
    ("buckets", "p95"),
    [
        ({}, None),
        ({0.1: 19.0, INFINITY: 19.0}, None),
        ({0.1: 0.0, 0.2: 100.0, INFINITY: 100.0}, 195),
        ({0.1: 95.0, 0.2: 100.0, INFINITY: 100.0}, 100),
        ({0.1: 50.0, INFINITY: 100.0}, 100),
    ],
)
def test_a_percentile_lies_within_its_bucket(
    buckets: dict[float, float], p95: float | None
) -> None:
    assert p95_ms(buckets) == (None if p95 is None else pytest.approx(p95))


async def test_only_who_keeps_reports_says_how_many(world: "World") -> None:
    SPOOL_BYTES.set(77)
    with_spool = await sampler_of(world, keeps_reports=True).sample()
    without = await sampler_of(world).sample()
    SPOOL_BYTES.set(0)

    assert 77 == with_spool[Metric.SPOOL_BYTES]
    assert Metric.SPOOL_BYTES not in without


async def test_of_many_processes_the_worst_counts_and_only_while_it_speaks(
    world: "World",
) -> None:
    now = world.clock.now()
    async with world.edge.transaction() as tx:
        for name, cpu, days in (("a", 10, 20), ("b", 90, 10)):
            values = {Metric.CPU_PERCENT: cpu, Metric.CERTIFICATE_DAYS_LEFT: days}
            await insert_samples(tx, name, values, at=now)
    async with world.workers.transaction() as tx:
        found = await load_latest_all_tenants(tx, since=now.replace(hour=11), until=now)
        later = await load_latest_all_tenants(tx, since=now, until=now.replace(hour=13))

    assert {Metric.CPU_PERCENT: 90, Metric.CERTIFICATE_DAYS_LEFT: 10} == found
    assert {} == later


async def test_a_certificate_has_days_left(world: "World", tmp_path: Path) -> None:
    host = local_proxy(1)  # nobody is behind it
    async with host.listening(tls=make_certificate(tmp_path)):
        found = await certificate_days(f"https://127.0.0.1:{host.port}/", world.clock)

    # Ten years from the first day of 2026, seen in November.
    assert 3650 - 326.5 == found[Metric.CERTIFICATE_DAYS_LEFT]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "nothing"])
async def test_an_address_without_certificate_has_no_days(world: "World", url: str) -> None:
    assert {} == await certificate_days(url, world.clock)
