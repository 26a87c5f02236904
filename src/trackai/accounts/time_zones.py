"""Which time zones a tenant may have: the program cuts days by them, and so does the database.

Each has its own list of the world's zones, and countries change their clocks at short notice. Where
the lists differ a day begins at two moments, and numbers would be those of another day.
"""

import datetime as dt
import zoneinfo

from trackai.errors import InvalidField
from trackai.storage import tenants
from trackai.storage.pool import Tx

# Of names without a place each machine has others, and "localtime" is another zone on each.
_WITHOUT_PLACE = {"UTC"}
# Copies of all others, some of which count leap seconds.
_COPIES = ("posix/", "right/")
# How far back people ask for days, how far ahead a change of clocks is announced, and how finely
# the two lists are compared: no change of clocks lasts for less than some weeks.
_BACK, _AHEAD = dt.timedelta(days=732), dt.timedelta(days=366)
_STEP = dt.timedelta(hours=6)
# Nothing is counted later than this.
_SOON = dt.timedelta(days=2)


async def check_time_zone(tx: Tx, name: str, now: dt.datetime) -> None:
    """Raise InvalidField for a zone that the program or the database does not know, or as another.

    What they will disagree about later is the doctor's to say: there is time to mend it.
    """
    named = name in _WITHOUT_PLACE or ("/" in name and not name.startswith(_COPIES))
    if not named or name not in zoneinfo.available_timezones():
        raise InvalidField(
            "There is no such time zone. Name one like America/Sao_Paulo.", field="time_zone"
        )
    if not await tenants.knows_time_zone(tx, name):
        raise InvalidField(
            "The database's list of time zones is older and lacks this one. Name another of the"
            " same time.",
            field="time_zone",
        )
    differs = await find_difference(tx, name, now)
    if differs is not None and differs <= now + _SOON:
        raise InvalidField(
            "The program's list of time zones and the database's say two times for this one:"
            " trackai doctor. Name another of the same time.",
            field="time_zone",
        )


async def find_difference(tx: Tx, name: str, now: dt.datetime) -> dt.datetime | None:
    """Return a moment since when the program and the database tell two times in a zone; or None.

    Of the last two years and the next one. The zone is one that both know.
    """
    zone = zoneinfo.ZoneInfo(name)
    moments = [now - _BACK + number * _STEP for number in range((_BACK + _AHEAD) // _STEP)]
    locals_ = [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
    return await tenants.find_other_time(tx, name, moments, locals_)
