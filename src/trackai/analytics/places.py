"""Places between rows as callers and addresses carry them. No I/O."""

import base64
import binascii
import datetime as dt
from uuid import UUID

from trackai.analytics.periods import OLDEST
from trackai.errors import InvalidField
from trackai.storage.events import Place

_NO_PLACE = "Give `next` of the page before, or nothing."


def cursor_of(place: Place | None) -> str | None:
    """Return a place as callers carry it."""
    if place is None:
        return None
    told = f"{place.at.isoformat()} {place.id}"
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def place_of(cursor: str | None, now: dt.datetime) -> Place | None:
    """Return the place of a cursor; InvalidField when it is none of ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, _, row = base64.urlsafe_b64decode(padded.encode("ascii")).decode().partition(" ")
        place = Place(dt.datetime.fromisoformat(at), UUID(row))
    except (ValueError, binascii.Error) as error:
        raise InvalidField(_NO_PLACE, field="after") from error
    if place.at.tzinfo is None or abs(place.at - now) > OLDEST:
        raise InvalidField(_NO_PLACE, field="after")
    return place
