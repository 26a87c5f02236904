"""An alarm fired on purpose: its condition is made true, and everything that follows is watched.

What is measured is pretended, by samples that carry the drill's id; from there on all is as it
would be: thresholds, durations, calls, the pager's answer. The drill has a clock of its own, so
that half an hour of dead letters takes no half hour, and its rows are nobody else's: neither the
evaluator of the workers nor any number sees them. They are gone at the end; the history stays,
marked.
"""

import datetime as dt
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.alarms.calling import full_key
from trackai.alarms.evaluator import Evaluator, Watch, limits_for
from trackai.alarms.measuring import Measured
from trackai.alarms.message import Sender as Who
from trackai.alarms.rules import limits_of, own_key
from trackai.alarms.sender import Calls, Opened, Sender
from trackai.alarms.ways.port import Way
from trackai.model.alarm import INSTALLATION, Alarm, Limits, RouteKind, Standing, State, Subject
from trackai.model.clock import Clock, NewId
from trackai.storage import alarm_calls, alarm_choices, alarm_samples, alarm_signals
from trackai.storage.alarm_routes import Route
from trackai.storage.pool import Database, Tx

# Of what a drill pretends to be.
PROCESS = "drill"
# Between two looks, as in earnest.
LOOK = dt.timedelta(seconds=15)
# Looks after which something must have happened that does not.
PATIENCE = 8

# Returns whether an incident of this key is open at the pager; None: the pager cannot be asked.
AskPager = Callable[[str], Awaitable[bool | None]]


@dataclass
class DrillClock:
    """Begins at the present and moves when it is told to."""

    moment: dt.datetime

    def now(self) -> dt.datetime:
        """Return the moment it stands at."""
        return self.moment


@dataclass(frozen=True, slots=True)
class Pretended:
    """Measures what the drill says, and nothing else; calls the drill's routes."""

    drill: UUID
    alarms: Mapping[str, Alarm]
    opened: Opened

    async def measure(self, tx: Tx, now: dt.datetime) -> dict[Subject, Measured]:
        """Return what the drill's samples say of the last minute."""
        values = await alarm_samples.load_latest_all_tenants(
            tx, since=now - LOOK, until=now, drill=self.drill
        )
        return {
            drilled(alarm): Measured(values.get(alarm.metric))
            for alarm in self.alarms.values()
            if alarm.metric in values
        }

    async def routes(self, tx: Tx) -> Sequence[Route]:
        """Return the drill's routes."""
        del tx
        return [route for route, _ in self.opened.values()]

    async def __call__(self, tx: Tx, ids: Iterable[UUID]) -> Opened:
        """Return where they lead."""
        del tx
        return {one: self.opened[one] for one in ids if one in self.opened}


