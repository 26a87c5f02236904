"""How much of a period the program did its work: pages were answered, and events delivered.

A minute counts when a server and a worker both had the database in it; of the minutes before the
first that was ever noted, and of the one that is running, nothing is said.
"""

import datetime as dt

from trackai.analytics.periods import Period
from trackai.storage import up_hours
from trackai.storage.pool import Tx
from trackai.storage.up_hours import Bits

_MINUTE = dt.timedelta(minutes=1)
_MINUTES = 60


async def uptime(tx: Tx, period: Period) -> float | None:
    """Return the share of a period's minutes, as far as it is known and over; None without any."""
    first = await up_hours.find_first(tx)
    if first is None:
        return None
    since = max(period.start, first.hour + _lowest(first.minutes) * _MINUTE)
    until = min(period.end, period.now.replace(second=0, microsecond=0))
    if since >= until:
        return None
    found = await up_hours.count_up(tx, _from(since), _up_to(until))
    return found / ((until - since) / _MINUTE)


def _from(moment: dt.datetime) -> Bits:
    """Return the hour a moment is in, and its minutes from there on."""
    return Bits(_hour(moment), _bits(_MINUTES) & ~_bits(moment.minute))


def _up_to(moment: dt.datetime) -> Bits:
    """Return the hour in which a period's last minute is, and its minutes up to there."""
    last = moment - _MINUTE
    return Bits(_hour(last), _bits(last.minute + 1))


def _hour(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _bits(number: int) -> int:
    """Return so many lowest bits."""
    return (1 << number) - 1


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1 if bits else 0
