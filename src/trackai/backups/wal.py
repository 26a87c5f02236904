"""Points in time, for a server of ours: copies of its data directory, and its log since.

The log lies in the vault segment by segment, compressed and sealed, below the number of the cluster
that wrote it: after a restore another cluster begins to count anew.
"""

import asyncio
import contextlib
import datetime as dt
import os
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from trackai.backups.catalogue import BASE, WAL, Base, Catalogue, File, Manifest
from trackai.backups.vaults import DRAFT, Kept
from trackai.errors import NotFound
from trackai.model.clock import Clock
from trackai.storage import wal
from trackai.storage.binaries import client_programs
from trackai.storage.dumps import server_major
from trackai.storage.wal import Recovery, write_with_holes
from trackai.telemetry.metrics import BACKUP_LOG_WAITING

# Of a timeline, at the start of a segment's name.
_TIMELINE = 8


@dataclass(frozen=True, slots=True)
class CopiesData:
    """Copies the data directory of the embedded server, where it archives its log."""

    url: str
    clock: Clock

    async def __call__(self, catalogue: Catalogue, name: str) -> tuple[Base, File] | None:
        """Write a copy into the vault; None when no log would go on from it."""
        found = await wal.find_archiving(self.url)
        if found is None:
            return None
        system, segment = found
        program = await asyncio.to_thread(
            client_programs, "pg_basebackup", await server_major(self.url), bundled_first=True
        )
        async with catalogue.writing(f"{name}/{BASE}") as writing:
            await wal.copy_data(self.url, program, write=writing.add)
        return Base(system, segment, self.clock.now()), writing.file(BASE)


@dataclass(frozen=True, slots=True)
class TakesLog:
    """Task: takes the log that the server has laid down into the vault."""

    url: str
    archive: Path

    async def run(self, catalogue: Catalogue) -> int:
        """Take all that waits; return how many files. What is not safe in the vault stays."""
        waiting = await asyncio.to_thread(_waiting, self.archive)
        BACKUP_LOG_WAITING.set(len(waiting))
        found = await wal.find_archiving(self.url) if waiting else None
        if found is None:
            return 0
        for path in waiting:
            content = await asyncio.to_thread(_compressed, path)
            async with catalogue.writing(f"{WAL}/{found[0]}/{path.name}") as writing:
                await writing.add(content)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        BACKUP_LOG_WAITING.set(0)
        return len(waiting)


async def restore_until(
    catalogue: Catalogue, data_dir: Path, until: dt.datetime | None
) -> Manifest:
    """Make a data directory as the server's was at a time, or at the end of its log.

    Returns the backup that it began from. A restore in place overwrites nothing.
    """
    manifest, base = await _choose(catalogue, until)
    recovery = await asyncio.to_thread(Recovery, data_dir)
    await asyncio.to_thread(recovery.clear)
    await _unpack(catalogue, manifest, recovery)
    log = await catalogue.vault.kept(f"{WAL}/{base.system}/")
    for file in needed(log, base.first_segment):
        packed = b"".join([piece async for piece in catalogue.reading(file.key)])
        content = await asyncio.to_thread(zlib.decompress, packed)
        await asyncio.to_thread(write_with_holes, recovery.log / Path(file.key).name, content)
    await asyncio.to_thread(recovery.play, until)
    return manifest


def needed(log: list[Kept], first_segment: str) -> list[Kept]:
    """Return what of the log is played on a copy: from its segment on, and who follows whom."""
    return [
        one
        for one in log
        if (name := one.key.rpartition("/")[2]).endswith(".history")
        or ("." not in name and name[_TIMELINE:] >= first_segment[_TIMELINE:])
    ]


async def _choose(catalogue: Catalogue, until: dt.datetime | None) -> tuple[Manifest, Base]:
    for one in await catalogue.backups():
        made = one.manifest
        base = made.base if made is not None else None
        if made and base and (until is None or base.finished_at <= until):
            return made, base
    raise NotFound(
        "No backup reaches that time: points in time begin where the first copy of the data "
        "directory ended. See: trackai backup list"
    )


async def _unpack(catalogue: Catalogue, manifest: Manifest, recovery: Recovery) -> None:
    """Send a copy through a pipe to a thread that unpacks it."""
    reading, writing = os.pipe()
    unpacking = asyncio.ensure_future(asyncio.to_thread(_unpack_from, recovery, reading))
    try:
        await _send(catalogue.reading(f"{manifest.name}/{BASE}", manifest.file(BASE)), writing)
    finally:
        os.close(writing)
        await asyncio.gather(unpacking, return_exceptions=True)
    unpacking.result()


async def _send(pieces: AsyncIterator[bytes], descriptor: int) -> None:
    async for piece in pieces:
        try:
            await asyncio.to_thread(_write_all, descriptor, piece)
        except BrokenPipeError:
            return  # the thread says why


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _unpack_from(recovery: Recovery, descriptor: int) -> None:
    with os.fdopen(descriptor, "rb") as stream:
        recovery.unpack(stream)
        # The sender must reach its end, where it proves the whole.
        while stream.read(1 << 20):
            pass


def _waiting(archive: Path) -> list[Path]:
    with contextlib.suppress(FileNotFoundError):
        return sorted(one for one in archive.iterdir() if one.suffix != DRAFT and one.is_file())
    return []


def _compressed(path: Path) -> bytes:
    return zlib.compress(path.read_bytes(), 1)
