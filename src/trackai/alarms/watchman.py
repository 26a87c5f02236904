"""Puts together what watches and what calls; and stands in for workers that are gone.

Workers look at the alarms. Should none of them have done so for a minute, a server process does: or
nobody would hear that there are no workers.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from trackai.alarms.catalogue import ALARMS, watched
from trackai.alarms.evaluator import EVERY, Evaluator, Really, Watch
from trackai.alarms.message import Sender as Who
from trackai.alarms.metrics_log import MetricsLog
from trackai.alarms.sender import Calls, Sender, Stored
from trackai.alarms.ways.opening import open_ways
from trackai.destinations.http import Http
from trackai.errors import TrackaiError
from trackai.mail.port import Mail
from trackai.model.clock import Clock, NewId
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import JOB_ERRORS
from trackai.tracker.public_web import PublicWeb

# Nobody has looked for so long: a server process does.
STANDS_IN_AFTER = dt.timedelta(minutes=1)
_JOB = "alarms-stand-in"


@dataclass(frozen=True, slots=True)
class House:
    """What is watched, and as whom people are called."""

    base_url: str
    environment: str
    production: bool
    tasks: Sequence[str]  # the scheduler's
    pages: bool  # we call PagerDuty, not something else
    pagerduty_url: str
    log: MetricsLog | None = None  # where graphs outside have their numbers from

    @property
    def who(self) -> Who:
        """Return as whom people are called: no environment hides another's incidents."""
        return Who(self.base_url, f"{self.environment}/{urlsplit(self.base_url).netloc}")


@dataclass(frozen=True, slots=True)
class Means:
    """What it is done with; the database is of the role that sees all tenants."""

    database: Database
    envelope: Envelope
    http: Http
    clock: Clock
    new_id: NewId
    mail: Mail | None


# Opens them for one look: a server process seldom needs to see all tenants.
OpenMeans = Callable[[], AbstractAsyncContextManager[Means]]


def open_evaluator(house: House, means: Means, *, after: dt.timedelta | None = None) -> Evaluator:
    """Return what looks at every alarm; `after`: only when nobody has for so long."""
    alarms = watched(production=house.production)
    source = Really(alarms, house.tasks, house.pages)
    watch = Watch(alarms, source, house.who.environment, log=house.log)
    return Evaluator(means.database, watch, means.clock, means.new_id, after=after)


def open_sender(house: House, means: Means) -> Sender:
    """Return what makes calls."""
    web = PublicWeb()
    url = house.pagerduty_url
    ways = open_ways(means.http, means.clock, means.mail, pagerduty_url=url, web=web)
    calls = Calls(house.who, ALARMS, ways, Stored(means.envelope))
    return Sender(means.database, calls, means.clock)


@asynccontextmanager
async def standing_in(
    house: House, open_means: OpenMeans, *, every_s: float = EVERY.total_seconds()
) -> AsyncIterator[None]:
    """Look and call for the length of a block, whenever no worker does."""

    async def look() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                async with open_means() as means:
                    await open_evaluator(house, means, after=STANDS_IN_AFTER).step()
                    sender = open_sender(house, means)
                    while await sender.step():
                        pass
            except (TrackaiError, TimeoutError) as error:
                get_logger().warning("alarms.not_looked_at", reason=type(error).__name__)
            except Exception:  # noqa: BLE001 - a defect of watching must not end the watching
                JOB_ERRORS.labels(_JOB).inc()
                get_logger().exception("job.failed", job=_JOB)

    task = asyncio.create_task(look(), name=_JOB)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
