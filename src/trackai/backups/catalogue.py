"""What is in a vault: of each backup a manifest, written last, and the files that it names.

    <name>/rows       the dump of the database
    <name>/base       the data directory, where point in time is possible
    <name>/manifest   what the others are; without it there is no backup
    wal/<system>/...  the server's log since the bases (wal.py)

All of it is sealed (sealing.py), each under its key in the vault.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

import msgspec

from trackai.backups.sealing import Opening, Sealing
from trackai.backups.vaults import Kept, Vault, Write
from trackai.errors import BackupDamaged, NotFound, TrackaiError
from trackai.storage.envelope import Envelope
from trackai.storage.snapshots import TableSum

FORMAT = 1
MANIFEST, ROWS, BASE = "manifest", "rows", "base"
WAL = "wal"


class File(msgspec.Struct, frozen=True):
    """A sealed file: what was written of it."""

    name: str
    bytes: int
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """What was in a table at the snapshot."""

    name: str
    rows: int
    checksum: str


class Base(msgspec.Struct, frozen=True):
    """A copy of the data directory from which the server's log goes on."""

    system: str  # the cluster's own number
    first_segment: str  # of the log, that is needed
    finished_at: dt.datetime  # from here on points in time can be reached


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is."""

    format: int
    name: str
    release: str
    taken_at: dt.datetime
    finished_at: dt.datetime
    server_version: int
    revision: str
    roles: Sequence[str]
    tables: Sequence[Table]
    files: Sequence[File]
    base: Base | None = None

    @property
    def bytes(self) -> int:
        """Return how much it takes where it is kept."""
        return sum(one.bytes for one in self.files)

    @property
    def rows(self) -> int:
        """Return how many rows it has."""
        return sum(one.rows for one in self.tables)

    def file(self, name: str) -> File:
        """Return one of its files."""
        found = next((one for one in self.files if one.name == name), None)
        if found is None:
            raise NotFound(f"The backup {self.name} has no file {name}.")
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup in a vault; without a manifest it could not be opened, and `trouble` says why."""

    name: str
    manifest: Manifest | None
    trouble: str | None = None


@dataclass(slots=True)
class _Writing:
    """Seals what goes through it, and sums up what came out."""

    write: Write
    sealing: Sealing
    size: int
    sha256: "hashlib._Hash"

    async def add(self, plain: bytes) -> None:
        """Seal some bytes and write what is whole."""
        await self._out(await asyncio.to_thread(self.sealing.add, plain))

    async def end(self) -> None:
        """Write the last chunk."""
        await self._out(await asyncio.to_thread(self.sealing.end))

    async def _out(self, sealed: bytes) -> None:
        self.size += len(sealed)
        self.sha256.update(sealed)
        if sealed:
            await self.write(sealed)

    def file(self, name: str) -> File:
        return File(name, self.size, self.sha256.hexdigest())


class Catalogue:
    """The sealed files of a vault, by what they are."""

    def __init__(self, vault: Vault, envelope: Envelope) -> None:
        self.vault = vault
        self._envelope = envelope

    @asynccontextmanager
    async def writing(self, key: str) -> AsyncIterator[_Writing]:
        """Write a sealed file for the length of a block."""
        async with self.vault.writing(key) as write:
            sealing = Sealing(self._envelope, key)
            made = _Writing(write, sealing, len(sealing.header), hashlib.sha256(sealing.header))
            await write(sealing.header)
            yield made
            await made.end()

    async def reading(self, key: str, file: File | None = None) -> AsyncIterator[bytes]:
        """Yield what is in a sealed file; BackupDamaged when it is not what was written."""
        opening, digest = Opening(self._envelope, key), hashlib.sha256()
        async with aclosing(self.vault.reading(key)) as pieces:
            async for piece in pieces:
                digest.update(piece)
                if plain := await asyncio.to_thread(opening.add, piece):
                    yield plain
        if plain := opening.end():
            yield plain
        if file is not None and digest.hexdigest() != file.sha256:
            raise BackupDamaged(f"{key} is another file than its manifest names.")

    async def write_manifest(self, manifest: Manifest) -> None:
        """Make the backup one: from here on it is listed."""
        async with self.writing(f"{manifest.name}/{MANIFEST}") as writing:
            await writing.add(msgspec.json.encode(manifest))

    async def load(self, name: str) -> Manifest:
        """Return a backup's manifest; NotFound, or BackupDamaged."""
        key = f"{name}/{MANIFEST}"
        if not await self.vault.kept(key):
            raise NotFound(
                f"There is no backup {name} in {self.vault.where}. List them: trackai backup list"
            )
        text = b"".join([piece async for piece in self.reading(key)])
        try:
            manifest = msgspec.json.decode(text, type=Manifest)
        except msgspec.MsgspecError as error:
            raise BackupDamaged(f"The manifest of {name} is of another release.") from error
        if manifest.format != FORMAT or manifest.name != name:
            raise BackupDamaged(
                f"The manifest of {name} is of another release, or of another name."
            )
        return manifest

    async def backups(self) -> list[Listed]:
        """Return the backups that are there, the newest first."""
        names = names_of(await self.vault.kept())
        return [await self._listed(name) for name in sorted(names, reverse=True)]

    async def newest(self) -> Manifest:
        """Return the newest backup that opens; NotFound when none does."""
        for name in sorted(names_of(await self.vault.kept()), reverse=True):
            if (found := (await self._listed(name)).manifest) is not None:
                return found
        raise NotFound(
            f"There is no backup in {self.vault.where} that opens. Make one: trackai backup run"
        )

    async def _listed(self, name: str) -> Listed:
        try:
            return Listed(name, await self.load(name))
        except TrackaiError as error:
            return Listed(name, None, str(error))


def names_of(kept: Sequence[Kept]) -> set[str]:
    """Return the names of backups that are complete."""
    split = [one.key.split("/") for one in kept]
    return {parts[0] for parts in split if len(parts) == 2 and parts[1] == MANIFEST}  # noqa: PLR2004


def tables_of(sums: Sequence[TableSum]) -> list[Table]:
    """Return what was counted, as a manifest has it."""
    return [Table(one.table, one.rows, one.checksum) for one in sums]
