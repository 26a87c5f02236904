"""Job: makes the calls that are due, in the order of each incident's deeds.

1. take some, for a while; 2. open the routes that they go by; 3. say each once; 4. record how it
went. Whoever dies after 3 says it again: PagerDuty drops it by its key, others hear it twice.
"""

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from trackai.alarms.message import CHANGED, message_of, message_of_change
from trackai.alarms.message import Sender as Who
from trackai.alarms.ways.port import Again, Outcome, Refused, Way, Went
from trackai.model.alarm import REAL, Alarm, Deed, RouteKind
from trackai.model.clock import Clock
from trackai.storage import alarm_calls
from trackai.storage.alarm_calls import DueCall, Means
from trackai.storage.alarm_routes import Route, Target, open_routes_all_tenants
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import ALARM_CALLS

# Calls side by side.
AT_ONCE = 10
# Longer than the slowest way takes for one: a mail server is asked three times.
LEASE = dt.timedelta(minutes=3)
# After the first try so long, then three times as long each, and never longer than an hour.
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=5), dt.timedelta(hours=1)
# Then nobody is told; the alarm calls_lost says so by other routes.
MOST_TRIES = 10

# None: it does not open.
Opened = Mapping[UUID, tuple[Route, Target | None]]
# The key may be at hand in another process, or again soon.
SEALED = "route_does_not_open"
# What nobody thought of; it counts as a try, so that it ends, and calls_lost tells of it.
BROKE = "call_broke"


class OpenRoutes(Protocol):
    """Finds out where routes lead."""

    async def __call__(self, tx: Tx, ids: Iterable[UUID]) -> Opened:
        """Return id -> route and target, of those that are used."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """The routes that people made."""

    envelope: Envelope

    async def __call__(self, tx: Tx, ids: Iterable[UUID]) -> Opened:
        """Return id -> route and target, of those that are used."""
        return await open_routes_all_tenants(tx, self.envelope, ids)


@dataclass(frozen=True, slots=True)
class Calls:
    """Who calls, for which alarms, by which ways."""

    who: Who
    alarms: Mapping[str, Alarm]
    ways: Mapping[RouteKind, Way]
    routes: OpenRoutes
    drill: UUID = REAL

    @property
    def means(self) -> Means:
        """Return what can be said, and by which kinds of routes."""
        kinds = [kind.value for kind, way in self.ways.items() if way.ready]
        return Means((*self.alarms, CHANGED), kinds)


class Sender:
    """Makes calls."""

    def __init__(self, database: Database, calls: Calls, clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._clock = clock

    async def step(self) -> bool:
        """Make some calls; False when few were due."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            due = await alarm_calls.claim_calls_all_tenants(
                tx,
                now=now,
                until=now + LEASE,
                limit=AT_ONCE,
                means=self._calls.means,
                drill=self._calls.drill,
            )
            routes = await self._calls.routes(tx, {one.route_id for one in due}) if due else {}
        await asyncio.gather(*(self._make(one, routes) for one in due))
        return len(due) == AT_ONCE

    async def _make(self, call: DueCall, routes: Opened) -> None:
        found = routes.get(call.route_id)
        outcome = await self._outcome(call, *found) if found else Refused("route_gone")
        kind = found[0].kind.value if found else "none"
        now = self._clock.now()
        again_at = next_try(call.attempts, now) if isinstance(outcome, Again) else None
        reason = None if isinstance(outcome, Went) else outcome.reason
        async with self._database.transaction() as tx:
            await alarm_calls.settle_call(tx, call, reason=reason, again_at=again_at, now=now)
        ended = "sent" if reason is None else "again" if again_at else "dead"
        ALARM_CALLS.labels(kind, call.deed.value, ended).inc()
        said = {"alarm": call.alarm, "route": kind, "deed": call.deed.value, "reason": reason}
        if ended == "dead":
            get_logger().error("alarm_call.dead", call_id=str(call.id), **said)
        else:
            get_logger().info(f"alarm_call.{ended}", call_id=str(call.id), **said)

    async def _outcome(self, call: DueCall, route: Route, target: Target | None) -> Outcome:
        try:
            return await self._say(call, route, target)
        except Exception:  # noqa: BLE001 - whatever one call does, the others are made
            get_logger().exception("alarm_call.broke", call_id=str(call.id), alarm=call.alarm)
            return Again(BROKE)

    async def _say(self, call: DueCall, route: Route, target: Target | None) -> Outcome:
        if target is None:
            return Again(SEALED)
        alarm, way = self._calls.alarms.get(call.alarm), self._calls.ways.get(route.kind)
        if way is not None and call.deed is Deed.CHANGE:
            return await way.tell(message_of_change(call, route, self._calls.who), target)
        if alarm is None or way is None:
            # Of an environment in which somebody else pages.
            return Refused("not_ours")
        return await way.tell(message_of(call, route, alarm, self._calls.who), target)


def next_try(attempts: int, now: dt.datetime) -> dt.datetime | None:
    """Return when to try again after so many tries; None: never."""
    if attempts >= MOST_TRIES:
        return None
    tripled = FIRST_PAUSE.total_seconds() * 3.0 ** (attempts - 1)
    return now + min(dt.timedelta(seconds=tripled), LONGEST_PAUSE)
