"""Smoke tests, drills and baselines go in their time; the last of each stays."""

import datetime as dt
from uuid import UUID

from tests.support.world import World

from trackai.housekeeping.evidence import BASELINES_KEPT, RUNS_KEPT, EvidenceUpkeep
from trackai.model.clock import new_id
from trackai.storage import baselines, drill_runs, smoke_runs
from trackai.storage.baselines import Baseline
from trackai.storage.drill_runs import DrillRun
from trackai.storage.pool import Tx
from trackai.storage.smoke_runs import SmokeRun

DAY = dt.timedelta(days=1)


async def smoke(tx: Tx, at: dt.datetime, *, passed: bool, closed: bool = True) -> UUID:
    """Note a run; return the account that was made for it."""
    made = SmokeRun(new_id(), new_id(), new_id(), "1", "https://t.test", at)
    await smoke_runs.insert_run(tx, made)
    await smoke_runs.finish_run(tx, made.id, at=at, passed=passed, steps=[])
    if closed:
        await smoke_runs.close_run(tx, made.practice, at=at)
    return made.practice


async def test_smoke_tests_go_but_for_the_last_the_last_that_passed_and_open_accounts(
    world: World,
) -> None:
    now = world.clock.now()
    old = now - RUNS_KEPT - DAY
    async with world.workers.transaction() as tx:
        await smoke(tx, old - DAY, passed=True)
        opened = await smoke(tx, old - DAY, passed=False, closed=False)
        passed = await smoke(tx, old, passed=True)
        await smoke(tx, old + DAY / 4, passed=False)
        last = await smoke(tx, old + DAY / 2, passed=False)
    gone = [await EvidenceUpkeep(world.workers, world.clock).run() for _ in range(2)]
    async with world.workers.transaction() as tx:
        left = {row["practice"] for row in await tx.fetch("select practice from smoke_runs")}
        practice = await smoke_runs.list_practice(tx, since=now)

    assert [2, 0] == gone
    assert {opened, passed, last} == left
    # A ticket of last year is still nobody's sales.
    assert {opened} == practice


async def test_drills_go_but_for_the_last_of_each_alarm(world: World) -> None:
    now = world.clock.now()
    async with world.workers.transaction() as tx:
        for alarm, days in (("dlq_depth", 200), ("dlq_depth", 100), ("cpu", 100), ("cpu", 1)):
            made = DrillRun(alarm, now - days * DAY, whole=True)
            await drill_runs.insert_run(tx, new_id(), made)
    gone = await EvidenceUpkeep(world.workers, world.clock).run()
    async with world.workers.transaction() as tx:
        left = await tx.fetch("select alarm, at from drill_runs order by at")

    assert 2 == gone
    assert [("dlq_depth", now - 100 * DAY), ("cpu", now - DAY)] == [tuple(row) for row in left]


async def test_baselines_go_but_for_the_standard_and_the_newest(world: World) -> None:
    now = world.clock.now()
    async with world.workers.transaction() as tx:
        for days, standard in ((30, True), (20, False), (10, False)):
            at = now - BASELINES_KEPT - days * DAY
            made = Baseline(new_id(), at, at - DAY, at, "1", {}, standard)
            await baselines.insert_baseline(tx, made)
    gone = await EvidenceUpkeep(world.workers, world.clock).run()
    async with world.workers.transaction() as tx:
        left = [one.standard for one in await baselines.list_baselines(tx, limit=9)]

    assert 1 == gone
    assert [False, True] == left
