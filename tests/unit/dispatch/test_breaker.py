import datetime as dt
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.dispatch.breaker import (
    LONGEST_PAUSE,
    PROBE_LASTS,
    Breaker,
    BreakerState,
    Failed,
    Go,
    Hold,
    Limits,
    Probe,
    Refused,
    Signal,
    Succeeded,
    Throttled,
    admit,
    after,
    after_at_host,
)
from trackai.model.clock import UTC

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = Limits()
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
SIGNALS = st.sampled_from(
    [Succeeded(), Failed("timeout"), Refused("token_refused"), Throttled(dt.timedelta(minutes=3))]
)


def failed(times: int, breaker: Breaker | None = None) -> Breaker:
    found = breaker or Breaker(since=NOW)
    for _ in range(times):
        found = after(found, Failed("timeout"), NOW, LIMITS)
    return found


def probed(breaker: Breaker, signal: Signal) -> Breaker:
    assert breaker.retry_at is not None
    probing, admission = admit(breaker, breaker.retry_at)
    assert admission == Probe()
    return after(probing, signal, breaker.retry_at, LIMITS)


def test_it_opens_at_the_fifth_failure_in_a_row_for_a_minute() -> None:
    four, five = failed(4), failed(5)

    assert (four.state, admit(four, NOW)[1]) == (BreakerState.CLOSED, Go())
    assert five.state is BreakerState.OPEN
    assert admit(five, NOW)[1] == Hold(NOW + dt.timedelta(seconds=60))


def test_a_success_between_starts_the_count_again() -> None:
    between = after(failed(4), Succeeded(), NOW, LIMITS)

    assert failed(4, between).state is BreakerState.CLOSED


def test_after_the_pause_one_probe_goes_and_the_others_wait() -> None:
    opened = failed(5)
    later = NOW + LIMITS.pause
    probing, first = admit(opened, later)
    _, second = admit(probing, later)

    assert first == Probe()
    assert isinstance(second, Hold)
    assert second.until > later


def test_a_probe_that_was_lost_is_made_again() -> None:
    probing, _ = admit(failed(5), NOW + LIMITS.pause)
    later = NOW + LIMITS.pause + PROBE_LASTS

    assert admit(probing, later)[1] == Probe()


def test_a_probe_that_succeeds_closes_as_if_nothing_had_been() -> None:
    breaker = probed(failed(5), Succeeded())

    assert breaker.untroubled
    assert breaker.openings == 0


def test_pauses_double_until_a_quarter_of_an_hour() -> None:
    breaker, pauses = failed(5), []
    for _ in range(7):
        assert breaker.retry_at is not None
        asked = breaker.retry_at
        breaker = probed(breaker, Failed("timeout"))
        assert breaker.retry_at is not None
        pauses.append((breaker.retry_at - asked).total_seconds())

    assert pauses == [120, 240, 480, 900, 900, 900, 900]


def test_a_refused_token_opens_at_once_with_its_reason() -> None:
    breaker = after(Breaker(since=NOW), Refused("token_refused"), NOW, LIMITS)

    assert (breaker.state, breaker.reason) == (BreakerState.OPEN, "token_refused")


def test_openings_after_failed_probes_keep_the_time_of_the_first() -> None:
    breaker = probed(failed(5), Failed("timeout"))

    assert breaker.openings == 2
    assert breaker.since <= NOW + LIMITS.pause


def test_a_throttle_holds_without_opening() -> None:
    breaker = after(failed(3), Throttled(dt.timedelta(minutes=20)), NOW, LIMITS)

    assert breaker.state is BreakerState.CLOSED
    assert breaker.failures == 0
    assert admit(breaker, NOW)[1] == Hold(NOW + dt.timedelta(minutes=20))
    assert admit(breaker, NOW + dt.timedelta(minutes=20))[1] == Go()


def test_a_straggler_that_fails_does_not_make_the_pause_longer() -> None:
    opened = failed(5)

    assert opened == after(opened, Failed("timeout"), NOW, LIMITS)


def test_one_destination_alone_does_not_open_its_host() -> None:
    breaker = Breaker(since=NOW)
    for _ in range(50):
        breaker = after_at_host(breaker, ONE, Failed("timeout", at_host=True), NOW, LIMITS)

    assert breaker.state is BreakerState.CLOSED


def test_several_destinations_open_their_host() -> None:
    breaker = Breaker(since=NOW)
    for one in [ONE, OTHER, ONE, OTHER, ONE]:
        breaker = after_at_host(breaker, one, Failed("timeout", at_host=True), NOW, LIMITS)

    assert breaker.state is BreakerState.OPEN


@pytest.mark.parametrize(
    "answer", [Succeeded(), Failed("odd"), Refused("token_refused"), Throttled(LIMITS.pause)]
)
def test_any_answer_clears_the_host(answer: Signal) -> None:
    breaker = Breaker(since=NOW)
    for one in [ONE, OTHER, ONE, OTHER]:
        breaker = after_at_host(breaker, one, Failed("timeout", at_host=True), NOW, LIMITS)

    assert after_at_host(breaker, ONE, answer, NOW, LIMITS).untroubled


@given(steps=st.lists(st.tuples(SIGNALS, st.integers(min_value=0, max_value=2000)), max_size=60))
def test_whatever_happens_it_lets_something_through_within_the_longest_pause(
    steps: list[tuple[Signal, int]],
) -> None:
    breaker, now = Breaker(since=NOW), NOW
    for signal, seconds in steps:
        now += dt.timedelta(seconds=seconds)
        breaker, admission = admit(breaker, now)
        if not isinstance(admission, Hold):
            breaker = after(breaker, signal, now, LIMITS)
    _, at_last = admit(breaker, now + LONGEST_PAUSE)

    assert isinstance(at_last, Go | Probe)


@given(steps=st.lists(st.tuples(SIGNALS, st.integers(min_value=0, max_value=2000)), max_size=60))
def test_open_and_half_open_always_know_when_to_look_again(
    steps: list[tuple[Signal, int]],
) -> None:
    breaker, now = Breaker(since=NOW), NOW
    for signal, seconds in steps:
        now += dt.timedelta(seconds=seconds)
        breaker, _ = admit(breaker, now)
        breaker = after(breaker, signal, now, LIMITS)

        assert (breaker.retry_at is None) == (breaker.state is BreakerState.CLOSED)
        assert breaker.openings == 0 or breaker.state is not BreakerState.CLOSED
