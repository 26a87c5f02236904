"""Counts that change are folded into buckets every second; what time does to buckets, seldom."""

import datetime as dt

from trackai.model.clock import Clock
from trackai.storage import rollups
from trackai.storage.pool import Database, Open, Role
from trackai.telemetry.metrics import FOLDED

# How long buckets are kept; days stay.
KEPT = {"minute": dt.timedelta(days=2), "hour": dt.timedelta(days=92)}
# Changes folded, or buckets deleted, in one transaction; and transactions of one run.
BATCH, BATCHES = 5000, 200


class Folder:
    """Job: folds what transactions wrote beside their changes; one at a time, whoever is first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def step(self) -> bool:
        """Fold some of each; False when little was left."""
        most = 0
        async with self._database.transaction() as tx:
            if not await rollups.try_lock_all_tenants(tx):
                return False
            for changed in rollups.CHANGED:
                number = await rollups.fold_all_tenants(tx, changed, limit=BATCH)
                FOLDED.labels(changed).inc(number)
                most = max(most, number)
        return most >= BATCH


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
