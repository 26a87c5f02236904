"""Brings a backup into an empty database, and proves that all of it is there.

Restored for a try, it goes into a server of its own that is deleted afterwards; in earnest, into
the database that the settings name, when that is empty. Either way what is in every table is
counted and summed up again, and must be what the manifest says.
"""

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trackai.backups.catalogue import ROWS, Catalogue, Manifest, Table, tables_of
from trackai.errors import ConfigurationError
from trackai.storage.dumps import fill, is_empty, make_roles, server_major
from trackai.storage.embedded import EmbeddedPostgres, start_embedded
from trackai.storage.schema import pending, revisions
from trackai.storage.snapshots import open_snapshot

# Directories of servers in which backups are tried.
_TRIAL = "trackai-trial-"


@dataclass(frozen=True, slots=True)
class Compared:
    """A table beside what the manifest says of it; None: it is not there."""

    table: str
    wanted: Table | None
    found: Table | None

    @property
    def same(self) -> bool:
        """True when it holds what it should."""
        return self.wanted == self.found


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it."""

    manifest: Manifest
    tables: Sequence[Compared]
    lacks: Sequence[str]  # revisions that this release has beyond the backup's

    @property
    def proved(self) -> bool:
        """True when every table holds what it did."""
        return all(one.same for one in self.tables)


async def restore(catalogue: Catalogue, manifest: Manifest, url: str) -> Restored:
    """Fill an empty database with a backup, whole or not at all, and compare."""
    if not await is_empty(url):
        raise ConfigurationError(
            "The database is not empty, and a restore overwrites nothing. Name another one: a new "
            "TRACKAI_DATA_DIR, or an empty database by TRACKAI_DATABASE_URL."
        )
    if manifest.revision not in revisions():
        raise ConfigurationError(
            f"The backup {manifest.name} was made by a newer release ({manifest.release}, "
            f"{manifest.revision}). Restore it with that release."
        )
    await make_roles(url, manifest.roles)
    pieces = catalogue.reading(f"{manifest.name}/{ROWS}", manifest.file(ROWS))
    await fill(url, pieces, major=await server_major(url))
    return await compare(manifest, url)


async def try_out(catalogue: Catalogue, manifest: Manifest, parent: Path | None = None) -> Restored:
    """Restore a backup into a server of its own, compare, and delete that server."""
    async with _scratch(parent) as url:
        return await restore(catalogue, manifest, url)


async def compare(manifest: Manifest, url: str) -> Restored:
    """Compare a database with what a manifest says was in it."""
    async with open_snapshot(url) as snapshot:
        found = {one.name: one for one in tables_of(await snapshot.sums())}
    wanted = {one.name: one for one in manifest.tables}
    tables = [
        Compared(name, wanted.get(name), found.get(name)) for name in sorted({*wanted, *found})
    ]
    return Restored(manifest, tables, await pending(url))


@asynccontextmanager
async def _scratch(parent: Path | None) -> AsyncIterator[str]:
    """Yield the database of an embedded server that lives for the length of a block."""
    directory = await asyncio.to_thread(_make, parent)
    starting = asyncio.ensure_future(asyncio.to_thread(_start, directory))
    try:
        # The thread cannot be cancelled: whoever is stopped waits for it, and deletes all the same.
        await asyncio.shield(starting)
        yield starting.result().url
    finally:
        await asyncio.shield(asyncio.ensure_future(_delete(starting, directory)))


async def _delete(starting: "asyncio.Future[EmbeddedPostgres]", directory: Path) -> None:
    (server,) = await asyncio.gather(starting, return_exceptions=True)
    if not isinstance(server, BaseException):
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(shutil.rmtree, server.directory, ignore_errors=True)
    await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _make(parent: Path | None) -> Path:
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    for left in (parent or Path(tempfile.gettempdir())).glob(f"{_TRIAL}*"):
        _clear(left)
    # Not to be listed, yet passable: as root the server is another user's.
    directory = Path(tempfile.mkdtemp(prefix=_TRIAL, dir=parent))
    directory.chmod(0o711)
    return directory


def _clear(left: Path) -> None:
    """Remove what a trial left that was killed; one that is under way holds its lock."""
    lock = left / "users.lock"
    if not lock.exists():
        return
    with lock.open("r+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    with suppress(ConfigurationError, OSError):
        _start(left).stop()
    shutil.rmtree(left, ignore_errors=True)


def _start(directory: Path) -> EmbeddedPostgres:
    return start_embedded(directory, durable=False)
