"""Runs what is due at times: one worker at a time each, whoever is first.

A run that fails is tried again in a minute; one whose worker died, when its lease ends. Long work
has a scheduler of its own, so that it holds nothing else up.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from trackai.errors import TrackaiError
from trackai.model.clock import Clock
from trackai.storage import jobs
from trackai.storage.jobs import Run
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import TASK_RUNS, TASK_SECONDS

# What there is to be run; alarms ask whether it is.
TASKS = (
    *("partitions", "rollups", "zones", "resettle", "forget", "doors", "rejections", "purge"),
    *("alarm-upkeep", "evidence"),
)
# What takes hours and is run beside the others, where backups are made.
BACKUP_TASKS = ("backup", "backup-upkeep")
# Takes the log of a server that is ours, all day long.
LOG_TASK = "backup-log"
# Longest run; what is left then is done by the next.
LONGEST = dt.timedelta(minutes=5)
# A run that never ended is somebody else's after this.
LEASE = dt.timedelta(minutes=6)
# How often a run that goes on makes its lease longer.
HOLD = dt.timedelta(minutes=2)
# Soonest that a run that failed is tried again.
AGAIN = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Task:
    """Work that is due at times. `run` returns how much it did, in its own units."""

    name: str
    every: dt.timedelta
    run: Callable[[], Awaitable[int]]
    longest: dt.timedelta = LONGEST
    again: dt.timedelta = AGAIN


class Scheduler:
    """Job: runs the task that has been due for longest."""

    def __init__(self, database: Database, tasks: Sequence[Task], clock: Clock) -> None:
        self._database = database
        self._tasks = {task.name: task for task in tasks}
        self._clock = clock
        self._known = False

    async def step(self) -> bool:
        """Run one task; False when none is due."""
        started_at = self._clock.now()
        async with self._database.transaction() as tx:
            if not self._known:
                every = [(one.name, int(one.every.total_seconds())) for one in self._tasks.values()]
                await jobs.insert_jobs(tx, every, now=started_at)
            name = await jobs.claim_job(
                tx, list(self._tasks), now=started_at, until=started_at + LEASE
            )
        self._known = True
        if name is None:
            return False
        run = await self._hold(self._tasks[name], started_at)
        async with self._database.transaction() as tx:
            await jobs.finish_job(tx, name, run, started_at=started_at)
        return True

    async def _hold(self, task: Task, started_at: dt.datetime) -> Run:
        """Run a task, and keep its lease from ending meanwhile."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(HOLD.total_seconds())
                until = self._clock.now() + LEASE
                try:
                    async with self._database.transaction() as tx:
                        await jobs.extend_job(tx, task.name, started_at=started_at, until=until)
                except TrackaiError as error:
                    get_logger().warning("task.not_held", task=task.name, reason=error.code)

        holding = asyncio.create_task(hold(), name=f"hold-{task.name}")
        try:
            return await self._run(task)
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _run(self, task: Task) -> Run:
        began, reason, work = time.perf_counter(), None, 0
        try:
            async with asyncio.timeout(task.longest.total_seconds()):
                work = await task.run()
        except TimeoutError:
            reason = "took too long"
        except TrackaiError as error:
            reason = error.code
        except Exception as error:  # noqa: BLE001 - one task's defect must not end the others
            get_logger().exception("task.failed", task=task.name)
            reason = type(error).__name__
        now, ok = self._clock.now(), reason is None
        TASK_RUNS.labels(task.name, "ok" if ok else "failed").inc()
        TASK_SECONDS.labels(task.name).observe(time.perf_counter() - began)
        if not ok:
            get_logger().warning("task.failed", task=task.name, reason=reason)
        next_at = now + (task.every if ok else min(task.every, task.again))
        return Run(ok=ok, reason=reason, work=work, finished_at=now, next_at=next_at)


def backup_tasks(vault: str | None, *, ours: bool) -> tuple[str, ...]:
    """Return what else is run where backups go somewhere, of a server that may be ours."""
    if vault is None:
        return ()
    return (*BACKUP_TASKS, LOG_TASK) if ours else BACKUP_TASKS


async def until_idle(step: Callable[[], Awaitable[bool]], *, most: int = 10_000) -> int:
    """Repeat a step while it finds something to do, bounded; return how often it did."""
    for number in range(most):
        if not await step():
            return number
    return most
