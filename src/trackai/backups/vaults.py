"""Where backups are kept: files under keys with slashes. Here the port, and a directory.

A file is there whole or not at all. What a key means is not known here (catalogue.py).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from typing_extensions import override

from trackai.errors import BackupFailed

Write = Callable[[bytes], Awaitable[None]]

READ_BYTES = 1 << 20
# Of files that are being written.
DRAFT = ".draft"


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """A file, how large, and when it was written (seconds since 1970)."""

    key: str
    bytes: int
    at_s: float


class Vault(Protocol):
    """Keeps files."""

    @property
    def where(self) -> str:
        """Say where, for people."""
        ...

    def writing(self, key: str) -> AbstractAsyncContextManager[Write]:
        """Write a file for the length of a block; it is there when the block ends well."""
        ...

    def reading(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield a file's bytes; BackupFailed when there is none."""
        ...

    async def kept(self, prefix: str = "") -> list[Kept]:
        """Return the files whose keys begin so, by key."""
        ...

    async def remove(self, keys: Iterable[str]) -> None:
        """Remove files; those that are gone already do not matter."""
        ...


class Directory(Vault):
    """A directory of mode 0700. What is written is on the disk before it has its name."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    @override
    def where(self) -> str:
        """Say where."""
        return str(self._root)

    @asynccontextmanager
    @override
    async def writing(self, key: str) -> AsyncIterator[Write]:
        """Write under another name, then rename."""
        path = self._root / key
        draft = path.with_name(f"{path.name}.{os.getpid()}{DRAFT}")
        file = await asyncio.to_thread(_begin, self._root, draft)
        try:

            async def write(data: bytes) -> None:
                with _our_errors():
                    await asyncio.to_thread(file.write, data)

            yield write
            with _our_errors():
                await asyncio.to_thread(_finish, file, draft, path)
        finally:
            file.close()
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    @override
    async def reading(self, key: str) -> AsyncGenerator[bytes, None]:
        """Read piece by piece."""
        with _our_errors():
            file = await asyncio.to_thread((self._root / key).open, "rb")
        with file:
            while True:
                with _our_errors():
                    piece = await asyncio.to_thread(file.read, READ_BYTES)
                if not piece:
                    return
                yield piece

    @override
    async def kept(self, prefix: str = "") -> list[Kept]:
        """Look through the directory."""
        with _our_errors():
            found = await asyncio.to_thread(_list, self._root)
        return sorted(one for one in found if one.key.startswith(prefix))

    @override
    async def remove(self, keys: Iterable[str]) -> None:
        """Delete, and directories that are empty then."""
        with _our_errors():
            await asyncio.to_thread(_remove, self._root, list(keys))


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(
            f"The directory of backups: {error.strerror} ({error.filename or 'its disk'})."
        ) from error


def _begin(root: Path, draft: Path) -> BinaryIO:
    with _our_errors():
        below = [one for one in draft.parents if root in one.parents]
        for directory in (root, *reversed(below)):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(descriptor, "wb")


def _finish(file: BinaryIO, draft: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    draft.replace(path)
    # The name, too, is on the disk only with its directory.
    for directory in (path.parent, path.parent.parent):
        opened = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _list(root: Path) -> list[Kept]:
    found = []
    for path in root.rglob("*"):
        try:
            if path.is_file():
                state = path.stat()
                found.append(Kept(path.relative_to(root).as_posix(), state.st_size, state.st_mtime))
        except FileNotFoundError:
            continue  # removed, or renamed, while we looked
    return found


def _remove(root: Path, keys: Iterable[str]) -> None:
    for key in keys:
        path = root / key
        path.unlink(missing_ok=True)
        for directory in path.parents:
            if directory == root or root not in directory.parents:
                break
            with suppress(FileNotFoundError):
                if any(directory.iterdir()):
                    break
                directory.rmdir()
