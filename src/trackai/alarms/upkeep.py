"""Task: what is over of samples, history, calls and drills is deleted."""

import datetime as dt

from trackai.model.clock import Clock
from trackai.storage import alarm_calls, alarm_history, alarm_samples, alarm_signals
from trackai.storage.pool import Database

SAMPLES_KEPT = dt.timedelta(days=1)
HISTORY_KEPT = dt.timedelta(days=90)
CALLS_KEPT = dt.timedelta(days=90)
# A drill takes seconds, on a clock that may be hours ahead, and what is its own away with it.
DRILLS_KEPT = dt.timedelta(days=1)


class AlarmUpkeep:
    """Works by the worker's own connections: it is little."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> int:
        """Delete what is over; return how many rows."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            return (
                await alarm_samples.delete_old_all_tenants(tx, before=now - SAMPLES_KEPT)
                + await alarm_history.delete_old_all_tenants(tx, before=now - HISTORY_KEPT)
                + await alarm_calls.delete_old_all_tenants(tx, before=now - CALLS_KEPT)
                + await alarm_signals.delete_left_all_tenants(tx, before=now - DRILLS_KEPT)
            )
