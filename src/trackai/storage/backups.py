"""Table backups: which there are, how old, and whether one was ever restored. No tenant has any.

The backups themselves are in a vault (backups/vaults.py); this is what alarms can ask at any time.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from trackai.storage.pool import Tx


class Origin(StrEnum):
    """Who made a backup."""

    OWN = "own"  # this program
    ELSEWHERE = "elsewhere"  # something that told us of it


@dataclass(frozen=True, slots=True)
class Backup:
    """One that is complete. What came after `taken_at` is not in it."""

    name: str
    origin: Origin
    taken_at: dt.datetime
    finished_at: dt.datetime
    bytes: int | None = None
    verified_at: dt.datetime | None = None
    refuted_at: dt.datetime | None = None


# A backup that is complete. Told twice is told once.
INSERT_BACKUP = """
insert into backups (name, origin, taken_at, finished_at, bytes) values ($1, $2, $3, $4, $5)
on conflict (name) do nothing
"""

# A trial restore, and how it ended.
NOTE_TRIAL = """
update backups set verified_at = case when $3 then $2 else verified_at end,
  refuted_at = case when $3 then null else $2 end
where name = $1
"""

# All that are known, the newest first.
LIST_BACKUPS = """
select name, origin, taken_at, finished_at, bytes, verified_at, refuted_at
from backups order by taken_at desc
"""

# What is no more where backups are kept.
DELETE_GONE = "delete from backups where origin = 'own' and name <> all($1::text[])"

# What was told of and is over.
DELETE_TOLD = "delete from backups where origin = 'elsewhere' and taken_at < $1"

# Since when nothing is saved: the last good backup, else the day on which there was first something
# to lose. Null for an installation without tenants.
FIND_UNSAVED_SINCE_ALL_TENANTS = """
select coalesce((select max(taken_at) from backups where refuted_at is null),
  (select min(created_at) from tenants)) as since
"""

# Whether anything ever told of backups.
FIND_ANY = "select exists (select from backups) as known"


async def insert_backup(tx: Tx, backup: Backup) -> bool:
    """Note a backup that is complete; False when it is known."""
    values = (backup.name, backup.origin, backup.taken_at, backup.finished_at, backup.bytes)
    return await tx.execute(INSERT_BACKUP, *values) == 1


async def note_trial(tx: Tx, name: str, *, at: dt.datetime, proved: bool) -> None:
    """Note that a backup was restored for a try."""
    await tx.execute(NOTE_TRIAL, name, at, proved)


async def list_backups(tx: Tx) -> list[Backup]:
    """Return all that are known, the newest first."""
    return [
        Backup(**(dict(row) | {"origin": Origin(row["origin"])}))
        for row in await tx.fetch(LIST_BACKUPS)
    ]


async def delete_gone(tx: Tx, there: Collection[str], *, told_before: dt.datetime) -> int:
    """Forget those that are not there any more, and what was told long ago; return how many."""
    gone = await tx.execute(DELETE_GONE, list(there))
    return gone + await tx.execute(DELETE_TOLD, told_before)


async def find_unsaved_since_all_tenants(tx: Tx) -> dt.datetime | None:
    """Return since when nothing is saved; None while there is nothing to lose."""
    (row,) = await tx.fetch(FIND_UNSAVED_SINCE_ALL_TENANTS)
    since: dt.datetime | None = row["since"]
    return since


async def find_any(tx: Tx) -> bool:
    """Say whether any backup is known."""
    (row,) = await tx.fetch(FIND_ANY)
    known: bool = row["known"]
    return known
