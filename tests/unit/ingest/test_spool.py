"""Segments on the disk: whole records in order, whoever died, and never more than the bound."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import pytest

from trackai.errors import ConfigurationError, SpoolFull
from trackai.ingest.spool import LOCK, SEGMENT_BYTES, Spool, read_segment
from trackai.model.clock import new_id

MIB = 1024 * 1024

# Writes two records and dies without a word.
WRITER = """
import os, sys
from pathlib import Path
from trackai.ingest.spool import Spool
from trackai.model.clock import new_id
spool = Spool(Path(sys.argv[1]), new_id(), most_bytes=10_000)
spool.append([b"first", b"second"])
os.kill(os.getpid(), 9)
"""


OpenSpool = Callable[..., Spool]


@pytest.fixture
def spool_at() -> Iterator[OpenSpool]:
    """Open spools that are closed at the end."""
    with ExitStack() as stack:

        def make(directory: Path, most_bytes: int = 64 * MIB) -> Spool:
            spool = Spool(directory, new_id(), most_bytes=most_bytes)
            stack.callback(spool.close)
            return spool

        yield make


def everything(spool: Spool) -> list[bytes]:
    spool.end_segment()
    return [record for segment in spool.segments() for record in read_segment(segment).records]


def test_what_is_appended_is_read_in_order(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a", b"b"])
    spool.append([b"\x00", b"c" * 100_000])

    assert everything(spool) == [b"a", b"b", b"\x00", b"c" * 100_000]


def test_an_open_segment_is_not_loaded(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a"])

    assert spool.segments() == []


def test_large_spools_have_several_segments_in_order(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    records = [bytes([number]) * MIB for number in range(2 * SEGMENT_BYTES // MIB + 3)]
    for record in records:
        spool.append([record])

    assert everything(spool) == records
    assert len(spool.segments()) == 3


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_record_cut_short_ends_the_segment(spool_at: OpenSpool, tmp_path: Path, cut: int) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a" * 40, b"b" * 40])
    spool.end_segment()
    (segment,) = spool.segments()
    data = segment.read_bytes()
    segment.write_bytes(data[:-cut])

    assert read_segment(segment) == ([b"a" * 40], [data[48:-cut]])


def test_a_changed_record_is_not_taken_for_a_whole_one(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a" * 40, b"b" * 40])
    spool.end_segment()
    (segment,) = spool.segments()
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)

    assert read_segment(segment) == ([b"a" * 40], [bytes(data[48:])])


@pytest.mark.parametrize("changed", [0, 3, 4, 8, 30])
def test_what_lies_behind_a_damaged_record_is_read(
    spool_at: OpenSpool, tmp_path: Path, changed: int
) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a" * 40, b"b" * 40, b"c" * 40])
    spool.end_segment()
    (segment,) = spool.segments()
    data = bytearray(segment.read_bytes())
    data[changed] ^= 1
    segment.write_bytes(data)

    assert read_segment(segment) == ([b"b" * 40, b"c" * 40], [bytes(data[:48])])


def test_a_process_that_begins_is_not_taken_for_a_dead_one(
    spool_at: OpenSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = spool_at(tmp_path)
    lock = fcntl.flock

    def slow(file: BinaryIO, how: int) -> None:
        if how == fcntl.LOCK_EX | fcntl.LOCK_NB:
            monkeypatch.setattr(fcntl, "flock", lock)
            watching.segments()  # another process looks just before the lock is taken
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", slow)
    beginner = spool_at(tmp_path)
    beginner.append([b"acknowledged"])

    assert watching.segments() == []
    assert len(watching.foreign_segments()) == 1


def test_over_the_bound_nothing_is_written(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path, most_bytes=100)
    spool.append([b"a" * 50])
    with pytest.raises(SpoolFull):
        spool.append([b"b" * 50])

    assert everything(spool) == [b"a" * 50]


def test_room_comes_back_with_what_is_removed(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path, most_bytes=100)
    spool.append([b"a" * 50])
    spool.end_segment()
    for segment in spool.segments():
        spool.remove(segment)
    spool.append([b"b" * 50])

    assert everything(spool) == [b"b" * 50]


def test_the_segments_of_a_process_that_lives_are_left_alone(
    spool_at: OpenSpool, tmp_path: Path
) -> None:
    one, other = spool_at(tmp_path), spool_at(tmp_path)
    one.append([b"a"])
    one.end_segment()

    assert other.segments() == []
    assert everything(one) == [b"a"]


def test_the_segments_of_a_killed_process_are_taken_over_by_one(
    spool_at: OpenSpool, tmp_path: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path)], check=False)  # noqa: S603
    heirs = [spool_at(tmp_path), spool_at(tmp_path)]

    assert done.returncode == -9
    assert [everything(heir) for heir in heirs] == [[b"first", b"second"], []]


def test_closing_leaves_nothing_but_what_is_not_stored(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"a"])
    spool.close()
    heir = spool_at(tmp_path)
    records = everything(heir)
    for segment in heir.segments():
        heir.remove(segment)
    heir.close()

    assert records == [b"a"]
    assert list(tmp_path.iterdir()) == []


def test_set_aside_records_are_kept_for_people(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool = spool_at(tmp_path)
    spool.append([b"good", b"bad"])
    spool.end_segment()
    (segment,) = spool.segments()
    aside = spool.set_aside(segment, [b"bad"])
    spool.remove(segment)

    assert read_segment(aside) == ([b"bad"], [])
    assert everything(spool) == []


def test_a_disk_that_fails_is_said_and_the_next_append_begins_anew(
    spool_at: OpenSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = spool_at(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", _no_space)
        with pytest.raises(SpoolFull):
            spool.append([b"lost"])
    spool.append([b"kept"])

    # What was not synced may be there or not: nobody was told that it is.
    assert everything(spool)[-1] == b"kept"


def _no_space(_number: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_directory_that_cannot_be_made_is_named_with_what_to_do(
    spool_at: OpenSpool, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="TRACKAI_SPOOL_MIB=0"):
        spool_at(tmp_path / "file" / "spool")


def test_nobody_else_may_read_the_directory(spool_at: OpenSpool, tmp_path: Path) -> None:
    spool_at(tmp_path / "spool")

    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [LOCK]


def test_segments_that_come_back_from_a_copy_are_loaded(
    spool_at: OpenSpool, tmp_path: Path
) -> None:
    away = spool_at(tmp_path / "away")
    away.append([b"kept"])
    away.end_segment()
    (segment,) = away.segments()
    spool = spool_at(tmp_path / "here")
    (tmp_path / "here" / segment.name).write_bytes(segment.read_bytes())

    assert everything(spool) == [b"kept"]
