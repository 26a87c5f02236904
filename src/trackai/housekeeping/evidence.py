"""Task: what smoke tests, drills and baselines left is deleted when nothing rests on it any more.

The go-live checklist looks at the last of each, and at accounts of smoke tests of the last two
months: those stay, however old.
"""

import datetime as dt

from trackai.model.clock import Clock
from trackai.storage import baselines, drill_runs, smoke_runs
from trackai.storage.pool import Database

# Longer than anything is looked back for (operations/golive/desk.py).
RUNS_KEPT = dt.timedelta(days=90)
# Whoever asks how it was a year ago still finds it.
BASELINES_KEPT = dt.timedelta(days=400)


class EvidenceUpkeep:
    """Works by the worker's own connections: it is little."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> int:
        """Delete what is over; return how many rows."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            return (
                await smoke_runs.delete_old(tx, closed_before=now - RUNS_KEPT)
                + await drill_runs.delete_old(tx, before=now - RUNS_KEPT)
                + await baselines.delete_old(tx, before=now - BASELINES_KEPT)
            )
