"""How an alarm stands after a measurement, who is silenced, and which calls are one.

Rules without I/O. What they return is all that is stored; so a process that stops between two
evaluations loses nothing, and one that starts repeats nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.model.alarm import (
    INSTALLATION,
    Alarm,
    Event,
    Limits,
    Silence,
    Standing,
    State,
    Subject,
)
from trackai.model.clock import NewId

# What was not looked at for longer is not known to have gone on meanwhile.
LONGEST_GAP = dt.timedelta(minutes=5)
# Incidents of one alarm that people are called for one by one; more of them are one call.
MOST_CALLS = 5
_WEEK = dt.timedelta(days=7)
_MANY = "many"


@dataclass(frozen=True, slots=True)
class Step:
    """How an alarm stands now, and what just happened to it."""

    standing: Standing
    events: tuple[Event, ...] = ()


def limits_of(alarm: Alarm, chosen: Sequence[Limits | None] = ()) -> Limits:
    """Return the first limits that were chosen, else the catalogue's."""
    return next((one for one in chosen if one), Limits(alarm.threshold, alarm.clear))


def is_bad(alarm: Alarm, limits: Limits, value: float, *, firing: bool) -> bool:
    """Tell whether a value is beyond the threshold, or not yet back behind `clear` while firing."""
    limit = limits.clear if firing else limits.threshold
    return value < limit if alarm.below else value > limit


def next_step(
    alarm: Alarm,
    limits: Limits,
    before: Standing | None,
    value: float | None,
    now: dt.datetime,
    new_id: NewId,
) -> Step:
    """Return how the alarm stands after this measurement; None: nothing was measured."""
    known = before or Standing(State.NO_DATA, now)
    firing = known.incident_id is not None
    if value is None:
        after = _without_data(alarm, known)
    elif is_bad(alarm, limits, value, firing=firing):
        after = _bad(alarm, known, now, new_id)
    else:
        after = _good(alarm, known, now)
    changed = before is None or after.state is not before.state
    # Of what is well the value is told as it was when it became so: thousands are.
    told = value if changed or after.state is not State.OK or firing else known.value
    after = replace(after, value=told, since=now if changed else known.since)
    noted = after.state is not known.state and _is_news(alarm, known.state, after.state)
    return Step(after, _events(known, after, changed=noted))


def after_gap(standing: Standing, now: dt.datetime) -> Standing:
    """Return the standing of an alarm that nobody looked at for longer than LONGEST_GAP."""
    return replace(
        standing,
        bad_since=now if standing.bad_since else None,
        good_since=now if standing.good_since else None,
    )


def _without_data(alarm: Alarm, known: Standing) -> Standing:
    if alarm.ends_without_data:
        return Standing(State.NO_DATA, known.since)
    # An incident goes on: that nothing is measured any more is no all-clear.
    return replace(known, state=State.NO_DATA, bad_since=None, good_since=None)


def _bad(alarm: Alarm, known: Standing, now: dt.datetime, new_id: NewId) -> Standing:
    if known.incident_id is not None:
        return replace(known, state=State.ALARM, good_since=None)
    # A clock that was set back must not make anybody wait for it to come round again.
    bad_since = min(known.bad_since or now, now)
    if now - bad_since < alarm.lasting:
        return replace(known, state=State.PENDING, bad_since=bad_since)
    return Standing(State.ALARM, known.since, incident_id=new_id(), fired_at=now)


def _good(alarm: Alarm, known: Standing, now: dt.datetime) -> Standing:
    if known.incident_id is None:
        return replace(known, state=State.OK, bad_since=None)
    good_since = min(known.good_since or now, now)
    if now - good_since < alarm.calm:
        return replace(known, state=State.ALARM, good_since=good_since)
    return Standing(State.OK, known.since)


def _is_news(alarm: Alarm, before: State, after: State) -> bool:
    """Tell whether the history is to have it; that a quiet hour has no rate is none."""
    return not (alarm.ends_without_data and {before, after} == {State.OK, State.NO_DATA})


def _events(before: Standing, after: Standing, *, changed: bool) -> tuple[Event, ...]:
    events = [Event.CHANGED] if changed else []
    if before.incident_id is None and after.incident_id is not None:
        events.append(Event.FIRED)
    if before.incident_id is not None and after.incident_id is None:
        events.append(Event.RESOLVED)
    return tuple(events)


def is_silenced(silences: Iterable[Silence], subject: Subject, now: dt.datetime) -> bool:
    """Tell whether nobody is to be called for this now."""
    return any(_covers(one, subject) and _lasts(one, now) for one in silences)


def _covers(silence: Silence, subject: Subject) -> bool:
    return (
        silence.tenant_id in (None, subject.tenant_id)
        and silence.alarm in (None, subject.alarm)
        and silence.name in (None, subject.name)
    )


def _lasts(silence: Silence, now: dt.datetime) -> bool:
    if now < silence.starts_at:
        return False
    if not silence.weekly:
        return now < silence.ends_at
    return (now - silence.starts_at) % _WEEK < silence.ends_at - silence.starts_at


@dataclass(frozen=True, slots=True)
class Called:
    """Under which key somebody is called for an incident; of one key only the first calls."""

    subject: Subject
    key: str
    first: bool
    number: int = 1  # incidents of the alarm that go on then
    owner: UUID = INSTALLATION  # whose routes are called


def own_key(subject: Subject) -> str:
    """Return the key of an incident that is called for by itself."""
    owner = "" if subject.tenant_id == INSTALLATION else str(subject.tenant_id)
    return "/".join(part for part in (subject.alarm, owner, subject.name) if part)


def call_keys(
    firing: Mapping[Subject, Standing],
    open_keys: Mapping[str, Sequence[str]],
    owner: UUID = INSTALLATION,
) -> list[Called]:
    """Return how an owner's people are called for incidents that begin.

    `open_keys`: alarm -> keys of its incidents that were called for and go on. What befalls many
    at once has one cause, and is one call: beyond MOST_CALLS of an alarm the others share a key.
    """
    number = Counter(subject.alarm for subject in firing)
    calls: list[Called] = []
    shared: dict[str, str] = {}
    for subject in sorted(firing):
        alarm = subject.alarm
        known = open_keys.get(alarm, ())
        many = next((key for key in known if is_shared(key)), None) or shared.get(alarm)
        if many is not None:
            calls.append(Called(subject, many, first=False, owner=owner))
        elif len(known) + number[alarm] <= MOST_CALLS:
            calls.append(Called(subject, own_key(subject), first=True, owner=owner))
        else:
            shared[alarm] = _shared_key(alarm, owner, firing[subject])
            together = len(known) + number[alarm]
            calls.append(Called(subject, shared[alarm], first=True, number=together, owner=owner))
    return calls


def _shared_key(alarm: str, owner: UUID, first: Standing) -> str:
    """Return a key that no other owner has: theirs end with other incidents."""
    whose = [] if owner == INSTALLATION else [str(owner)]
    return "/".join([alarm, _MANY, *whose, str(first.incident_id)])


def is_shared(key: str) -> bool:
    """Tell whether a key is one of many incidents."""
    return key.split("/")[1:2] == [_MANY]
