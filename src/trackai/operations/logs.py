"""The log lines of all processes of a machine, by their time; read from their files, never at once.

Lines that are no JSON with a time are counted and passed over: a crash may have cut one short.
"""

import contextlib
import datetime as dt
import fnmatch
import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from trackai.telemetry.log_files import Part, parts_in

LEVELS = ("debug", "info", "warning", "error", "critical")
# What is longer was not written by us.
MOST_LINE_BYTES = 1024 * 1024
# Webhooks that one id leads to; a pixel's or a tenant's id would lead to all of them.
MOST_RECEIPTS = 1000
MOST_NEEDLES = 20


class Line(NamedTuple):
    """A line that was understood."""

    at: dt.datetime
    process: str
    text: str  # as it was written
    fields: Mapping[str, Any]


@dataclass
class About:
    """An id, and the webhooks that it belongs to: a sale's lines name one or the other."""

    id: str
    receipts: set[str] = field(default_factory=set)

    def learn(self, line: Line) -> None:
        """Note the webhook of a line that names the id."""
        receipt_id = line.fields.get("receipt_id")
        if isinstance(receipt_id, str) and len(self.receipts) < MOST_RECEIPTS and self._named(line):
            self.receipts.add(receipt_id)

    def fits(self, line: Line) -> bool:
        """Tell whether a line is about it."""
        return line.fields.get("receipt_id") in self.receipts or self._named(line)

    @property
    def needles(self) -> Sequence[bytes]:
        """Return texts of which each line that fits holds one; none when that cannot be told."""
        own = {self.id, self.id.partition(":")[2] or self.id}
        # JSON writes these as they are; every needle more makes the search slower.
        plain = self.id.isascii() and self.id.isprintable() and not set(self.id) & set('"\\/')
        found = [one.encode() for one in own | self.receipts]
        return found if plain and len(found) <= MOST_NEEDLES else ()

    def _named(self, line: Line) -> bool:
        if self.id in line.text and any(_holds(one, self.id) for one in line.fields.values()):
            return True
        # An event's id is made of these two.
        gateway, _, transaction = self.id.partition(":")
        told = line.fields.get("transactions") if transaction else None
        return line.fields.get("gateway") == gateway and _holds(told, transaction)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody wants to see."""

    since: dt.datetime
    level: str = "debug"  # at least
    event: str = "*"
    text: str = ""
    tenant_id: str | None = None
    about: About | None = None

    def fits(self, line: Line) -> bool:
        """Tell whether a line is one of them."""
        said = line.fields
        level = said.get("level")
        return (
            line.at >= self.since
            and (level not in LEVELS or LEVELS.index(level) >= LEVELS.index(self.level))
            and fnmatch.fnmatchcase(str(said.get("event", "")), self.event)
            and (not self.text or self.text.casefold() in line.text.casefold())
            and self.tenant_id in (None, said.get("tenant_id"))
            and (self.about is None or self.about.fits(line))
        )


# What comes of damaged bytes: no text, no JSON, no object, too deep a one, no time that there is.
_NO_LINE = (
    *(ValueError, TypeError, KeyError),
    *(RecursionError, OverflowError, msgspec.DecodeError),
)


class Logs:
    """The files of one directory; `unread` counts the lines that were not understood."""

    def __init__(self, directory: Path, ends: Mapping[Path, int] | None = None) -> None:
        self._directory = directory
        self._ends = ends  # what is behind them is read by a tail
        self.unread = 0

    def lines(self, since: dt.datetime, needles: Sequence[bytes] = ()) -> Iterator[Line]:
        """Yield the lines of all processes since then, in the order of their times.

        With needles only those are read that hold one of them.
        """
        own = groupby(parts_in(self._directory), lambda part: part.process)
        streams = [self._of_process(list(parts), since, needles) for _, parts in own]
        return heapq.merge(*streams, key=lambda line: line.at)

    def find(self, wanted: Wanted) -> Iterator[Line]:
        """Yield the lines that somebody wants; about an id the files are read twice."""
        if wanted.about is None:
            return filter(wanted.fits, self.lines(wanted.since))
        for line in self.lines(wanted.since, wanted.about.needles):
            wanted.about.learn(line)
        self.unread = 0
        return filter(wanted.fits, self.lines(wanted.since, wanted.about.needles))

    def understood(self, raw: bytes, process: str) -> Line | None:
        """Return a line, None and a count more when it is none."""
        try:
            text = raw.decode().strip()
            fields = msgspec.json.decode(text)
            at = dt.datetime.fromisoformat(fields["timestamp"])
            # A time without a zone is not of our making, and compares with none.
            at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
        except _NO_LINE:
            self.unread += 1
            return None
        return Line(at, process, text, fields)

    def _of_process(
        self, parts: Iterable[Part], since: dt.datetime, needles: Sequence[bytes]
    ) -> Iterator[Line]:
        for part in parts:
            try:
                end = _size(part.path) if self._ends is None else self._ends.get(part.path, 0)
                if not end or part.path.stat().st_mtime < since.timestamp():
                    continue
                file = part.path.open("rb")
            except OSError:  # it was deleted meanwhile
                continue
            with file:
                for raw in _whole_lines(file, end):
                    wanted = not needles or any(one in raw for one in needles)
                    line = self.understood(raw, part.who) if wanted else None
                    if line is not None:
                        yield line


def ends_of(directory: Path) -> dict[Path, int]:
    """Return how far the files go now."""
    return {part.path: _size(part.path) for part in parts_in(directory)}


class Tail:
    """What is added to files behind their ends, looked for again and again."""

    def __init__(self, logs: Logs, directory: Path, ends: Mapping[Path, int]) -> None:
        self._logs = logs
        self._directory = directory
        self._read = dict(ends)

    def more(self) -> list[Line]:
        """Return what was added since the last look, in the order of its times."""
        parts = parts_in(self._directory)
        found = [line for part in parts for line in self._of_part(part)]
        self._read = {part.path: self._read.get(part.path, 0) for part in parts}
        return sorted(found, key=lambda line: line.at)

    def _of_part(self, part: Part) -> Iterator[Line]:
        begin = self._read.get(part.path, 0)
        if _size(part.path) <= begin:
            return
        with contextlib.suppress(OSError), part.path.open("rb") as file:
            file.seek(begin)
            while (raw := file.readline(MOST_LINE_BYTES)) and (
                raw.endswith(b"\n") or len(raw) == MOST_LINE_BYTES  # no line, and not waited for
            ):
                line = self._logs.understood(raw, part.who) if raw.strip() else None
                if line is not None:
                    yield line
                self._read[part.path] = file.tell()


def newest(lines: Iterable[Line], limit: int | None) -> Iterable[Line]:
    """Return the last so many, or all as they come."""
    return lines if limit is None else deque(lines, maxlen=limit)


def shown(line: Line) -> str:
    """Return a line as people read it; what a stranger sent steers no terminal."""
    rest = [
        f"{key}={_short(value)}"
        for key, value in line.fields.items()
        if key not in {"timestamp", "level", "event", "exception"} and value is not None
    ]
    level, event = line.fields.get("level", "-"), line.fields.get("event", "-")
    time = line.at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
    head = _printable(f"{time} {level!s:<8} {line.process:<14} {event!s:<22} {' '.join(rest)}")
    trace = str(line.fields.get("exception") or "")
    return "\n    ".join([head.rstrip(), *map(_printable, trace.splitlines())])


def _whole_lines(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield lines up to an end: of one that is too long its begin, of an unfinished one nothing."""
    read = 0
    while read < end and (raw := file.readline(MOST_LINE_BYTES)):
        read += len(raw)
        if raw.endswith(b"\n"):
            if raw != b"\n":
                yield raw
        elif len(raw) == MOST_LINE_BYTES:
            while (more := file.readline(MOST_LINE_BYTES)) and not more.endswith(b"\n"):
                read += len(more)
            read += len(more)
            yield raw


def _holds(value: object, wanted: str) -> bool:
    if isinstance(value, list):
        return any(_holds(one, wanted) for one in value)
    return value == wanted


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f'"{text}"' if " " in text else text


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
