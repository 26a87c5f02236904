"""Days of the bulk tables: a row's day is that of its moment in UTC, and decides its partition."""

import datetime as dt
from collections.abc import Iterable

# How long after the first time the same row may come again and still be known: a page sends what
# it kept until it is taken, a platform what was not answered. Later repeats are rows of their own.
REPEATS = dt.timedelta(days=45)
# The longest attribution window: no look-up for a match goes further back.
LONGEST_WINDOW = dt.timedelta(days=90)


def day_of(moment: dt.datetime) -> dt.date:
    """Return a moment's day."""
    return moment.astimezone(dt.UTC).date()


def repeats_since(moments: Iterable[dt.datetime]) -> dt.date:
    """Return the first day on which a row may stand that rows of these moments repeat."""
    return day_of(min(moments) - REPEATS)


def window_since(until: dt.datetime) -> dt.date:
    """Return the first day that an attribution window up to a moment can reach."""
    return day_of(until - LONGEST_WINDOW)
