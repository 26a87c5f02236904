"""Which days a partition holds, which partitions a class wants, which are over, and what is whole.

"Kept no longer than" is the promise: a partition goes when its first day is as old as its class
allows, so that a row lives between the class less the partition's width, and the class.
"""

import datetime as dt
from collections.abc import Iterator

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
_MONTHS_FROM = 365  # classes as long as this are kept in months
_DAYS_UP_TO = 30  # and those as short as this in days; between them in weeks
# How far ahead partitions are made: more than a scheduler is ever away, and little to have.
AHEAD = dt.timedelta(days=35)


def period_of(day: dt.date, keep_days: int) -> tuple[dt.date, dt.date]:
    """Return the first day of the partition that holds a day, and the first after it."""
    if keep_days >= _MONTHS_FROM:
        starts = day.replace(day=1)
        return starts, (starts + dt.timedelta(days=32)).replace(day=1)
    if keep_days <= _DAYS_UP_TO:
        return day, day + DAY
    starts = day - dt.timedelta(days=day.weekday())
    return starts, starts + WEEK


def wanted(today: dt.date, keep_days: int) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield first day and end of the partitions that a class needs from today on."""
    starts, ends = period_of(today, keep_days)
    while starts <= today + AHEAD:
        yield starts, ends
        starts, ends = period_of(ends, keep_days)


def is_over(starts: dt.date, today: dt.date, keep_days: int) -> bool:
    """Tell whether a partition's first row is as old as its class allows."""
    return starts <= today - dt.timedelta(days=keep_days)


def whole_since(now: dt.datetime, keep_days: int) -> dt.datetime:
    """Return a moment of the first day, in any zone, whose rows are all there.

    They go by whole partitions, a month's when the first of it is too old. It holds for a day,
    so that none goes while somebody counts; and no day is longer than 25 hours.
    """
    oldest = now.astimezone(dt.UTC).date() - dt.timedelta(days=keep_days - 1)
    _, whole = period_of(oldest, keep_days)
    return min(now, dt.datetime.combine(whole, dt.time(), dt.UTC) + dt.timedelta(hours=26))
