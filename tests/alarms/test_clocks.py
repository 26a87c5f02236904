"""Machines whose clocks do not agree look at alarms and call at the same time all the same."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.alarms.test_watchman import house

from trackai import app, worker
from trackai.alarms.evaluator import EVERY, NAME
from trackai.alarms.watchman import STANDS_IN_AFTER, House, Means, OpenMeans, open_evaluator
from trackai.model.clock import SystemClock, new_id
from trackai.operations.doctor import _clock
from trackai.operations.findings import Patient, State
from trackai.settings import Settings
from trackai.storage.alarm_signals import load_signals_all_tenants
from trackai.storage.database_clock import DatabaseClock, database_clock, find_time
from trackai.storage.jobs import Run, note_job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.world import World

    from trackai.alarms.metrics_log import MetricsLog
    from trackai.destinations.http import Http
    from trackai.worker import Job

HOUR = dt.timedelta(hours=1)
CLOSE = dt.timedelta(seconds=5)


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine's clock be an hour behind."""
    right = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda clock: right(clock) - HOUR)


async def time_of(world: "World") -> dt.datetime:
    async with world.workers.transaction() as tx:
        return await find_time(tx)


def test_time_goes_on_by_what_passed_until_it_is_set_again() -> None:
    noon, passed = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), [100.0]
    clock = DatabaseClock(noon, lambda: passed[0])
    passed[0] = 130.0
    later = clock.now()
    clock.set(noon)

    assert (dt.timedelta(seconds=30), noon) == (later - noon, clock.now())


async def test_the_database_is_asked_again_and_again(world: "World") -> None:
    async with database_clock(world.workers, every_s=0.01) as clock, asyncio.timeout(30):
        clock.set(await time_of(world) - HOUR)
        while abs(await time_of(world) - clock.now()) > CLOSE:  # noqa: ASYNC110 - a task is waited for
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("behind")
async def test_a_server_whose_clock_is_behind_stands_in_in_time(
    world: "World", http: "Http"
) -> None:
    at = await time_of(world) - STANDS_IN_AFTER - dt.timedelta(seconds=1)
    run = Run(ok=True, reason=None, work=1, finished_at=at, next_at=at + EVERY)
    async with world.workers.transaction() as tx:
        await note_job(tx, NAME, run, started_at=at)
    async with database_clock(world.workers) as clock:
        means = Means(world.workers, world.envelope, http, clock, new_id, None)
        await open_evaluator(house("http://127.0.0.1:9"), means, after=STANDS_IN_AFTER).step()
    async with world.workers.transaction() as tx:
        assert await load_signals_all_tenants(tx)


@pytest.mark.usefixtures("behind")
async def test_servers_and_workers_watch_by_the_databases_clock(
    world: "World", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    times: list[dt.datetime] = []

    @asynccontextmanager
    async def stand_in(house: House, means: OpenMeans) -> AsyncIterator[None]:
        del house
        async with means() as opened:
            times.append(opened.clock.now())
        yield

    def watching(settings: Settings, means: Means, log: "MetricsLog | None") -> "Sequence[Job]":
        del settings, log
        times.append(means.clock.now())
        return []

    monkeypatch.setattr(app, "standing_in", stand_in)
    monkeypatch.setattr(worker, "_watching", watching)
    settings = Settings(data_dir=tmp_path)
    async with app.open_app(settings, world.url, world.envelope, app.Companions()):
        pass
    async with worker.open_worker(settings, world.url, world.envelope):
        pass
    now = await time_of(world)

    assert 2 == len(times)
    assert all(abs(now - one) < CLOSE * 12 for one in times)


@pytest.mark.usefixtures("behind")
async def test_the_doctor_says_how_far_the_clocks_are_apart(world: "World") -> None:
    patient = Patient(
        *(world.workers, world.envelope, None, SystemClock(), Path(), None, []), mail=True
    )
    (found,) = await _clock(patient)

    assert State.WARNING is found.state
    assert found.found.endswith("s behind the database's")
    assert found.found.startswith(("3,599", "3,600", "3,601"))
