"""Lets backups go whose time is over, and what never became one; says which there really are.

The newest backup that opens is never let go, however old it is.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trackai.backups.catalogue import MANIFEST, WAL, Catalogue, Listed, Manifest, names_of
from trackai.backups.vaults import Kept
from trackai.model.clock import Clock
from trackai.storage import backups
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger

# What has no manifest after so long was given up in the middle.
UNFINISHED = dt.timedelta(days=1)
# Characters of a timeline at the start of a segment's name, and of the whole name.
_TIMELINE, _SEGMENT = 8, 24


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Task: keeps a vault as small as it may be; the database is of the role that notes backups."""

    catalogue: Catalogue
    database: Database
    clock: Clock
    keep: dt.timedelta

    async def run(self) -> int:
        """Let go of what is over; return how many files that were."""
        now = self.clock.now()
        listed = await self.catalogue.backups()
        kept = await self.catalogue.vault.kept()
        over = overdue(listed, now - self.keep)
        gone = [
            *files_of(kept, over),
            *unfinished(kept, now - UNFINISHED),
            *log_before(kept, [one for one in listed if one.name not in over]),
        ]
        # The manifest goes first: what is half removed is no backup.
        gone.sort(key=lambda key: not key.endswith(f"/{MANIFEST}"))
        await self.catalogue.vault.remove(gone)
        async with self.database.transaction() as tx:
            there = {one.name for one in listed} - set(over)
            await backups.delete_gone(tx, there, told_before=now - self.keep)
        if over:
            get_logger().info("backup.over", backups=over, files=len(gone))
        return len(gone)


def overdue(listed: Sequence[Listed], before: dt.datetime) -> list[str]:
    """Return the names of those that are over; what does not open is kept for people to look at."""
    good = sorted((one.manifest for one in listed if one.manifest), key=_age)
    return [one.name for one in good[:-1] if one.taken_at < before]


def _age(manifest: Manifest) -> tuple[dt.datetime, str]:
    return manifest.taken_at, manifest.name


def files_of(kept: Iterable[Kept], names: Iterable[str]) -> list[str]:
    """Return the keys of these backups' files."""
    wanted = set(names)
    return [one.key for one in kept if one.key.split("/")[0] in wanted]


def unfinished(kept: Sequence[Kept], before: dt.datetime) -> list[str]:
    """Return the keys of what was begun long ago and never became a backup."""
    complete = names_of(kept) | {WAL}
    return [
        one.key
        for one in kept
        if one.at_s < before.timestamp()
        and (one.key.split("/")[0] not in complete or one.key.endswith(".draft"))
    ]


def log_before(kept: Iterable[Kept], staying: Sequence[Listed]) -> list[str]:
    """Return the keys of the server's log that no base needs any more.

    A segment's name says where in the log it is, behind the eight characters of its timeline; names
    of other files of the log stay.
    """
    needed: dict[str, str] = {}
    for one in staying:
        if one.manifest is None:
            # What it needs is not known: nothing of the log may go.
            return []
        if (base := one.manifest.base) is not None:
            first = base.first_segment[_TIMELINE:]
            needed[base.system] = min(first, needed.get(base.system, first))
    found = []
    for file in kept:
        parts = file.key.split("/")
        if parts[0] != WAL or len(parts) != 3 or len(parts[2]) != _SEGMENT:  # noqa: PLR2004
            continue
        if parts[1] in needed and parts[2][_TIMELINE:] < needed[parts[1]]:
            found.append(file.key)
    return found
