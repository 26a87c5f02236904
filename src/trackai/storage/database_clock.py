"""The database's clock, for what several machines must agree on: whose turn it is, what is due.

It is asked once a minute; between that it goes on by what has passed here, whatever is done to the
machine's own clock meanwhile.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from trackai.errors import TrackaiError
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger

EVERY_S = 60.0

# What time it is, not when the transaction began.
FIND_TIME = "select clock_timestamp() as now"


class DatabaseClock:
    """Tells the time that the database had, and what has passed since."""

    def __init__(self, at: dt.datetime, passed: Callable[[], float] = time.monotonic) -> None:
        self._at = at
        self._passed = passed
        self._began = passed()

    def now(self) -> dt.datetime:
        """Return the current time with zone UTC."""
        return self._at + dt.timedelta(seconds=self._passed() - self._began)

    def set(self, at: dt.datetime) -> None:
        """Go on from the time that it is now."""
        self._at, self._began = at, self._passed()


async def find_time(tx: Tx) -> dt.datetime:
    """Return what time it is to the database."""
    (row,) = await tx.fetch(FIND_TIME)
    now: dt.datetime = row["now"]
    return now


@asynccontextmanager
async def database_clock(
    database: Database, *, every_s: float = EVERY_S
) -> AsyncIterator[DatabaseClock]:
    """Keep a clock for the length of a block, set again and again."""
    async with database.transaction() as tx:
        clock = DatabaseClock(await find_time(tx))

    async def keep() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                async with database.transaction() as tx:
                    clock.set(await find_time(tx))
            except TrackaiError as error:
                get_logger().info("clock.not_set", reason=error.code)

    task = asyncio.create_task(keep(), name="database-clock")
    try:
        yield clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
