"""Periods that people ask for, cut into the buckets that answer them. No I/O.

Rollups know minutes of the last two days, hours of the last three months, days and weeks. A period
is answered by whole weeks inside it, around them by days, and at its ends by hours and minutes as
far as they are kept; beyond that its ends are moved out to whole hours or days of the tenant.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from trackai.errors import InvalidField

# How long minutes and hours are there for sure; storage keeps them a little longer.
MINUTES_KEPT = dt.timedelta(days=2)
HOURS_KEPT = dt.timedelta(days=91)
_WEEK = dt.timedelta(days=7)
LONGEST = dt.timedelta(days=732)
# Nothing was counted before, nor will be after.
OLDEST = dt.timedelta(days=3660)
FARTHEST = dt.timedelta(days=2)

PeriodName = Literal["1h", "24h", "today", "yesterday", "7d", "30d", "90d"]
NAMES: tuple[str, ...] = get_args(PeriodName)
_DAYS = {"today": dt.timedelta(), "yesterday": dt.timedelta(days=-1)}
_NAMED = {
    "1h": dt.timedelta(hours=1),
    "24h": dt.timedelta(hours=24),
    "7d": dt.timedelta(days=7),
    "30d": dt.timedelta(days=30),
    "90d": dt.timedelta(days=90),
}


class Grain(StrEnum):
    """How long a bucket is; hours and more are those of the tenant's time zone.

    A week begins with its Monday.
    """

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


# About how long a bucket is.
_LENGTHS = {
    Grain.MINUTE: dt.timedelta(minutes=1),
    Grain.HOUR: dt.timedelta(hours=1),
    Grain.DAY: dt.timedelta(days=1),
    Grain.WEEK: _WEEK,
}


@dataclass(frozen=True, slots=True)
class Segment:
    """Buckets of one grain that start in [start, end)."""

    grain: Grain
    start: dt.datetime
    end: dt.datetime
    taken: bool = False  # away from what the others have together


# A chart of so long a period has buckets of this grain.
_CHARTED = (
    (dt.timedelta(hours=3), Grain.MINUTE),
    (dt.timedelta(days=8), Grain.HOUR),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time in a tenant's time zone, its ends on buckets that are kept."""

    start: dt.datetime
    end: dt.datetime
    zone: ZoneInfo
    now: dt.datetime

    @classmethod
    def named(cls, name: str, *, zone: ZoneInfo, now: dt.datetime) -> "Period":
        """Return 1h or 24h that end now, or the 7, 30 or 90 days that end with today, or a day.

        InvalidField for another name.
        """
        if name in _DAYS:
            day = now.astimezone(zone).date() + _DAYS[name]
            start, end = (cls.day_begins(day + dt.timedelta(days=n), zone) for n in (0, 1))
            return cls.between(start, end, zone=zone, now=now)
        length = _NAMED.get(name)
        if length is None:
            raise InvalidField(f"A period is one of {', '.join(NAMES)}.", field="period")
        if length < _WEEK:
            end = _next(now, Grain.MINUTE, zone)
            return cls.between(end - length, end, zone=zone, now=now)
        # As many days as it says, today as far as it is over.
        day = now.astimezone(zone).replace(tzinfo=None) - (length - dt.timedelta(days=1))
        start = floor(day.replace(tzinfo=zone), Grain.DAY, zone)
        return cls.between(start, _next(now, Grain.DAY, zone), zone=zone, now=now)

    @classmethod
    def between(
        cls, start: dt.datetime, end: dt.datetime, *, zone: ZoneInfo, now: dt.datetime
    ) -> "Period":
        """Return the period of these ends, moved out to buckets. InvalidField when it has none."""
        if start >= end:
            raise InvalidField("A period begins before it ends.", field="from")
        if end - start > LONGEST:
            raise InvalidField(f"A period is at most {LONGEST.days} days long.", field="from")
        if start < now - OLDEST or end > now + FARTHEST:
            raise InvalidField("A period is of the last ten years.", field="from")
        return cls(start, end, zone, now).on_buckets()

    @staticmethod
    def day_begins(day: dt.date, zone: ZoneInfo) -> dt.datetime:
        """Return when a day of a time zone begins; OverflowError far from today."""
        return _midnight(day, zone)

    def before(self) -> "Period":
        """Return the period of the same length before this one, which ends where this one begins.

        What begins with a day is moved by days, however long they were, as far as it is over: at
        noon today's numbers are put beside those of yesterday until noon.
        """
        if floor(self.start, Grain.DAY, self.zone) == self.start:
            first, last = self.dates()
            days = (last - first).days + 1
            start, end = (self._earlier(one, days) for one in (self.start, self._passed_until))
        else:
            start, end = self.start - (self.end - self.start), self.start
        return Period(start, min(end, self.start), self.zone, self.now).on_buckets()

    @property
    def passed(self) -> dt.timedelta:
        """How much of the period is over."""
        return self._passed_until - self.start

    @property
    def _passed_until(self) -> dt.datetime:
        """When it ends, or now; of what has not begun yet, its end."""
        return min(self.end, self.now) if self.start < self.now else self.end

    def _earlier(self, moment: dt.datetime, days: int) -> dt.datetime:
        """Return the same time of the day, so many days before."""
        local = moment.astimezone(self.zone).replace(tzinfo=None) - dt.timedelta(days=days)
        return local.replace(tzinfo=self.zone).astimezone(dt.UTC)

    def whole_days(self) -> "Period":
        """Return the period moved out to whole days of the tenant."""
        start = floor(self.start, Grain.DAY, self.zone)
        return Period(start, _up(self.end, Grain.DAY, self.zone), self.zone, self.now)

    def dates(self) -> tuple[dt.date, dt.date]:
        """Return the tenant's first day in it, and its last."""
        last = self.end - dt.timedelta(microseconds=1)
        return self.start.astimezone(self.zone).date(), last.astimezone(self.zone).date()

    def buckets(self) -> Segment:
        """Return buckets of one grain that cover it, a few dozen to two hundred: a chart's."""
        length = self.end - self.start
        grain = next((one for most, one in _CHARTED if length <= most), Grain.DAY)
        grain = max(grain, _finest(self.start, self.now), key=list(Grain).index)
        start = floor(self.start, grain, self.zone)
        return Segment(grain, start, _up(self.end, grain, self.zone))

    def starts(self) -> list[dt.datetime]:
        """Return when each of `buckets` begins, in UTC."""
        segment, starts = self.buckets(), []
        at = segment.start
        while at < segment.end:
            starts.append(at)
            at = _after(at, segment.grain, self.zone)
        return starts

    def on_buckets(self) -> "Period":
        """Return the period moved out to buckets that are kept."""
        start = floor(self.start, _finest(self.start, self.now), self.zone)
        end = _up(self.end, _finest(self.end, self.now), self.zone)
        return Period(start, end, self.zone, self.now)

    def segments(self) -> list[Segment]:
        """Return the buckets that add up to the period: the coarsest inside, finer at its ends."""
        return list(_cut(self.start, self.end, (*reversed(Grain),), self.zone))

    def fewest(self) -> list[Segment]:
        """Return buckets that add up to the period like `segments`, but fewer: some are taken away.

        At 14:50 the hours since 14:00 are the hour without ten minutes that are still to come,
        which have no rows.
        """
        return _fewest(self.start, self.end, (*reversed(Grain),), self)

    def finer(self, at: dt.datetime, grain: Grain) -> list[Segment]:
        """Return the bucket that holds a moment in finer ones, as fine as they are kept."""
        start = floor(at, grain, self.zone)
        order = list(Grain)
        kept = order[order.index(_finest(start, self.now)) : order.index(grain)]
        return [Segment(one, start, _after(start, grain, self.zone)) for one in kept]


