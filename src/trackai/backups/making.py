"""Makes a backup, and notes it.

Steps:
1. a snapshot is held; pg_dump reads at it, sealed into the vault piece by piece, while every table
   is counted and summed up at the same snapshot;
2. where the server is ours, a copy of its data directory follows, from which points in time are
   reached (wal.py);
3. the manifest is written, and with it the backup is there. Whatever stops it before leaves files
   without a manifest, which nobody lists and the upkeep removes.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

from trackai.backups.catalogue import FORMAT, ROWS, Base, Catalogue, File, Manifest, tables_of
from trackai.errors import ConfigurationError
from trackai.model.clock import Clock, NewId
from trackai.storage import backups
from trackai.storage.backups import Backup, Origin
from trackai.storage.dumps import dump
from trackai.storage.pool import Database
from trackai.storage.snapshots import Snapshot, TableSum, open_snapshot
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import BACKUP_BYTES, BACKUP_SECONDS

# A name sorts by when it was begun.
NAME = "%Y%m%dT%H%M%SZ"
# Of server_version_num.
_MAJOR = 10_000


class MakesBase(Protocol):
    """Copies the data directory of a server that is ours."""

    async def __call__(self, catalogue: Catalogue, name: str) -> tuple[Base, File] | None:
        """Write it beside the dump; None when this server does not archive its log."""
        ...


@dataclass(frozen=True, slots=True)
class Maker:
    """What a backup is made with; the database is of the role that notes it."""

    url: str
    catalogue: Catalogue
    database: Database
    clock: Clock
    new_id: NewId
    base: MakesBase | None = None

    async def run(self) -> Manifest:
        """Make one, and note it."""
        began = self.clock.now()
        name = f"{began.strftime(NAME)}-{self.new_id().hex[-8:]}"
        async with open_snapshot(self.url) as snapshot:
            facts = await _facts(snapshot)
            rows, sums = await self._dump(snapshot, name, facts.server_version)
        base = await self.base(self.catalogue, name) if self.base is not None else None
        manifest = Manifest(
            format=FORMAT,
            name=name,
            release=version("trackai"),
            taken_at=began,
            finished_at=self.clock.now(),
            server_version=facts.server_version,
            revision=facts.revision,
            roles=facts.roles,
            tables=tables_of(sums),
            files=[rows] if base is None else [rows, base[1]],
            base=None if base is None else base[0],
        )
        await self.catalogue.write_manifest(manifest)
        await self._note(manifest)
        return manifest

    async def _dump(
        self, snapshot: Snapshot, name: str, server_version: int
    ) -> tuple[File, list[TableSum]]:
        async def write() -> File:
            async with self.catalogue.writing(f"{name}/{ROWS}") as writing:
                major = server_version // _MAJOR
                await dump(self.url, snapshot=snapshot.name, major=major, write=writing.add)
            return writing.file(ROWS)

        return await _both(write, snapshot.sums)

    async def _note(self, manifest: Manifest) -> None:
        noted = Backup(
            *(manifest.name, Origin.OWN, manifest.taken_at, manifest.finished_at, manifest.bytes)
        )
        async with self.database.transaction() as tx:
            await backups.insert_backup(tx, noted)
        took = manifest.finished_at - manifest.taken_at
        BACKUP_BYTES.set(manifest.bytes)
        BACKUP_SECONDS.labels("run").observe(took.total_seconds())
        get_logger().info(
            "backup.made",
            backup=manifest.name,
            where=self.catalogue.vault.where,
            bytes=manifest.bytes,
            rows=manifest.rows,
            seconds=round(took / dt.timedelta(seconds=1), 1),
            point_in_time=manifest.base is not None,
        )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What restoring has to know of the database."""

    revision: str
    server_version: int
    roles: list[str]


async def _facts(snapshot: Snapshot) -> _Facts:
    revision = await snapshot.revision()
    if revision is None:
        raise ConfigurationError("This database has no tables of Track AI. Run: trackai migrate")
    return _Facts(revision, await snapshot.server_version(), await snapshot.roles())


async def _both(
    write: Callable[[], Awaitable[File]], count: Callable[[], Awaitable[list[TableSum]]]
) -> tuple[File, list[TableSum]]:
    """Do both at once; when one fails the other is ended, and the failure is told."""
    writing, counting = asyncio.ensure_future(write()), asyncio.ensure_future(count())
    try:
        return await writing, await counting
    finally:
        for one in (writing, counting):
            one.cancel()
        await asyncio.gather(writing, counting, return_exceptions=True)
