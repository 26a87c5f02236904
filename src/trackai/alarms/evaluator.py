"""Job: looks at every alarm, four times a minute, in whichever worker is first.

One transaction: 1. measure; 2. how alarms stood, who is silenced, whose thresholds count; 3. the
rules; 4. what changed, what happened and whom to call is stored together. So whoever dies in the
middle has done nothing, and the next one does it.
"""

import asyncio
import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from trackai.alarms import calling, exposing, rules
from trackai.alarms.catalogue import ALARMS
from trackai.alarms.flow import flow_of
from trackai.alarms.measuring import Measured, breakers_open, measure
from trackai.alarms.metrics_log import INSTALLATION as ALL_PROCESSES
from trackai.alarms.metrics_log import MetricsLog
from trackai.model.alarm import (
    INSTALLATION,
    OF_PROCESSES,
    REAL,
    Alarm,
    Deed,
    Event,
    Fact,
    Limits,
    RouteKind,
    Silence,
    Standing,
    State,
    Subject,
)
from trackai.model.clock import Clock, NewId
from trackai.model.flow import Flow, Name
from trackai.storage import (
    alarm_calls,
    alarm_choices,
    alarm_history,
    alarm_signals,
    installation_facts,
    jobs,
)
from trackai.storage.alarm_history import Happened
from trackai.storage.alarm_routes import Route, load_routes_all_tenants
from trackai.storage.jobs import Run
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import ALARM_EVALUATION_SECONDS, ALARMS_FIRED

EVERY = dt.timedelta(seconds=15)
# Longest evaluation; one that takes longer is given up, and the next one tries.
LONGEST_S = 25.0
# In the list of tasks.
NAME = "alarms"


class Source(Protocol):
    """Where measurements come from: of what is really there, or of a drill."""

    async def measure(self, tx: Tx, now: dt.datetime) -> dict[Subject, Measured]:
        """Return every subject with what was measured of it."""
        ...

    async def routes(self, tx: Tx) -> Sequence[Route]:
        """Return whom to call."""
        ...


@dataclass(frozen=True, slots=True)
class Really:
    """What is really there: `tasks` are those of the scheduler.

    One sender an environment: where something else pages, we do not.
    """

    alarms: Mapping[str, Alarm]
    tasks: Sequence[str]
    pages: bool = True
    backups_elsewhere: bool = False

    async def measure(self, tx: Tx, now: dt.datetime) -> dict[Subject, Measured]:
        """Measure everything."""
        return await measure(
            *(tx, self.alarms.values(), self.tasks, now), backups_elsewhere=self.backups_elsewhere
        )

    async def routes(self, tx: Tx) -> Sequence[Route]:
        """Return the routes that people made."""
        routes = await load_routes_all_tenants(tx)
        return [one for one in routes if self.pages or not _pages_environment(one)]


