"""Which time zones a tenant may have: the program cuts days by them, and so does the database."""

import zoneinfo

from trackai.errors import InvalidField
from trackai.storage import tenants
from trackai.storage.pool import Tx

# Of names without a place each machine has others, and "localtime" is another zone on each.
_WITHOUT_PLACE = {"UTC"}
# Copies of all others, some of which count leap seconds.
_COPIES = ("posix/", "right/")


async def check_time_zone(tx: Tx, name: str) -> None:
    """Raise InvalidField for a time zone that the program or the database does not know."""
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
