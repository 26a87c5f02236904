"""A period as people say it: by name, or from one day or moment to another. No I/O."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from trackai.analytics.periods import Period
from trackai.errors import InvalidField

HOW = "a day such as 2026-11-01, or a time such as 2026-11-01T08:30"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Of the ways in which ISO 8601 writes a time, one: in others a day is taken for its midnight.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?")
# What a + in an address becomes when it is not written %2B.
_LOST_PLUS = re.compile(r" \d\d:?\d\d$")


def said_period(
    name: str | None,
    since: str | None,
    until: str | None,
    *,
    usual: str,
    zone: ZoneInfo,
    now: dt.datetime,
) -> Period:
    """Return the period of a name, or of its ends; `usual` is the name where nothing is said.

    A day is one of the tenant, and the last is in the period; a time without a zone is the
    tenant's; without a last one the period ends now. InvalidField names what is wrong.
    """
    if since is None:
        if until is not None:
            raise InvalidField("Say from when, too.", field="from")
        return Period.named(name or usual, zone=zone, now=now)
    if name is not None:
        raise InvalidField("Give a period or from and to, not both.", field="period")
    start = _moment(since, "from", zone, last=False)
    end = now if until is None else _moment(until, "to", zone, last=True)
    return Period.between(start, end, zone=zone, now=now)


def _moment(text: str, field: str, zone: ZoneInfo, *, last: bool) -> dt.datetime:
    """Return the beginning of a day or, of the last one, its end; or the moment that is said."""
    said = text.strip()
    if _LOST_PLUS.search(said):
        raise InvalidField("In an address, + is written %2B.", field=field)
    try:
        if _DAY.fullmatch(said):
            day = dt.date.fromisoformat(said)
            return Period.day_begins(day + dt.timedelta(days=1) if last else day, zone)
        if not _TIME.fullmatch(said):
            raise InvalidField(f"Write {HOW}.", field=field)
        moment = dt.datetime.fromisoformat(said)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidField(f"Write {HOW}.", field=field) from error
