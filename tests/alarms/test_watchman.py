"""Should no worker look at the alarms, a server process does."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from trackai.alarms.evaluator import EVERY, NAME
from trackai.alarms.watchman import STANDS_IN_AFTER, House, Means, open_evaluator, standing_in
from trackai.housekeeping.schedule import TASKS
from trackai.model.clock import new_id
from trackai.storage.jobs import Run, insert_jobs, note_job
from trackai.worker import _tasks

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower
    from tests.conftest import Serve

    from trackai.destinations.http import Http

HOUR = dt.timedelta(hours=1)


def house(pager_url: str) -> House:
    return House("https://track.example.com", "test", False, list(TASKS), True, pager_url)  # noqa: FBT003


async def look(tower: "Tower", *, ago: dt.timedelta) -> None:
    """Let a worker have looked so long ago, and have run its tasks then."""
    at = tower.world.clock.now() - ago
    run = Run(ok=True, reason=None, work=1, finished_at=at, next_at=at + EVERY)
    async with tower.world.workers.transaction() as tx:
        await note_job(tx, NAME, run, started_at=at)
        await insert_jobs(tx, [("purge", 60)], now=at)


async def test_a_server_calls_somebody_when_there_are_no_workers(
    tower: "Tower", http: "Http", serve: "Serve"
) -> None:
    await tower.page()
    await look(tower, ago=HOUR)
    world = tower.world

    @asynccontextmanager
    async def means() -> AsyncIterator[Means]:
        # A minute passes between two looks.
        world.clock.forward(seconds=STANDS_IN_AFTER.total_seconds() + 1)
        yield Means(world.workers, world.envelope, http, world.clock, new_id, None)

    pager_url = await serve(tower.pager)
    async with standing_in(house(pager_url), means, every_s=0.01), asyncio.timeout(60):
        while not tower.pager.incidents:  # noqa: ASYNC110 - another program is waited for
            await asyncio.sleep(0.01)

    assert "Tasks do not run" in tower.pager.incidents[0].summary


async def test_while_workers_look_a_server_does_not(tower: "Tower", http: "Http") -> None:
    await look(tower, ago=STANDS_IN_AFTER)
    world = tower.world
    means = Means(world.workers, world.envelope, http, world.clock, new_id, None)
    evaluator = open_evaluator(house("http://127.0.0.1:9"), means, after=STANDS_IN_AFTER)
    await evaluator.step()
    early = await tower.standings()
    world.clock.forward(seconds=1)
    await evaluator.step()

    assert {} == early
    assert await tower.standings()


def test_alarms_ask_after_every_task_that_there_is(tower: "Tower") -> None:
    tasks = _tasks("", tower.world.workers, tower.world.envelope, tower.world.clock)  # type: ignore[arg-type]

    assert sorted(TASKS) == sorted(one.name for one in tasks)


async def test_where_nobody_ever_looked_a_server_does(tower: "Tower", http: "Http") -> None:
    world = tower.world
    means = Means(world.workers, world.envelope, http, world.clock, new_id, None)
    await open_evaluator(house("http://127.0.0.1:9"), means, after=STANDS_IN_AFTER).step()

    assert await tower.standings()


async def test_a_look_from_the_time_to_come_keeps_no_server_from_looking(
    tower: "Tower", http: "Http"
) -> None:
    await look(tower, ago=-HOUR)
    world = tower.world
    means = Means(world.workers, world.envelope, http, world.clock, new_id, None)
    await open_evaluator(house("http://127.0.0.1:9"), means, after=STANDS_IN_AFTER).step()

    assert await tower.standings()
