"""Partitions: every day is in one, none is kept too long, and there is always one for today."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.model.keeping import AHEAD, DAY, is_over, period_of, wanted

KEEPING = (30, 90, 180, 365, 730)
DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2080, 12, 31))


@given(DAYS, st.sampled_from(KEEPING))
def test_a_day_is_in_its_partition_and_so_are_all_days_of_it(day: dt.date, keep_days: int) -> None:
    starts, ends = period_of(day, keep_days)

    assert starts <= day < ends
    assert {(starts, ends)} == {
        period_of(starts + number * DAY, keep_days) for number in range((ends - starts).days)
    }


@given(DAYS, st.sampled_from(KEEPING))
def test_wanted_partitions_follow_each_other_without_a_gap(today: dt.date, keep_days: int) -> None:
    periods = list(wanted(today, keep_days))

    assert periods[0][0] <= today < periods[0][1]
    assert periods[-1][1] > today + AHEAD
    assert [ends for _, ends in periods[:-1]] == [starts for starts, _ in periods[1:]]


@given(DAYS, st.sampled_from(KEEPING))
def test_no_row_outlives_its_class_and_none_goes_much_too_soon(
    day: dt.date, keep_days: int
) -> None:
    starts, ends = period_of(day, keep_days)
    goes = next(
        today
        for today in (day + number * DAY for number in range(keep_days + 1))
        if is_over(starts, today, keep_days)
    )

    width = (ends - starts).days
    assert keep_days - width < (goes - day).days <= keep_days


@pytest.mark.parametrize(("keep_days", "most"), [(30, 31), (90, 14), (180, 27), (365, 13)])
def test_a_class_has_few_partitions_with_rows(keep_days: int, most: int) -> None:
    today = dt.date(2026, 11, 26)
    days = (today - number * DAY for number in range(keep_days + 60))
    kept = {
        period_of(day, keep_days)
        for day in days
        if not is_over(period_of(day, keep_days)[0], today, keep_days)
    }

    assert len(kept) <= most
