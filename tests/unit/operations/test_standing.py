import datetime as dt
import re
from pathlib import Path

from trackai.operations.standing import MENDS, Standing, standing
from trackai.storage.breakers import StoredBreaker

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SOON, LATER = NOW + dt.timedelta(seconds=30), NOW + dt.timedelta(minutes=9)
RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "circuit-breaker-trip.md"


def breaker(state: str, reason: str | None = None, at: dt.datetime | None = None) -> StoredBreaker:
    return StoredBreaker(state, 0, 0, reason, NOW, at, None)


def test_without_breakers_it_is_closed() -> None:
    assert standing(None, None, NOW) == Standing("closed", None, None)


def test_a_closed_breaker_has_no_reason() -> None:
    assert standing(breaker("closed", "timeout"), None, NOW) == Standing("closed", None, None)


def test_an_open_host_holds_a_pixel_whose_own_is_closed() -> None:
    found = standing(breaker("closed", "timeout"), breaker("open", "unreachable", SOON), NOW)

    assert found == Standing("open", "unreachable", SOON)


def test_the_later_of_two_times_counts() -> None:
    own, host = breaker("open", "token_refused", LATER), breaker("open", "unreachable", SOON)

    assert standing(own, host, NOW) == Standing("open", "token_refused", LATER)


def test_open_is_worse_than_half_open() -> None:
    own, host = breaker("half_open", "timeout", LATER), breaker("open", "unreachable", SOON)

    assert standing(own, host, NOW) == Standing("open", "unreachable", LATER)


def test_a_pause_that_the_platform_asked_for_is_no_open_breaker() -> None:
    paused = StoredBreaker("closed", 0, 0, None, NOW, None, SOON)
    past = StoredBreaker("closed", 0, 0, None, NOW, None, NOW - dt.timedelta(seconds=1))

    assert standing(paused, None, NOW) == Standing("closed", None, SOON)
    assert standing(past, None, NOW) == Standing("closed", None, None)


def test_the_runbook_and_the_doctor_know_the_same_reasons() -> None:
    section = RUNBOOK.read_text().partition("## 2.")[2].partition("## 3.")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)

    assert set(MENDS) == {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}
