"""Table up_hours: in which minutes the parts of the program did their work; of the installation."""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

from trackai.storage.pool import Tx

# A minute in which a part did its work; most of the time it is there already.
NOTE_UP = """
insert into up_hours as u (part, hour, minutes)
values ($1, date_trunc('hour', $2::timestamptz), 1::bigint << extract(minute from $2)::int)
on conflict (part, hour) do update set minutes = u.minutes | excluded.minutes
where u.minutes | excluded.minutes <> u.minutes
"""

# Minutes in which both did, from hour $1 to hour $3; of these two only the bits in $2 and $4.
COUNT_UP = """
select coalesce(sum(bit_count((s.minutes & w.minutes
  & case when s.hour = $1 then $2::bigint else -1 end
  & case when s.hour = $3 then $4::bigint else -1 end)::bit(64)
)), 0)::int as minutes
from up_hours s join up_hours w on w.part = 'work' and w.hour = s.hour
where s.part = 'serve' and s.hour between $1 and $3
"""

# The first hour that anything is known of.
FIND_FIRST = "select hour, minutes from up_hours where part = 'serve' order by hour limit 1"


class Part(StrEnum):
    """What has to work: what answers, and what delivers."""

    SERVE = "serve"
    WORK = "work"


class Bits(NamedTuple):
    """An hour, and which of its minutes count."""

    hour: dt.datetime
    minutes: int  # bit 0 is the first


async def note_up(tx: Tx, part: Part, *, now: dt.datetime) -> None:
    """Say that a part does its work in this minute."""
    await tx.execute(NOTE_UP, part.value, now)


async def count_up(tx: Tx, first: Bits, last: Bits) -> int:
    """Return in how many minutes both parts did their work; both ends may be one hour."""
    row = await tx.fetch_one(COUNT_UP, first.hour, first.minutes, last.hour, last.minutes)
    minutes: int = row["minutes"] if row else 0
    return minutes


async def find_first(tx: Tx) -> Bits | None:
    """Return the first hour that is known; None when nothing is."""
    row = await tx.fetch_one(FIND_FIRST)
    return Bits(row["hour"], row["minutes"]) if row else None
