"""Periods as people say them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from trackai.analytics.periods import Period
from trackai.analytics.said import said_period
from trackai.errors import InvalidField

SP = ZoneInfo("America/Sao_Paulo")
NOW = dt.datetime(2026, 11, 26, 1, 42, 17, tzinfo=dt.UTC)  # the evening before, there


def said(name: str | None = None, since: str | None = None, until: str | None = None) -> Period:
    return said_period(name, since, until, usual="24h", zone=SP, now=NOW)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text + "-03:00")


@pytest.mark.parametrize(
    ("since", "until", "start", "end"),
    [
        ("2026-11-01", "2026-11-03", "2026-11-01T00:00", "2026-11-04T00:00"),
        ("2026-11-25", "2026-11-25", "2026-11-25T00:00", "2026-11-26T00:00"),
        ("2026-11-25T08:30", "2026-11-25T09:30", "2026-11-25T08:30", "2026-11-25T09:30"),
        ("2026-11-25T11:30:00Z", "2026-11-25", "2026-11-25T08:30", "2026-11-26T00:00"),
        ("2026-11-25", None, "2026-11-25T00:00", "2026-11-25T22:43"),
    ],
)
def test_days_and_times_are_the_tenants(
    since: str, until: str | None, start: str, end: str
) -> None:
    period = said(None, since, until)

    assert (period.start, period.end) == (at(start), at(end))


def test_today_and_yesterday_are_days_of_the_tenant() -> None:
    today, yesterday = said("today"), said("yesterday")

    assert today.dates() == (dt.date(2026, 11, 25),) * 2
    assert yesterday.dates() == (dt.date(2026, 11, 24),) * 2
    assert yesterday.before().dates() == (dt.date(2026, 11, 23),) * 2


def test_yesterday_is_the_day_before_on_a_day_of_25_hours() -> None:
    new_york = ZoneInfo("America/New_York")
    late = dt.datetime(2026, 11, 1, 23, 30, tzinfo=new_york)

    period = said_period("yesterday", None, None, usual="24h", zone=new_york, now=late)

    assert period.dates() == (dt.date(2026, 10, 31),) * 2


def test_without_a_word_it_is_the_usual_one() -> None:
    assert said() == said("24h")


@pytest.mark.parametrize(
    ("name", "since", "until", "field", "why"),
    [
        ("7d", "2026-11-01", None, "period", "not both"),
        (None, None, "2026-11-01", "from", "Say from when"),
        ("fortnight", None, None, "period", "yesterday"),
        (None, "2026-11-01T00:00:00 03:00", None, "from", "%2B"),
        (None, "yesterday", None, "from", "2026-11-01"),
        (None, "2026-11-01", "9999-12-31", "to", "2026-11-01"),
        (None, "0001-01-01", None, "from", "732 days"),
        (None, "2026-11-02", "2026-11-01", "from", "begins before"),
        (None, "2026-02-30", None, "from", "such as"),
        # Python reads these as midnight, and the last day would be missing.
        (None, "2026-11-01", "20261120", "to", "such as"),
        (None, "2026-W48-1", None, "from", "such as"),
        (None, "2026-11-01", "2026-11-20T", "to", "such as"),
    ],
)
def test_what_is_no_period_is_refused_with_what_to_say(
    name: str | None, since: str | None, until: str | None, field: str, why: str
) -> None:
    with pytest.raises(InvalidField, match=why) as refused:
        said(name, since, until)

    assert refused.value.field == field


@pytest.mark.parametrize(
    ("since", "until"), [("2017-01-01", "2018-12-31"), ("2024-11-25", "2026-11-25")]
)
def test_the_period_before_a_long_or_old_one_is_there(since: str, until: str) -> None:
    period = said(None, since, until)

    assert period.before().end == period.start
    assert period.before().start < period.start
