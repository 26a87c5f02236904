"""What pages reported while the database was away, on this machine's disk until it is back.

A directory of segments, each a row of records. A record is its length, its CRC-32 and its bytes.
One that does not hold is passed over and set aside: at the end of a segment a crash may have cut
it short, and then it was never acknowledged; elsewhere the disk has changed it. Every process
writes segments of its own, under a lock that the system drops when the process dies: then another
takes them over.
"""

import contextlib
import fcntl
import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID

from trackai.errors import ConfigurationError, SpoolFull

SPOOL = "spool"  # the directory, below the data directory
SEGMENT = ".spool"
LOCK = ".lock"
# What cannot be read or stored is set aside under this name, for people.
SET_ASIDE = ".aside"
# A segment is loaded and removed as a whole.
SEGMENT_BYTES = 8 * 1024 * 1024
# Far more than a report has; what claims to be longer is no record, nor is what is empty.
MOST_RECORD_BYTES = 1024 * 1024
_HEAD = struct.Struct("<II")


class Spool:
    """One process's place in the directory. Not for several threads at once."""

    def __init__(self, directory: Path, own: UUID, *, most_bytes: int) -> None:
        self._directory = directory
        self._own = own.hex
        self._most_bytes = most_bytes
        self._segment: BinaryIO | None = None
        self._number = 0
        self._held: dict[str, BinaryIO] = {}
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._begin_to_hold()
        except OSError as error:
            raise ConfigurationError(
                f"Cannot write to {directory} ({error.strerror}): clicks are kept there while the "
                "database is away. Point TRACKAI_DATA_DIR to a directory that can be written, "
                "or switch this off with TRACKAI_SPOOL_MIB=0."
            ) from error

    @property
    def size_bytes(self) -> int:
        """How much the directory holds, whoever wrote it."""
        return sum(_size(path) for path in self._directory.glob(f"*{SEGMENT}"))

    def append(self, records: Iterable[bytes]) -> None:
        """Write records and return when they are on the disk; SpoolFull when there is no room."""
        data = b"".join(_HEAD.pack(len(one), zlib.crc32(one)) + one for one in records)
        if self.size_bytes + len(data) > self._most_bytes:
            raise SpoolFull("The spool is full; send the same request again.", retry_after_s=2.0)
        try:
            segment = self._segment or self._begin()
            segment.write(data)
            segment.flush()
            os.fdatasync(segment.fileno())
            if segment.tell() >= SEGMENT_BYTES:
                self.end_segment()
        except OSError as error:
            # What was written is in doubt: nothing is appended behind it.
            with contextlib.suppress(OSError):
                self.end_segment()
            raise SpoolFull(
                "The spool cannot be written; send the same request again.", retry_after_s=2.0
            ) from error

    def end_segment(self) -> None:
        """Make what was appended loadable; the next append begins another segment."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            segment.close()

    def segments(self) -> list[Path]:
        """Return ended segments that are this process's to load, in the order of their writing.

        Those of processes that have died are taken over, and those without a lock: somebody has
        brought them back from a copy.
        """
        for lock in self._directory.glob(f"*{LOCK}"):
            self._hold(lock.stem)
        for segment in self._directory.glob(f"*{SEGMENT}"):
            self._hold(segment.name.partition("-")[0])
        # The names begin with a time: processes in the order of their start.
        return sorted(
            path
            for path in self._directory.glob(f"*{SEGMENT}")
            if path.name.partition("-")[0] in self._held and not self._is_open(path)
        )

    def foreign_segments(self) -> set[str]:
        """Return names of segments that living processes have yet to load."""
        return {
            path.name
            for path in self._directory.glob(f"*{SEGMENT}")
            if path.name.partition("-")[0] not in self._held
        }

    def remove(self, segment: Path) -> None:
        """Forget a segment whose records are stored."""
        segment.unlink(missing_ok=True)

    def set_aside(self, segment: Path, records: Sequence[bytes]) -> Path:
        """Keep records of a segment that nobody could store, for people; return where."""
        aside = segment.with_suffix(SET_ASIDE)
        with aside.open("ab") as file:
            for one in records:
                file.write(_HEAD.pack(len(one), zlib.crc32(one)) + one)
            file.flush()
            os.fsync(file.fileno())
        return aside

    def put_aside(self, segment: Path) -> Path:
        """Keep a segment as it is, for people; return where."""
        return segment.rename(segment.with_suffix(SET_ASIDE))

    def close(self) -> None:
        """Give the segments up, to whoever comes next."""
        self.end_segment()
        mine = [path.name.partition("-")[0] for path in self._directory.glob(f"*{SEGMENT}")]
        for name, file in self._held.items():
            if name not in mine:
                (self._directory / f"{name}{LOCK}").unlink(missing_ok=True)
            file.close()
        self._held.clear()

    def _begin(self) -> BinaryIO:
        self._number += 1
        path = self._directory / f"{self._own}-{self._number:08d}{SEGMENT}"
        self._segment = path.open("xb")
        _sync_directory(self._directory)
        return self._segment

    def _is_open(self, path: Path) -> bool:
        return self._segment is not None and path.name == Path(self._segment.name).name

    def _begin_to_hold(self) -> None:
        """Lock first, then show the name: nobody may take a beginner for a dead process."""
        hidden = self._directory / f"{self._own}.new"
        file = hidden.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(self._directory / f"{self._own}{LOCK}")
        self._held[self._own] = file

    def _hold(self, name: str) -> None:
        """Lock a process's segments, unless somebody else does."""
        if name in self._held:
            return
        path = self._directory / f"{name}{LOCK}"
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return
        self._held[name] = file


class Segment(NamedTuple):
    """What a segment holds."""

    records: list[bytes]
    damaged: list[bytes]  # stretches that are no records


def read_segment(path: Path) -> Segment:
    """Return a segment's records, and what lies between them that is none."""
    data, at, lost_from = path.read_bytes(), 0, 0
    found = Segment([], [])
    while at < len(data):
        record = _record_at(data, at)
        if record is None:
            at += 1  # a length may be what was damaged: look for the next record anywhere
            continue
        if lost_from < at:
            found.damaged.append(data[lost_from:at])
        found.records.append(record)
        at = lost_from = at + _HEAD.size + len(record)
    if lost_from < len(data):
        found.damaged.append(data[lost_from:])
    return found


def _record_at(data: bytes, at: int) -> bytes | None:
    if at + _HEAD.size > len(data):
        return None
    length, checksum = _HEAD.unpack_from(data, at)
    if not 0 < length <= MOST_RECORD_BYTES:
        return None
    record = data[at + _HEAD.size : at + _HEAD.size + length]
    return record if len(record) == length and zlib.crc32(record) == checksum else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
