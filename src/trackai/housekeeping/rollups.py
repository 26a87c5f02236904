"""Counts that change are folded into buckets every second; what time does to buckets, seldom."""

import datetime as dt

from trackai.model.clock import Clock
from trackai.storage import jobs, rollups
from trackai.storage.jobs import Run
from trackai.storage.pool import Database, Open, Role, Tx
from trackai.telemetry.metrics import FOLDED

# How long buckets are kept; days stay.
KEPT = {"minute": dt.timedelta(hours=49), "hour": dt.timedelta(days=92)}
# Changes folded, or buckets deleted, in one transaction; and transactions of one run.
BATCH, BATCHES = 5000, 200
# Folding goes on all the time; the list of tasks hears of it so often.
FOLD, NOTED_EVERY = "fold", dt.timedelta(seconds=10)


class Folder:
    """Job: folds what transactions wrote beside their changes; one at a time, whoever is first."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted_at: dt.datetime | None = None
        self._folded = 0  # since then

    async def step(self) -> bool:
        """Fold some of each; False when little was left."""
        most = 0
        async with self._database.transaction() as tx:
            if not await rollups.try_lock_all_tenants(tx):
                return False
            await self._note(tx)
            for changed in rollups.CHANGED:
                number = await rollups.fold_all_tenants(tx, changed, limit=BATCH)
                FOLDED.labels(changed).inc(number)
                self._folded += number
                most = max(most, number)
        return most >= BATCH

    async def _note(self, tx: Tx) -> None:
        """Say in the list of tasks that counts are folded, once in a while."""
        now = self._clock.now()
        began = self._noted_at or now - NOTED_EVERY
        if now - began < NOTED_EVERY:
            return
        run = Run(
            ok=True, reason=None, work=self._folded, finished_at=now, next_at=now + NOTED_EVERY
        )
        await jobs.note_job(tx, FOLD, run, started_at=began)
        self._noted_at, self._folded = now, 0


class RollupUpkeep:
    """Task. Opens connections when it has something to do: that is seldom."""

    def __init__(self, open_database: Open, clock: Clock) -> None:
        self._open = open_database
        self._clock = clock

    async def run(self) -> int:
        """Note peaks; delete buckets that are empty or over; return how many of all."""
        async with self._open(Role.PIPELINE) as database, database.transaction() as tx:
            done = await rollups.note_peaks_all_tenants(tx)
            if await rollups.try_lock_all_tenants(tx):
                done += await rollups.delete_empty_all_tenants(tx)
        async with self._open(Role.HOUSEKEEPING) as database:
            for table in rollups.TABLES:
                for grain, kept in KEPT.items():
                    done += await self._delete(database, table, grain, self._clock.now() - kept)
        return done

    async def _delete(self, database: Database, table: str, grain: str, before: dt.datetime) -> int:
        gone = 0
        for _ in range(BATCHES):
            async with database.transaction() as tx:
                number = await rollups.delete_old_all_tenants(
                    tx, table, grain=grain, before=before, limit=BATCH
                )
            gone += number
            if number < BATCH:
                break
        return gone
