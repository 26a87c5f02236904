"""A process's log lines on its disk, in parts that are deleted when they are old or many.

Every process writes files of its own, so that none can spoil another's line; `trackai logs` reads
all of them. What cannot be written is counted and lost: a full disk stops nobody's work.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from trackai.telemetry.metrics import LOG_LINES

LOGS = "logs"  # the directory, below the data directory
SUFFIX = ".jsonl"
# A part is deleted as a whole.
MOST_PART_BYTES = 8 * 1024 * 1024
PARTS = 8  # at least, of what all may take
PART_S = 24 * 3600.0
# Processes that start and die over and over leave a file each.
MOST_FILES = 500
# After a failure the disk is left alone for so long.
PAUSE_S = 5.0
_DAY_S = 24 * 3600.0


class Part(NamedTuple):
    """A file of log lines: whose, and which of its files."""

    process: str  # by its start, then role and number: "<hex>-worker-4711"
    number: int
    path: Path

    @property
    def who(self) -> str:
        """Return the process as people know it: "worker-4711"."""
        return self.process.partition("-")[2]


def parts_in(directory: Path) -> list[Part]:
    """Return the files of a directory, each process's in their order."""
    found = []
    for path in directory.glob(f"*{SUFFIX}"):
        process, _, number = path.name.removesuffix(SUFFIX).rpartition(".")
        if number.isdecimal():
            found.append(Part(process, int(number), path))
    return sorted(found)


@dataclass(frozen=True, slots=True)
class Room:
    """How much the files of a directory may be, all processes' together."""

    most_bytes: int
    days: float

    @property
    def part_bytes(self) -> int:
        """Return the size at which another part begins."""
        return min(MOST_PART_BYTES, self.most_bytes // PARTS)


class LogFile:
    """One process's lines; never raises for what the disk does."""

    def __init__(
        self,
        directory: Path,
        role: str,
        own: UUID,
        room: Room,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._process = f"{own.hex}-{role}-{os.getpid()}"
        self._room = room
        self._now_s = now_s
        self._number = 0
        self._file: int | None = None
        self._began_s = 0.0
        self._not_before_s = 0.0
        self._torn = False

    def write(self, line: str) -> None:
        """Append a line."""
        data = line.encode(errors="replace") + b"\n"
        try:
            file = self._open()
            if file is not None:
                # What a full disk cut short must not spoil the next line.
                data = b"\n" + data if self._torn else data
                self._torn = os.write(file, data) < len(data)
                if not self._torn:
                    return
        except OSError:
            self.close()
            self._not_before_s = self._now_s() + PAUSE_S
        LOG_LINES.labels("lost").inc()

    def close(self) -> None:
        """End the part; another line begins the next."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file = None
        self._torn = False

    def _open(self) -> int | None:
        """Return the part to write to, None while the disk is left alone."""
        now_s = self._now_s()
        if self._file is not None:
            found = os.fstat(self._file)
            # Without a name it was deleted: by another process that makes room, or by a person.
            full = found.st_size >= self._room.part_bytes or not found.st_nlink
            if not full and now_s - self._began_s < PART_S:
                return self._file
            self.close()
        elif now_s < self._not_before_s:
            return None
        self._number += 1
        self._began_s = now_s
        _make(self._directory)
        tidy(self._directory, self._room, now_s)
        path = self._directory / f"{self._process}.{self._number:05}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file


def _make(directory: Path) -> None:
    home = directory.parent
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        # As storage makes it: the embedded server's own user must get through.
        home.chmod(0o711)
    directory.mkdir(mode=0o700, exist_ok=True)


def tidy(directory: Path, room: Room, now_s: float) -> None:
    """Delete what is too old, then the oldest until there is room for another part."""
    left_bytes = room.most_bytes - room.part_bytes
    for number, (path, found) in enumerate(_newest_first(directory)):
        left_bytes -= found.st_size
        old = now_s - found.st_mtime > room.days * _DAY_S
        if old or left_bytes < 0 or number >= MOST_FILES - 1:
            with contextlib.suppress(OSError):
                path.unlink()


def _newest_first(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    found = []
    for part in parts_in(directory):
        with contextlib.suppress(OSError):  # another process was faster
            found.append((part.path, part.path.stat()))
    yield from sorted(found, key=lambda one: one[1].st_mtime, reverse=True)