@dataclass
class Drilled:
    """What became of one alarm; times are the drill's own, in seconds since it began."""

    alarm: str
    pending_s: float | None = None
    fired_s: float | None = None
    notified_s: float | None = None
    ended_s: float | None = None
    resolved_s: float | None = None
    took_ms: float = 0.0
    trouble: str = ""

    @property
    def whole(self) -> bool:
        """Tell whether it went all its way."""
        return None not in {self.fired_s, self.notified_s, self.ended_s, self.resolved_s}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a drill is held on."""

    database: Database
    routes: Opened
    ways: Mapping[RouteKind, Way]
    who: Who
    clock: Clock
    new_id: NewId
    ask: AskPager


@dataclass
class Drill:
    """One drill, of one alarm after the other."""

    ground: Ground
    id: UUID
    alarms: Mapping[str, Alarm]
    clock: DrillClock = field(init=False)

    def __post_init__(self) -> None:
        ground = self.ground
        self.clock = DrillClock(ground.clock.now())
        source = Pretended(self.id, self.alarms, ground.routes)
        watch = Watch(self.alarms, source, f"{ground.who.environment}/drill", self.id)
        calls = Calls(ground.who, self.alarms, ground.ways, source, self.id)
        self._environment = watch.environment
        self._evaluator = Evaluator(ground.database, watch, self.clock, ground.new_id)
        self._sender = Sender(ground.database, calls, self.clock)

    async def run(self, alarm: Alarm) -> Drilled:
        """Fire an alarm, wait for the call, end it, wait for the all-clear."""
        found, began, started = Drilled(alarm.id), time.perf_counter(), self.clock.now()

        def passed() -> float:
            return (self.clock.now() - started).total_seconds()

        limits = await self._limits(alarm)
        if alarm.lasting:
            await self._look(alarm, beyond(alarm, limits), dt.timedelta(0))
            if (await self._standing(alarm)).state is State.PENDING:
                found.pending_s = passed()
        await self._until(alarm, beyond(alarm, limits), alarm.lasting, State.ALARM)
        if (await self._standing(alarm)).state is not State.ALARM:
            found.trouble = "it did not fire"
            return found
        found.fired_s = passed()
        found.notified_s = passed() if await self._heard(alarm, open_=True) else None
        await self._until(alarm, well_of(alarm, limits), alarm.calm, State.OK)
        if (await self._standing(alarm)).state is State.OK:
            found.ended_s = passed()
            found.resolved_s = passed() if await self._heard(alarm, open_=False) else None
        found.trouble = "" if found.whole else "a call did not arrive, or it did not end"
        found.took_ms = 1000 * (time.perf_counter() - began)
        return found

    async def clear(self) -> None:
        """Take away everything of the drill but its history."""
        async with self.ground.database.transaction() as tx:
            await alarm_samples.delete_drill_all_tenants(tx, drill=self.id)
            await alarm_signals.delete_drill_all_tenants(tx, drill=self.id)
            await alarm_calls.delete_drill_all_tenants(tx, drill=self.id)

    async def _limits(self, alarm: Alarm) -> Limits:
        """Return the thresholds that count here."""
        async with self.ground.database.transaction() as tx:
            chosen = await alarm_choices.load_limits_all_tenants(tx)
        return limits_of(alarm, limits_for(chosen, drilled(alarm)))

    async def _until(self, alarm: Alarm, value: float, lasting: dt.timedelta, state: State) -> None:
        """Measure this for as long as it has to last, looking as often as in earnest."""
        looks = int(lasting / LOOK) + PATIENCE
        for _ in range(looks):
            await self._look(alarm, value, LOOK)
            if (await self._standing(alarm)).state is state:
                return

    async def _look(self, alarm: Alarm, value: float, after: dt.timedelta) -> None:
        self.clock.moment += after
        async with self.ground.database.transaction() as tx:
            await alarm_samples.insert_samples(
                *(tx, PROCESS, {alarm.metric: value}), at=self.clock.now(), drill=self.id
            )
        await self._evaluator.step()

    async def _standing(self, alarm: Alarm) -> Standing:
        async with self.ground.database.transaction() as tx:
            known = await alarm_signals.load_signals_all_tenants(tx, drill=self.id)
        return known.get(drilled(alarm)) or Standing(State.NO_DATA, self.clock.now())

    async def _heard(self, alarm: Alarm, *, open_: bool) -> bool:
        """Make the calls that are due and tell whether the pager has it, or has it no more."""
        key = full_key(self._environment, own_key(drilled(alarm)))
        for _ in range(PATIENCE):
            while await self._sender.step():
                pass
            said = await self.ground.ask(key)
            if said is None:
                return await self._all_sent(key)
            if said is open_:
                return True
            self.clock.moment += LOOK
        return False

    async def _all_sent(self, key: str) -> bool:
        async with self.ground.database.transaction() as tx:
            calls = await alarm_calls.list_calls_all_tenants(tx, limit=1000, drill=self.id)
        states = {row["state"] for row in calls if row["key"] == key}
        return states == {"sent"}


def drilled(alarm: Alarm) -> Subject:
    """Return what a drill pretends the alarm to be about."""
    return Subject(INSTALLATION, alarm.id, PROCESS)


def beyond(alarm: Alarm, limits: Limits) -> float:
    """Return a value that is bad: as far beyond the threshold as makes no doubt, zero too."""
    threshold = limits.threshold
    return min(threshold / 2, threshold - 1) if alarm.below else threshold * 2 + 1


def well_of(alarm: Alarm, limits: Limits) -> float:
    """Return a value that is good again."""
    return limits.clear + 1 if alarm.below else max(limits.clear - 1, 0.0)
