"""Periods: their ends, the buckets that add up to them, and the period before."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.analytics.periods import (
    HOURS_KEPT,
    MINUTES_KEPT,
    Grain,
    Period,
    Segment,
    floor,
)
from trackai.errors import InvalidField
from trackai.model.keeping import is_over, period_of, whole_since

NOW = dt.datetime(2026, 11, 26, 15, 42, 17, tzinfo=dt.UTC)
SP = ZoneInfo("America/Sao_Paulo")
ZONES = [SP, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]
moments = st.timedeltas(min_value=dt.timedelta(hours=1), max_value=dt.timedelta(days=600)).map(
    lambda ago: NOW - ago
)


# Where there are minutes.
lately = st.timedeltas(min_value=dt.timedelta(minutes=1), max_value=dt.timedelta(hours=50)).map(
    lambda ago: NOW - ago
)
LENGTHS = {Grain.MINUTE: 1, Grain.HOUR: 60, Grain.DAY: 1440, Grain.WEEK: 10080}


def rows(segments: list[Segment]) -> float:
    """Return about how many buckets have begun."""
    return sum(
        max(0.0, (min(one.end, NOW) - one.start).total_seconds()) / 60 / LENGTHS[one.grain]
        for one in segments
    )


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text + "-03:00")


def test_a_day_ends_with_this_minute_and_is_minutes_hours_minutes() -> None:
    period = Period.named("24h", zone=SP, now=NOW)

    assert (period.start, period.end) == (at("2026-11-25T12:43"), at("2026-11-26T12:43"))
    assert period.segments() == [
        Segment(Grain.MINUTE, at("2026-11-25T12:43"), at("2026-11-25T13:00")),
        Segment(Grain.HOUR, at("2026-11-25T13:00"), at("2026-11-26T12:00")),
        Segment(Grain.MINUTE, at("2026-11-26T12:00"), at("2026-11-26T12:43")),
    ]


def test_a_month_is_thirty_days_and_today_is_one_of_them() -> None:
    period = Period.named("30d", zone=SP, now=NOW)

    assert period.dates() == (dt.date(2026, 10, 28), dt.date(2026, 11, 26))
    assert period.segments() == [
        Segment(Grain.DAY, at("2026-10-28T00:00"), at("2026-11-02T00:00")),
        Segment(Grain.WEEK, at("2026-11-02T00:00"), at("2026-11-23T00:00")),
        Segment(Grain.DAY, at("2026-11-23T00:00"), at("2026-11-27T00:00")),
    ]


def test_a_stretch_of_ones_own_has_finer_ends() -> None:
    period = Period.between(at("2026-10-27T12:40"), at("2026-11-26T12:43"), zone=SP, now=NOW)

    assert period.segments() == [
        Segment(Grain.HOUR, at("2026-10-27T12:00"), at("2026-10-28T00:00")),
        Segment(Grain.DAY, at("2026-10-28T00:00"), at("2026-11-02T00:00")),
        Segment(Grain.WEEK, at("2026-11-02T00:00"), at("2026-11-23T00:00")),
        Segment(Grain.DAY, at("2026-11-23T00:00"), at("2026-11-26T00:00")),
        Segment(Grain.HOUR, at("2026-11-26T00:00"), at("2026-11-26T12:00")),
        Segment(Grain.MINUTE, at("2026-11-26T12:00"), at("2026-11-26T12:43")),
    ]


@pytest.mark.parametrize(
    ("length", "grain", "number"),
    [("1h", Grain.MINUTE, 60), ("24h", Grain.HOUR, 25), ("7d", Grain.HOUR, 168)],
)
def test_a_chart_has_some_dozens_of_buckets(length: str, grain: Grain, number: int) -> None:
    period = Period.named(length, zone=SP, now=NOW)

    assert period.buckets().grain is grain
    assert len(period.starts()) == number


def test_a_chart_of_long_ago_is_of_what_is_kept() -> None:
    period = Period.between(at("2026-06-03T10:20"), at("2026-06-05T10:20"), zone=SP, now=NOW)

    assert (period.buckets().grain, len(period.starts())) == (Grain.DAY, 3)


def test_long_ago_there_are_no_hours() -> None:
    period = Period.between(at("2026-03-03T10:20"), at("2026-03-05T10:20"), zone=SP, now=NOW)

    assert period.segments() == [Segment(Grain.DAY, at("2026-03-03T00:00"), at("2026-03-06T00:00"))]


def test_the_period_before_is_as_long_and_ends_where_this_begins() -> None:
    period = Period.named("24h", zone=SP, now=NOW)

    assert period.before().end == period.start
    assert period.end - period.start == period.start - period.before().start


@pytest.mark.parametrize("second", [0, 1, 59])
def test_the_day_before_the_last_24_hours_has_all_its_minutes(second: int) -> None:
    now = NOW.replace(second=second)
    before = Period.named("24h", zone=SP, now=now).before()

    assert before.end - before.start == dt.timedelta(hours=24)
    assert before.start > now - MINUTES_KEPT


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("today", "2026-11-25T00:00", "2026-11-25T12:43"),
        ("yesterday", "2026-11-24T00:00", "2026-11-25T00:00"),
        # Minutes are gone there.
        ("7d", "2026-11-13T00:00", "2026-11-19T13:00"),
        ("90d", "2026-05-31T00:00", "2026-08-28T13:00"),
    ],
)
def test_a_period_that_goes_on_is_put_beside_as_much_of_the_one_before(
    name: str, start: str, end: str
) -> None:
    before = Period.named(name, zone=SP, now=NOW).before()

    assert (before.start, before.end) == (at(start), at(end))


def test_what_began_at_midnight_and_ended_is_put_beside_the_same_hours() -> None:
    ten = Period.between(at("2026-11-25T00:00"), at("2026-11-25T10:00"), zone=SP, now=NOW)

    assert (ten.before().start, ten.before().end) == (
        at("2026-11-24T00:00"),
        at("2026-11-24T10:00"),
    )
    assert ten.passed == dt.timedelta(hours=10)


def test_only_what_is_over_has_passed() -> None:
    today = Period.named("today", zone=SP, now=NOW)
    tomorrow = Period.between(at("2026-11-27T00:00"), at("2026-11-28T00:00"), zone=SP, now=NOW)

    assert today.passed == NOW - at("2026-11-26T00:00")
    assert tomorrow.passed == dt.timedelta(days=1)


def test_whole_days_have_as_many_before_them_though_clocks_change() -> None:
    zone = ZoneInfo("America/New_York")
    start, end = (
        dt.datetime(2026, 11, 1, 4, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 8, 5, tzinfo=dt.UTC),
    )
    period = Period.between(start, end, zone=zone, now=NOW)

    assert (end - start) == dt.timedelta(days=7, hours=1)
    assert period.before().start == dt.datetime(2026, 10, 25, 4, tzinfo=dt.UTC)


@given(
    moments,
    st.timedeltas(min_value=dt.timedelta(minutes=1), max_value=dt.timedelta(days=400)),
    st.sampled_from(ZONES),
)
def test_segments_cover_the_period_without_gap_or_overlap(
    start: dt.datetime, length: dt.timedelta, zone: ZoneInfo
) -> None:
    end = min(start + length, NOW)
    period = Period.between(start, end, zone=zone, now=NOW)
    segments = period.segments()

    assert period.start <= start < end <= period.end
    assert segments[0].start == period.start
    assert segments[-1].end == period.end
    assert [one.end for one in segments[:-1]] == [one.start for one in segments[1:]]
    assert len(segments) <= 7
    for one in segments:
        assert floor(one.start, one.grain, zone) == one.start
        assert one.grain is not Grain.MINUTE or one.start > NOW - MINUTES_KEPT - dt.timedelta(
            hours=1
        )
        assert one.grain is not Grain.HOUR or one.start > NOW - HOURS_KEPT - dt.timedelta(days=1)


def test_fewer_buckets_are_those_around_without_what_is_too_much() -> None:
    period = Period.named("24h", zone=SP, now=NOW)

    assert period.fewest() == [
        # Today, of which nothing is behind this minute.
        Segment(Grain.DAY, at("2026-11-26T00:00"), at("2026-11-27T00:00")),
        Segment(Grain.HOUR, at("2026-11-25T13:00"), at("2026-11-26T00:00")),
        Segment(Grain.MINUTE, at("2026-11-25T12:43"), at("2026-11-25T13:00")),
        Segment(Grain.HOUR, at("2026-11-26T13:00"), at("2026-11-27T00:00"), taken=True),
        Segment(Grain.MINUTE, at("2026-11-26T12:43"), at("2026-11-26T13:00"), taken=True),
    ]


@given(
    st.one_of(moments, lately),
    st.timedeltas(min_value=dt.timedelta(minutes=1), max_value=dt.timedelta(days=400)),
    st.sampled_from(ZONES),
)
def test_fewer_buckets_are_once_what_is_in_the_period_and_nothing_else(
    start: dt.datetime, length: dt.timedelta, zone: ZoneInfo
) -> None:
    end = min(start + length, NOW + dt.timedelta(days=1))
    period = Period.between(start, end, zone=zone, now=NOW)
    fewest = period.fewest()
    cuts = sorted({cut for one in fewest for cut in (one.start, one.end)})

    for since, until in itertools.pairwise(cuts):
        signs = [-1 if one.taken else 1 for one in fewest if one.start <= since < one.end]
        assert sum(signs) == (period.start <= since and until <= period.end), (since, until)
    for one in fewest:
        assert floor(one.start, one.grain, zone) == one.start
        assert not one.taken or one.grain is not Grain.MINUTE or one.start > NOW - MINUTES_KEPT
    assert rows(fewest) <= rows(period.segments()) + 4


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-11-02T00:00", "2026-11-01T00:00"), ("2020-01-01T00:00", "2026-01-01T00:00")],
)
def test_a_period_that_is_none_is_refused(start: str, end: str) -> None:
    with pytest.raises(InvalidField):
        Period.between(at(start), at(end), zone=SP, now=NOW)


def test_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidField, match="24h"):
        Period.named("fortnight", zone=SP, now=NOW)


@given(
    st.dates(dt.date(2025, 1, 1), dt.date(2031, 12, 31)),
    st.times(),
    st.sampled_from([30, 90, 180, 365, 730]),
    st.sampled_from(["America/Sao_Paulo", "Pacific/Kiritimati", "America/Adak", "Asia/Kolkata"]),
)
def test_whole_days_are_in_no_partition_that_goes(
    day: dt.date, time: dt.time, keep_days: int, name: str
) -> None:
    now = dt.datetime.combine(day, time, dt.UTC)
    since = floor(whole_since(now, keep_days), Grain.DAY, ZoneInfo(name))
    tomorrow = day + dt.timedelta(days=1)
    holding, _ = period_of(since.date(), keep_days)

    assert not is_over(holding, tomorrow, keep_days)
    # And no more is left out than the partition that goes next, and the days around it.
    assert since <= now - dt.timedelta(days=keep_days - 31 - 4)


@pytest.mark.parametrize(
    ("ago", "grain", "finer"),
    [
        (dt.timedelta(hours=2), Grain.DAY, [Grain.MINUTE, Grain.HOUR]),
        (dt.timedelta(days=20), Grain.WEEK, [Grain.HOUR, Grain.DAY]),
        (dt.timedelta(days=20), Grain.DAY, [Grain.HOUR]),
        (dt.timedelta(days=200), Grain.DAY, []),
        (dt.timedelta(minutes=1), Grain.MINUTE, []),
    ],
)
def test_a_bucket_is_parted_as_finely_as_is_kept(
    ago: dt.timedelta, grain: Grain, finer: list[Grain]
) -> None:
    found = Period.named("90d", zone=SP, now=NOW).finer(NOW - ago, grain)

    assert [one.grain for one in found] == finer
    assert len({(one.start, one.end) for one in found}) <= 1
    assert all(one.start <= NOW - ago < one.end for one in found)