def _cut(
    start: dt.datetime, end: dt.datetime, grains: Sequence[Grain], zone: ZoneInfo
) -> Iterator[Segment]:
    """Yield whole buckets of the coarsest grain, and before and behind them finer ones."""
    if start >= end:
        return
    grain, *finer = grains
    if not finer:
        yield Segment(grain, start, end)
        return
    first, last = _up(start, grain, zone), floor(end, grain, zone)
    if first >= last:
        yield from _cut(start, end, finer, zone)
        return
    yield from _cut(start, first, finer, zone)
    yield Segment(grain, first, last)
    yield from _cut(last, end, finer, zone)


def _fewest(
    start: dt.datetime, end: dt.datetime, grains: Sequence[Grain], period: Period
) -> list[Segment]:
    """Return whole buckets of the coarsest grain, and finer ones that are more or too much."""
    if start >= end:
        return []
    grain, *finer = grains
    if not finer:
        return [Segment(grain, start, end)]
    before, first = floor(start, grain, period.zone), _up(start, grain, period.zone)
    last, behind = floor(end, grain, period.zone), _up(end, grain, period.zone)
    if first > last:
        return _fewest(start, end, finer, period)
    head, first = _end(start, (first, before), finer, period)
    tail, last = _end(end, (last, behind), finer, period)
    whole = [Segment(grain, first, last)] if first < last else []
    return [*whole, *head, *tail]


