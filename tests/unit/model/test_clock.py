import datetime as dt
import time
import uuid

import pytest

from trackai.model.clock import SystemClock, new_id


def test_system_clock_says_the_time_in_utc() -> None:
    now = SystemClock().now()

    assert dt.timedelta(0) == now.utcoffset()
    assert abs(now.timestamp() - time.time()) < 60


def test_new_ids_are_uuid_version_7() -> None:
    made = new_id()

    assert (7, uuid.RFC_4122) == (made.version, made.variant)


def test_new_ids_carry_the_time_they_were_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= made.int >> 80 <= after


def test_new_ids_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_new_ids_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]

    assert sorted(made) == made


def test_new_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_123_999_999)
    made = {new_id() for _ in range(1000)}

    assert len(made) == 1000
    assert {(1_800_000_000_123, 0x7FFF)} == {
        (one.int >> 80, one.int >> 64 & 0xFFFF) for one in made
    }
