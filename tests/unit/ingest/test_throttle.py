"""Token buckets: a burst, then a steady rate, each tenant for itself."""

import uuid

import pytest

from trackai.ingest import throttle
from trackai.ingest.throttle import Throttle

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


class Ticks:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_burst_passes_then_the_wait_is_until_the_next_token() -> None:
    throttle = Throttle(rate=4.0, burst=3, monotonic=Ticks())
    waits = [throttle.wait_s(ONE) for _ in range(4)]

    assert waits == [0.0, 0.0, 0.0, 0.25]


def test_tokens_come_back_at_the_rate_and_not_above_the_burst() -> None:
    ticks = Ticks()
    throttle = Throttle(rate=2.0, burst=2, monotonic=ticks)
    for _ in range(3):
        throttle.wait_s(ONE)
    ticks.at += 0.5
    after_one = [throttle.wait_s(ONE) == 0.0 for _ in range(2)]
    ticks.at += 1000.0
    after_long = [throttle.wait_s(ONE) == 0.0 for _ in range(3)]

    assert after_one == [True, False]
    assert after_long == [True, True, False]


def test_one_tenant_does_not_use_up_anothers_tokens() -> None:
    throttle = Throttle(rate=1.0, burst=1, monotonic=Ticks())
    throttle.wait_s(ONE)

    assert throttle.wait_s(ONE) > 0.0
    assert throttle.wait_s(TWO) == 0.0


def test_buckets_are_bounded_and_the_one_idle_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_BUCKETS", 2)
    bounded = Throttle(rate=1.0, burst=1, monotonic=Ticks())
    for tenant in (ONE, TWO, ONE, uuid.UUID(int=3)):
        bounded.wait_s(tenant)

    assert bounded.wait_s(ONE) > 0.0
    assert bounded.wait_s(TWO) == 0.0
    assert len(bounded._buckets) == 2