def _end(
    at: dt.datetime,
    around: tuple[dt.datetime, dt.datetime],
    finer: Sequence[Grain],
    period: Period,
) -> tuple[list[Segment], dt.datetime]:
    """Return what is read at an end of a period, and where its whole buckets end.

    `around`: the end of the last whole bucket inside, and of the first that reaches beyond.
    """
    inside, beyond = around
    added = _fewest(min(at, inside), max(at, inside), finer, period)
    too_much = _fewest(min(at, beyond), max(at, beyond), finer, period)
    taken = [replace(one, taken=not one.taken) for one in too_much]
    kept = all(_is_kept(one, period.now) for one in taken)
    if kept and 1 + _rows(taken, period.now) < _rows(added, period.now):
        return taken, beyond
    return added, inside


def _is_kept(segment: Segment, now: dt.datetime) -> bool:
    order = list(Grain)
    return order.index(segment.grain) >= order.index(_finest(segment.start, now))


def _rows(segments: Sequence[Segment], now: dt.datetime) -> float:
    """Return about how many buckets there are to read: those to come have no rows."""
    return sum(max(0.0, (min(one.end, now) - one.start) / _LENGTHS[one.grain]) for one in segments)


def floor(moment: dt.datetime, grain: Grain, zone: ZoneInfo) -> dt.datetime:
    """Return when the bucket that a moment is in began, in UTC."""
    local = moment.astimezone(zone)
    if grain in {Grain.MINUTE, Grain.HOUR}:
        # Taken off what has passed, as PostgreSQL does it: the hour's first minute may be one that
        # clocks skipped, or have been there twice.
        minutes = local.minute if grain is Grain.HOUR else 0
        passed = dt.timedelta(minutes=minutes, seconds=local.second, microseconds=local.microsecond)
        return moment.astimezone(dt.UTC) - passed
    day = local.date()
    return _midnight(day - dt.timedelta(days=day.weekday() if grain is Grain.WEEK else 0), zone)


@lru_cache(maxsize=8192)
def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return when a day begins, as PostgreSQL's date_trunc says it.

    Of two midnights, where clocks are put back to one, it is the second; where clocks are put
    forward over it, the moment that they are.
    """
    second = dt.datetime.combine(day, dt.time(fold=1), zone)
    exists = second.astimezone(dt.UTC).astimezone(second.tzinfo).hour == 0
    return (second if exists else second.replace(fold=0)).astimezone(dt.UTC)


def _next(moment: dt.datetime, grain: Grain, zone: ZoneInfo) -> dt.datetime:
    """Return when the next bucket begins."""
    return _after(floor(moment, grain, zone), grain, zone)


def _after(start: dt.datetime, grain: Grain, zone: ZoneInfo) -> dt.datetime:
    """Return when the bucket after the one that begins at `start` does."""
    if grain is Grain.MINUTE:
        return start + dt.timedelta(minutes=1)
    if grain is Grain.HOUR:
        # Where clocks move by half an hour the next one begins earlier.
        return floor(start + dt.timedelta(hours=1), grain, zone)
    # Days of the calendar: one has 23 to 25 hours.
    days = dt.timedelta(days=7 if grain is Grain.WEEK else 1)
    return _midnight(start.astimezone(zone).date() + days, zone)


def _up(moment: dt.datetime, grain: Grain, zone: ZoneInfo) -> dt.datetime:
    start = floor(moment, grain, zone)
    return start if start == moment else _next(moment, grain, zone)


def _finest(moment: dt.datetime, now: dt.datetime) -> Grain:
    if moment > now - MINUTES_KEPT:
        return Grain.MINUTE
    return Grain.HOUR if moment > now - HOURS_KEPT else Grain.DAY
