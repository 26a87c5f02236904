"""How an alarm stands after measurements, whatever they are and whenever somebody looks."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.rules import (
    LONGEST_GAP,
    MOST_CALLS,
    Step,
    after_gap,
    call_keys,
    is_shared,
    is_silenced,
    limits_of,
    next_step,
    own_key,
)
from trackai.model.alarm import (
    INSTALLATION,
    Alarm,
    Event,
    Limits,
    Metric,
    Scope,
    Severity,
    Silence,
    Standing,
    State,
    Subject,
)
from trackai.model.clock import new_id

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
TENANT = UUID(int=7)
# Above 10 for five minutes; ends after two below 8.
HIGH = Alarm(
    *("high", Metric.QUEUE_DEPTH, Scope.INSTALLATION, Severity.HIGH),
    *(10, 5 * MINUTE, 8, 2 * MINUTE),
)
LOW = replace(HIGH, id="low", below=True, threshold=10, clear=12)

values = some.lists(
    some.tuples(some.none() | some.floats(0, 20), some.integers(5, 240)), min_size=1, max_size=60
)


def play(
    alarm: Alarm, measured: Sequence[tuple[float | None, int]]
) -> list[tuple[dt.datetime, float | None, Step]]:
    """Return what follows from each measurement, so many seconds after the one before."""
    now, standing, steps = NOON, None, []
    for value, seconds in measured:
        now += dt.timedelta(seconds=seconds)
        step = next_step(alarm, limits_of(alarm), standing, value, now, new_id)
        standing = step.standing
        steps.append((now, value, step))
    return steps


def minutes(*measured: float | None) -> list[Step]:
    return [step for _, _, step in play(HIGH, [(one, 60) for one in measured])]


def states(*measured: float | None) -> list[str]:
    return [step.standing.state.value for step in minutes(*measured)]


def test_what_was_never_measured_is_not_known() -> None:
    assert ["no_data", "no_data"] == states(None, None)


def test_it_fires_when_the_value_was_bad_for_long_enough_and_not_before() -> None:
    found = states(1, 11, 12, 13, 14, 15, 16)

    assert ["ok", *["pending"] * 5, "alarm"] == found


def test_one_good_value_begins_the_waiting_anew() -> None:
    assert ["pending"] * 5 == states(11, 11, 11, 11, 9, 11, 11, 11, 11, 11)[5:]


def test_it_ends_when_the_value_was_behind_the_other_threshold_for_long_enough() -> None:
    found = states(*[11] * 6, 9, 7, 7, 9, 7, 7, 7)

    assert [*["pending"] * 5, *["alarm"] * 7, "ok"] == found


def test_without_data_an_incident_goes_on_and_is_not_called_for_again() -> None:
    steps = minutes(*[11] * 6, None, None, 11, 7, 7, 7)

    assert "no_data" == steps[6].standing.state
    assert steps[5].standing.incident_id == steps[8].standing.incident_id is not None
    assert [Event.FIRED, Event.RESOLVED] == [
        event for step in steps for event in step.events if event is not Event.CHANGED
    ]


def test_a_rate_of_nothing_ends_with_what_it_was_a_rate_of() -> None:
    alarm = replace(HIGH, ends_without_data=True)
    steps = [step for _, _, step in play(alarm, [(11, 60)] * 6 + [(None, 60)])]

    assert ("no_data", None) == (steps[-1].standing.state.value, steps[-1].standing.incident_id)
    assert Event.RESOLVED in steps[-1].events


def test_below_is_the_other_way_round() -> None:
    found = [step.standing.state for _, _, step in play(LOW, [(9, 60)] * 6 + [(11, 60), (13, 180)])]

    assert [*[State.PENDING] * 5, *[State.ALARM] * 3] == found


@given(values)
def test_it_never_fires_before_its_time_nor_ends_before_its_calm(
    measured: list[tuple[float | None, int]],
) -> None:
    steps = play(HIGH, measured)
    for place, (now, _, step) in enumerate(steps):
        if Event.FIRED in step.events:
            since = [at for at, _, _ in steps if now - at >= HIGH.lasting]
            assert since
            assert all(
                value is not None and value > HIGH.threshold
                for at, value, _ in steps[: place + 1]
                if at >= since[-1]
            )
        if Event.RESOLVED in step.events:
            since = [at for at, _, _ in steps if now - at >= HIGH.calm]
            assert since
            assert all(
                value is not None and value <= HIGH.clear
                for at, value, _ in steps[: place + 1]
                if at >= since[-1]
            )


@given(values)
def test_every_incident_begins_and_ends_once_and_states_say_whether_there_is_one(
    measured: list[tuple[float | None, int]],
) -> None:
    deeds = []
    for _, value, step in play(HIGH, measured):
        deeds += [event for event in step.events if event is not Event.CHANGED]
        standing = step.standing
        firing = standing.incident_id is not None
        assert (standing.state is State.NO_DATA) == (value is None)
        assert (standing.state is State.ALARM) == (firing and value is not None)
        assert not (firing and standing.bad_since)
        assert firing or not standing.good_since

    assert deeds == [Event.FIRED, Event.RESOLVED] * (len(deeds) // 2) + [Event.FIRED] * (
        len(deeds) % 2
    )


@given(values, some.integers(0, 60))
def test_a_restart_changes_nothing(measured: list[tuple[float | None, int]], at: int) -> None:
    """All that a step takes from the past is what is stored: two halves are the whole."""
    whole = [step.standing.state for _, _, step in play(HIGH, measured)]
    first = play(HIGH, measured[:at])
    now = first[-1][0] if first else NOON
    standing = first[-1][2].standing if first else None
    rest = []
    for value, seconds in measured[at:]:
        now += dt.timedelta(seconds=seconds)
        step = next_step(HIGH, limits_of(HIGH), standing, value, now, new_id)
        standing = step.standing
        rest.append(step.standing.state)

    assert whole == [step.standing.state for _, _, step in first] + rest


def test_what_nobody_looked_at_is_not_known_to_have_gone_on() -> None:
    pending = Standing(State.PENDING, NOON, 11, bad_since=NOON)
    later = NOON + LONGEST_GAP + 10 * MINUTE
    step = next_step(HIGH, limits_of(HIGH), after_gap(pending, later), 11, later, new_id)

    assert State.PENDING is step.standing.state
    assert later == step.standing.bad_since


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it() -> None:
    bad, good = Limits(10, 8), 5.0
    pending = next_step(HIGH, bad, None, 20.0, NOON + 60 * MINUTE, new_id).standing
    begun = next_step(HIGH, bad, pending, 20.0, NOON, new_id).standing
    fired = next_step(HIGH, bad, begun, 20.0, NOON + HIGH.lasting, new_id).standing
    calm = next_step(HIGH, bad, fired, good, NOON + 60 * MINUTE, new_id).standing
    begun = next_step(HIGH, bad, calm, good, NOON, new_id).standing
    ended = next_step(HIGH, bad, begun, good, NOON + HIGH.calm, new_id).standing

    assert (State.PENDING, State.ALARM, State.OK) == (pending.state, fired.state, ended.state)


def test_the_nearest_choice_of_a_threshold_counts() -> None:
    tenants, everybodys = Limits(100, 90), Limits(50, 40)

    assert tenants == limits_of(HIGH, (tenants, everybodys))
    assert everybodys == limits_of(HIGH, (None, everybodys))
    assert Limits(10, 8) == limits_of(HIGH, (None, None))


# Silences -------------------------------------------------------------------------------------


def silence(**changes: object) -> Silence:
    plain = Silence(new_id(), None, None, None, NOON, NOON + 60 * MINUTE)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "covered"),
    [
        ({}, True),
        ({"tenant_id": TENANT}, True),
        ({"tenant_id": UUID(int=8)}, False),
        ({"alarm": "high"}, True),
        ({"alarm": "low"}, False),
        ({"name": "x"}, True),
        ({"name": "y"}, False),
    ],
)
def test_a_silence_covers_what_it_names(changes: dict[str, object], covered: bool) -> None:  # noqa: FBT001
    subject = Subject(TENANT, "high", "x")

    assert covered == is_silenced([silence(**changes)], subject, NOON + MINUTE)


@pytest.mark.parametrize(
    ("weekly", "minutes_later", "silent"),
    [
        (False, -1, False),
        (False, 0, True),
        (False, 59, True),
        (False, 60, False),
        (False, 7 * 24 * 60, False),
        (True, -1, False),
        (True, 7 * 24 * 60, True),
        (True, 7 * 24 * 60 + 60, False),
        (True, 21 * 24 * 60 + 30, True),
    ],
)
def test_a_maintenance_window_comes_again_every_week(
    weekly: bool,  # noqa: FBT001
    minutes_later: int,
    silent: bool,  # noqa: FBT001
) -> None:
    subject = Subject(TENANT, "high")

    assert silent == is_silenced([silence(weekly=weekly)], subject, NOON + minutes_later * MINUTE)


# Calls ----------------------------------------------------------------------------------------


def firing(number: int, alarm: str = "breaker_open", start: int = 0) -> dict[Subject, Standing]:
    return {
        Subject(UUID(int=100 + one), alarm, f"pixel-{one}"): Standing(
            State.ALARM, NOON, incident_id=new_id()
        )
        for one in range(start, start + number)
    }


def test_few_are_called_for_one_by_one() -> None:
    calls = call_keys(firing(MOST_CALLS), {})

    assert MOST_CALLS == len({one.key for one in calls})
    assert all(one.first for one in calls)


def test_what_befalls_many_is_one_call() -> None:
    calls = call_keys(firing(200), {})

    assert 1 == len({one.key for one in calls})
    assert [200] == [one.number for one in calls if one.first]
    assert is_shared(calls[0].key)


def test_who_is_added_to_many_is_not_called_for_again() -> None:
    (first, *_) = call_keys(firing(10), {})
    later = call_keys(firing(3, start=10), {"breaker_open": [first.key] * 10})

    assert {first.key} == {one.key for one in later}
    assert not any(one.first for one in later)


def test_one_after_the_other_they_become_many_as_well() -> None:
    known: list[str] = []
    called = 0
    for number in range(50):
        (call,) = call_keys(firing(1, start=number), {"breaker_open": known})
        known.append(call.key)
        called += call.first
        if call.first and is_shared(call.key):
            assert MOST_CALLS + 1 == call.number

    assert MOST_CALLS + 1 == called


@given(some.lists(some.tuples(some.integers(0, 19), some.booleans()), max_size=80))
def test_whoever_comes_and_goes_every_call_begins_once_and_few_go_on(
    deeds: list[tuple[int, bool]],
) -> None:
    """Incidents begin and end one by one; nobody is called twice for what is called already."""
    going_on: dict[Subject, str] = {}
    for number, begins in deeds:
        ((subject, standing),) = firing(1, start=number).items()
        if not begins or subject in going_on:
            going_on.pop(subject, None)
            continue
        open_keys = set(going_on.values())
        (call,) = call_keys({subject: standing}, {subject.alarm: list(going_on.values())})
        assert call.first == (call.key not in open_keys)
        going_on[subject] = call.key
        assert len(set(going_on.values())) <= MOST_CALLS + 1


def test_alarms_do_not_share_calls() -> None:
    calls = call_keys(firing(6) | firing(1, "queue_depth"), {})

    assert {True} == {one.first for one in calls if one.subject.alarm == "queue_depth"}
    assert 2 == len({one.key for one in calls})


def test_a_key_is_the_same_for_all_deeds_of_a_subject_and_no_others() -> None:
    subjects = [
        Subject(INSTALLATION, "cpu_busy"),
        Subject(INSTALLATION, "breaker_open", "graph.facebook.com"),
        Subject(TENANT, "dlq_depth"),
        *firing(3),
    ]

    assert len(subjects) == len({own_key(one) for one in subjects})
    assert not any(is_shared(own_key(one)) for one in subjects)


# The catalogue --------------------------------------------------------------------------------


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_an_alarm_does_not_flutter(alarm: Alarm) -> None:
    """Where it ends is never on the bad side of where it begins."""
    assert alarm.clear >= alarm.threshold if alarm.below else alarm.clear <= alarm.threshold


def test_every_metric_has_one_alarm() -> None:
    assert sorted(Metric) == sorted(alarm.metric for alarm in ALARMS.values())
