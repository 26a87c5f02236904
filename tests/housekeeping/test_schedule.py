"""What is due at times runs once each time, in whichever worker is first."""

import asyncio
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from trackai.errors import StorageUnavailable
from trackai.housekeeping import schedule
from trackai.housekeeping.rollups import Folder
from trackai.housekeeping.schedule import AGAIN, LEASE, Scheduler, Task, until_idle
from trackai.storage import jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest
    from tests.support.world import World

HOUR = dt.timedelta(hours=1)


class Book:
    """What ran, and how the next run is to end."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.error: Exception | None = None

    def task(self, name: str, every: dt.timedelta = HOUR) -> Task:
        async def run() -> int:
            self.ran[name] += 1
            if self.error is not None:
                raise self.error
            return 7

        return Task(name, every, run)


async def rows(world: "World") -> "Mapping[str, Mapping[str, object]]":
    async with world.workers.transaction() as tx:
        return {row["name"]: dict(row) for row in await jobs.list_jobs(tx)}


async def test_every_task_runs_at_the_start_and_then_when_it_is_due(world: "World") -> None:
    book = Book()
    tasks = [book.task("hourly"), book.task("often", dt.timedelta(minutes=1))]
    scheduler = Scheduler(world.workers, tasks, world.clock)

    await until_idle(scheduler.step)
    assert {"hourly": 1, "often": 1} == book.ran
    for _ in range(60):
        world.clock.forward(minutes=1)
        await until_idle(scheduler.step)

    assert {"hourly": 2, "often": 61} == book.ran
    told = (await rows(world))["hourly"]
    assert (told["ok"], told["reason"], told["work"]) == (True, None, 7)
    assert told["next_at"] == world.clock.now() + HOUR


async def test_of_many_workers_one_runs_it(world: "World") -> None:
    book = Book()
    workers = [Scheduler(world.workers, [book.task("once")], world.clock) for _ in range(4)]

    for _ in range(3):
        await asyncio.gather(*(one.step() for one in workers))

    assert {"once": 1} == book.ran


async def test_a_run_that_fails_is_told_and_tried_again_soon(world: "World") -> None:
    book = Book()
    scheduler = Scheduler(world.workers, [book.task("hourly")], world.clock)
    for error, reason in (
        (StorageUnavailable("away"), StorageUnavailable.code),
        (ValueError("a value that nobody may see"), "ValueError"),
    ):
        book.error = error
        await scheduler.step()
        told = (await rows(world))["hourly"]
        assert (told["ok"], told["reason"]) == (False, reason)
        assert "nobody may see" not in str(told)
        world.clock.forward(seconds=AGAIN.total_seconds())
    book.error = None

    await scheduler.step()

    assert {"hourly": 3} == book.ran
    assert (await rows(world))["hourly"]["ok"] is True


async def test_a_task_whose_worker_died_is_another_ones_after_its_lease(world: "World") -> None:
    book = Book()
    scheduler = Scheduler(world.workers, [book.task("hourly")], world.clock)
    await scheduler.step()
    world.clock.forward(hours=1)
    async with world.workers.transaction() as tx:  # a worker claims it and is killed
        now = world.clock.now()
        assert await jobs.claim_job(tx, ["hourly"], now=now, until=now + LEASE) == "hourly"

    early = await scheduler.step()
    world.clock.forward(seconds=LEASE.total_seconds())
    late = await scheduler.step()

    assert (early, late) == (False, True)


async def test_a_worker_that_comes_back_late_does_not_end_anothers_run(world: "World") -> None:
    book = Book()
    scheduler = Scheduler(world.workers, [book.task("hourly")], world.clock)
    await scheduler.step()
    world.clock.forward(hours=1)
    first = world.clock.now()
    async with world.workers.transaction() as tx:
        await jobs.claim_job(tx, ["hourly"], now=first, until=first + LEASE)
    world.clock.forward(seconds=LEASE.total_seconds())
    await scheduler.step()
    before = (await rows(world))["hourly"]

    async with world.workers.transaction() as tx:
        run = jobs.Run(ok=False, reason="late", work=0, finished_at=first, next_at=first)
        await jobs.finish_job(tx, "hourly", run, started_at=first)

    assert before == (await rows(world))["hourly"]


async def test_a_task_can_be_asked_for_and_an_unknown_one_cannot(world: "World") -> None:
    book = Book()
    scheduler = Scheduler(world.workers, [book.task("hourly")], world.clock)
    await scheduler.step()
    async with world.workers.transaction() as tx:
        known = await jobs.hasten_job(tx, "hourly", now=world.clock.now())
        unknown = await jobs.hasten_job(tx, "daily", now=world.clock.now())

    await scheduler.step()

    assert (known, unknown) == (True, False)
    assert {"hourly": 2} == book.ran


async def test_the_list_tells_that_counts_are_folded(world: "World") -> None:
    folder, other = (Folder(world.workers, world.clock) for _ in range(2))
    await world.click("c1")
    await folder.step()
    at_first = (await rows(world))["fold"]
    world.clock.forward(seconds=9)
    await folder.step()
    unchanged = (await rows(world))["fold"]
    world.clock.forward(seconds=1)
    await other.step()
    world.clock.forward(seconds=10)
    await folder.step()
    after = (await rows(world))["fold"]

    assert (at_first["ok"], at_first["work"], at_first["every_s"]) == (True, 0, 10)
    assert unchanged == at_first
    assert (after["work"], after["finished_at"]) == (1, world.clock.now())


async def test_a_run_that_goes_on_stays_its_workers(
    world: "World", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    monkeypatch.setattr(schedule, "HOLD", dt.timedelta(milliseconds=5))
    leases: list[object] = []

    async def run() -> int:
        world.clock.forward(minutes=5)
        async with asyncio.timeout(60):
            while world.clock.now() + LEASE not in leases:
                leases.append((await rows(world))["long"]["lease_until"])
                await asyncio.sleep(0.01)
        return 1

    task = Task("long", HOUR, run, longest=HOUR)

    assert await Scheduler(world.workers, [task], world.clock).step()
    assert (await rows(world))["long"]["lease_until"] is None


async def test_long_work_that_failed_waits_longer_for_its_next_try(world: "World") -> None:
    book = Book()
    book.error = StorageUnavailable("away")
    quarter = dt.timedelta(minutes=15)
    task = Task("long", HOUR, book.task("long").run, again=quarter)

    await Scheduler(world.workers, [task], world.clock).step()

    assert (await rows(world))["long"]["next_at"] == world.clock.now() + quarter