def _pages_environment(route: Route) -> bool:
    """Tell whether it is the environment's pager; what else pages knows no tenant's own."""
    return route.kind is RouteKind.PAGERDUTY and route.tenant_id == INSTALLATION


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, as whom: `environment` is in the key of every call."""

    alarms: Mapping[str, Alarm]
    source: Source
    environment: str
    drill: UUID = REAL
    log: MetricsLog | None = None  # where graphs outside have their numbers from


@dataclass(slots=True)
class _Found:
    """What an evaluation comes to."""

    changed: dict[Subject, Standing] = field(default_factory=dict)
    happened: list[Happened] = field(default_factory=list)
    firing: dict[Subject, Standing] = field(default_factory=dict)
    ended: dict[Subject, Standing] = field(default_factory=dict)
    gone: list[Subject] = field(default_factory=list)
    counted: Counter[tuple[str, State]] = field(default_factory=Counter)  # by alarm
    thresholds: dict[Subject, float] = field(default_factory=dict)  # of those that fire

    def add(self, subject: Subject, stored: Standing | None, step: rules.Step) -> None:
        """Take in how one alarm stands now."""
        standing = step.standing
        self.counted[subject.alarm, standing.state] += 1
        if standing != stored:
            self.changed[subject] = standing
        self.happened += [Happened(subject, event, standing) for event in step.events]
        if stored and Event.RESOLVED in step.events:
            self.ended[subject] = stored
        if standing.incident_id and not standing.called_at:
            self.firing[subject] = standing

    def lose(self, subject: Subject, stored: Standing, *, told: bool) -> None:
        """Take in that what an alarm was about is no more; `told`: its history has a reader."""
        self.gone.append(subject)
        if told:
            self.happened.append(Happened(subject, Event.GONE, stored))
        if stored.incident_id:
            self.ended[subject] = stored


class Evaluator:
    """Looks at the alarms of a watch."""

    def __init__(
        self,
        database: Database,
        watch: Watch,
        clock: Clock,
        new_id: NewId,
        *,
        after: dt.timedelta | None = None,
    ) -> None:
        self._after = after
        self._database = database
        self._watch = watch
        self._clock = clock
        self._new_id = new_id

    async def step(self) -> bool:
        """Evaluate once, unless somebody else does; never busy: the next time is the clock's."""
        began = time.perf_counter()
        async with asyncio.timeout(LONGEST_S), self._database.transaction() as tx:
            if await self._leaves_it(tx):
                return False
            if await alarm_signals.try_lock_all_tenants(tx, drill=self._watch.drill):
                await self._evaluate(tx)
                ALARM_EVALUATION_SECONDS.observe(time.perf_counter() - began)
        return False

    async def _evaluate(self, tx: Tx) -> None:
        now, drill = self._clock.now(), self._watch.drill
        measured = await self._watch.source.measure(tx, now)
        before = await alarm_signals.load_signals_all_tenants(tx, drill=drill)
        limits = await alarm_choices.load_limits_all_tenants(tx)
        found = self._decide(measured, before, limits, away=await self._was_away(tx))
        silences = await alarm_choices.load_silences_all_tenants(tx, now=now)
        labels = {subject: one.label for subject, one in measured.items()}
        await self._call(tx, found, before, labels, silences)
        await self._pass_on(tx, found, before)
        await alarm_signals.save_signals_all_tenants(tx, found.changed, drill=drill)
        await alarm_signals.delete_signals_all_tenants(tx, found.gone, drill=drill)
        await alarm_history.insert_history_all_tenants(
            tx, found.happened, now=now, new_id=self._new_id, drill=drill
        )
        if drill == REAL:
            await self._tell(tx, measured, found, now)
        await self._note(tx, found, now)

    async def _tell(
        self, tx: Tx, measured: Mapping[Subject, Measured], found: _Found, now: dt.datetime
    ) -> None:
        """Tell whoever watches from outside what was seen."""
        log, values = self._watch.log, exposing.worst(self._watch.alarms, measured)
        facts = await installation_facts.load_facts_all_tenants(tx, now=now)
        facts[Fact.BREAKERS_OPEN] = breakers_open(self._watch.alarms, measured)
        exposing.expose(self._watch.alarms, values, found.counted, facts, now)
        if log is not None:
            # Each process says by itself what it is alone with.
            together: dict[Name, float] = {Flow.EVALUATIONS: 1.0}
            together.update((name, one) for name, one in (await flow_of(tx, now)).items())
            together.update((name, one) for name, one in facts.items())
            together.update((name, one) for name, one in values.items() if name not in OF_PROCESSES)
            log.write(ALL_PROCESSES, together, now)

    def _decide(
        self,
        measured: Mapping[Subject, Measured],
        before: Mapping[Subject, Standing],
        limits: Mapping[tuple[UUID, str], Limits],
        *,
        away: bool,
    ) -> _Found:
        found, now = _Found(), self._clock.now()
        for subject, value in measured.items():
            alarm, stored = self._watch.alarms[subject.alarm], before.get(subject)
            known = rules.after_gap(stored, now) if stored and away else stored
            counts = rules.limits_of(alarm, limits_for(limits, subject))
            step = rules.next_step(alarm, counts, known, value.value, now, self._new_id)
            found.add(subject, stored, step)
            if subject in found.firing:
                found.thresholds[subject] = counts.threshold
        there = {subject.tenant_id for subject in measured}
        for subject in before.keys() - measured.keys():
            # During a rollout a newer release looks, too: its alarms are not ours to end.
            if subject.alarm in ALARMS:
                # Of a deleted tenant nothing is written any more: it may be purged already.
                found.lose(subject, before[subject], told=subject.tenant_id in there)
        return found

    async def _call(
        self,
        tx: Tx,
        found: _Found,
        before: Mapping[Subject, Standing],
        labels: Mapping[Subject, str],
        silences: Sequence[Silence],
    ) -> None:
        """Write down whom to call for what begins and for what ends."""
        now, watch = self._clock.now(), self._watch
        audible = {
            subject: standing
            for subject, standing in found.firing.items()
            if not rules.is_silenced(silences, subject, now)
        }
        going_on = calling.GoingOn(before, found.ended)
        called = going_on.calls(audible)
        calls: list[alarm_calls.NewCall] = []
        if audible:
            told = calling.Told(watch, await watch.source.routes(tx), now, self._new_id)
            calls += told.triggers(called, audible, labels, found.thresholds)
        if found.ended:
            still = going_on.keys | {one.key for one in called}
            keys = calling.keys_of(watch.environment, found.ended, still)
            calls += await self._answers(tx, Deed.RESOLVE, keys)
        await alarm_calls.insert_calls_all_tenants(tx, calls, now=now, drill=watch.drill)
        for subject, taken in calling.noted(audible, called).items():
            standing = replace(taken, called_at=now)
            found.changed[subject] = standing
            found.happened.append(Happened(subject, Event.CALLED, standing))

    async def _pass_on(self, tx: Tx, found: _Found, before: Mapping[Subject, Standing]) -> None:
        """Let those who were called know that somebody has it.

        Of what was silenced nobody is told before they are called; of what just ended, no more.
        """
        now, watch = self._clock.now(), self._watch
        taken = {
            subject: stored
            for subject, stored in before.items()
            if stored.acknowledged_at
            and stored.called_at
            and not (stored.acknowledge_called or subject in found.ended)
        }
        if not taken:
            return
        keys = calling.keys_of(watch.environment, taken)
        calls = await self._answers(tx, Deed.ACKNOWLEDGE, keys)
        await alarm_calls.insert_calls_all_tenants(tx, calls, now=now, drill=watch.drill)
        for subject, stored in taken.items():
            standing = found.changed.get(subject, stored)
            found.changed[subject] = replace(standing, acknowledge_called=True)

    async def _answers(
        self, tx: Tx, deed: Deed, keys: Mapping[str, calling.Key]
    ) -> list[alarm_calls.NewCall]:
        """Return this deed for whoever was called by these keys."""
        since = {name: key.since for name, key in keys.items()}
        told = await alarm_calls.list_told_all_tenants(tx, since, drill=self._watch.drill)
        return calling.answers(deed, told, keys, self._new_id)

    async def _leaves_it(self, tx: Tx) -> bool:
        """Tell whether others look, if that is a reason not to."""
        if self._after is None:
            return False
        last = await jobs.find_finished(tx, NAME)
        # A look from the time to come is of a clock that was set back since, and tells nothing.
        return last is not None and abs(self._clock.now() - last) <= self._after

    async def _was_away(self, tx: Tx) -> bool:
        """Tell whether nobody has looked for so long that something may have come and gone."""
        if self._watch.drill != REAL:
            return False
        last = await jobs.find_finished(tx, NAME)
        return last is not None and self._clock.now() - last > rules.LONGEST_GAP

    async def _note(self, tx: Tx, found: _Found, now: dt.datetime) -> None:
        for one in found.happened:
            if one.event in {Event.FIRED, Event.RESOLVED}:
                _say(one, drill=self._watch.drill)
        if self._watch.drill != REAL:
            return
        run = Run(
            ok=True,
            reason=None,
            work=sum(found.counted.values()),
            finished_at=now,
            next_at=now + EVERY,
        )
        await jobs.note_job(tx, NAME, run, started_at=now)


def limits_for(
    limits: Mapping[tuple[UUID, str], Limits], subject: Subject
) -> tuple[Limits | None, Limits | None]:
    """Return what the tenant chose, and what the installation did."""
    own = limits.get((subject.tenant_id, subject.alarm))
    return own, limits.get((INSTALLATION, subject.alarm))


def _say(one: Happened, *, drill: UUID) -> None:
    said = {
        "alarm": one.subject.alarm,
        "tenant_id": str(one.subject.tenant_id),
        "subject": one.subject.name,
        "value": one.standing.value,
    }
    if drill != REAL:
        said["drill"] = str(drill)
    else:
        ALARMS_FIRED.labels(one.subject.alarm, one.event.value).inc()
    get_logger().warning(f"alarm.{one.event.value}", **said)
