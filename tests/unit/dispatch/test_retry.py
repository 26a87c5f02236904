import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.dispatch.retry import (
    EVENT_LIFETIME,
    LEAST_PAUSE_S,
    LONGEST_PAUSE_S,
    TOO_OLD,
    DeadLetter,
    Done,
    RetryAt,
    Standing,
    next_step,
)
from trackai.model.clock import UTC
from trackai.model.delivery import Accepted, CallFacts, Deferred, Rejected

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FACTS = CallFacts()


def _standing(
    attempts: int = 1, age: dt.timedelta = dt.timedelta(), failed_tries: int = 0
) -> Standing:
    return Standing(attempts, failed_tries, NOW - age, NOW)


def test_accepted_is_done() -> None:
    assert Done() == next_step(Accepted(FACTS), _standing(), 0.5)


def test_rejected_is_a_dead_letter_with_its_reason() -> None:
    assert DeadLetter("invalid_event") == next_step(
        Rejected("invalid_event", FACTS), _standing(), 0.5
    )


@given(
    attempts=st.integers(min_value=1, max_value=10_000),
    jitter=st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_pauses_are_bounded_however_many_tries(attempts: int, jitter: float) -> None:
    step = next_step(Deferred("timeout", FACTS), _standing(attempts), jitter)

    assert isinstance(step, RetryAt)
    pause_s = (step.at - NOW).total_seconds()
    assert LEAST_PAUSE_S <= pause_s <= LONGEST_PAUSE_S


def test_pauses_grow_with_the_tries() -> None:
    pauses = [next_step(Deferred("x", FACTS), _standing(n), 0.9) for n in range(1, 12)]

    times = [step.at for step in pauses if isinstance(step, RetryAt)]
    assert sorted(times) == times
    assert times[-1] > times[0]


def test_a_destinations_own_wait_is_respected() -> None:
    step = next_step(Deferred("throttled", FACTS, retry_after_s=3600.0), _standing(), 0.0)

    assert RetryAt(NOW + dt.timedelta(hours=1), "throttled") == step


@pytest.mark.parametrize("age", [EVENT_LIFETIME, EVENT_LIFETIME + dt.timedelta(days=1)])
def test_an_event_that_will_be_too_old_is_given_up_with_that_reason(age: dt.timedelta) -> None:
    step = next_step(Deferred("unreachable", FACTS), _standing(50, age), 0.5)

    assert DeadLetter(TOO_OLD) == step
