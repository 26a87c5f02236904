"""Lines go to files of a process's own, whatever the disk does."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trackai.model.clock import new_id
from trackai.telemetry.log_files import PART_S, PARTS, PAUSE_S, LogFile, Room, parts_in
from trackai.telemetry.metrics import LOG_LINES

MIB = 1024 * 1024
DAY_S = 86400.0


class Hand:
    def __init__(self) -> None:
        self.now_s = time.time()

    def __call__(self) -> float:
        return self.now_s


def lost() -> float:
    value: float = LOG_LINES.labels("lost")._value.get()
    return value


def file_in(
    directory: Path, hand: Callable[[], float], *, most: int = MIB, days: float = 7
) -> LogFile:
    return LogFile(directory, "worker", new_id(), Room(most, days), hand)


def test_lines_are_whole_and_nobody_elses(tmp_path: Path) -> None:
    hand = Hand()
    first, second = file_in(tmp_path / "logs", hand), file_in(tmp_path / "logs", hand)
    for number in range(100):
        (first if number % 2 else second).write(f'{{"n":{number},"é":1}}')
    parts = parts_in(tmp_path / "logs")

    assert 2 == len(parts)
    assert {f"worker-{os.getpid()}"} == {one.who for one in parts}
    assert [50, 50] == [len(one.path.read_text().splitlines()) for one in parts]
    assert {0o600} == {one.path.stat().st_mode & 0o777 for one in parts}
    assert 0o700 == (tmp_path / "logs").stat().st_mode & 0o777


def test_a_data_directory_that_is_not_there_yet_is_made_passable(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        file_in(tmp_path / "data" / "logs", Hand()).write("first")
    finally:
        os.umask(before)

    assert 0o711 == (tmp_path / "data").stat().st_mode & 0o777
    assert 0o700 == (tmp_path / "data" / "logs").stat().st_mode & 0o777


def test_parts_end_when_they_are_full_or_a_day_old(tmp_path: Path) -> None:
    hand = Hand()
    file = file_in(tmp_path, hand)
    file.write("x" * (MIB // PARTS))
    file.write("second")
    hand.now_s += PART_S
    file.write("third")

    assert [1, 2, 3] == [one.number for one in parts_in(tmp_path)]


def test_all_files_together_stay_below_their_bound(tmp_path: Path) -> None:
    hand = Hand()
    for _ in range(20):
        file = file_in(tmp_path, hand)
        for _ in range(3):
            file.write("x" * 100_000)
            hand.now_s += 1
        file.close()
    size = sum(one.path.stat().st_size for one in parts_in(tmp_path))

    assert MIB >= size > MIB // 2


def test_old_files_are_deleted_by_whoever_begins_one(tmp_path: Path) -> None:
    hand = Hand()
    old = file_in(tmp_path, hand)
    old.write("old")
    (part,) = parts_in(tmp_path)
    os.utime(part.path, (hand.now_s - 8 * DAY_S,) * 2)
    file_in(tmp_path, hand).write("new")

    assert ["new\n"] == [one.path.read_text() for one in parts_in(tmp_path)]


def test_a_file_that_was_deleted_is_begun_anew(tmp_path: Path) -> None:
    file = file_in(tmp_path, Hand())
    file.write("first")
    parts_in(tmp_path)[0].path.unlink()
    file.write("second")

    assert ["second\n"] == [one.path.read_text() for one in parts_in(tmp_path)]


def test_a_place_that_takes_nothing_is_counted_and_tried_again(tmp_path: Path) -> None:
    hand, before = Hand(), lost()
    blocked = tmp_path / "logs"
    blocked.write_text("a file where a directory should be")
    file = file_in(blocked, hand)
    file.write("lost")
    blocked.unlink()
    file.write("lost, for the disk is left alone")
    hand.now_s += PAUSE_S
    file.write("kept")

    assert 2 == lost() - before
    assert ["kept\n"] == [one.path.read_text() for one in parts_in(blocked)]


def test_a_line_that_a_full_disk_cut_spoils_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before = file_in(tmp_path, Hand()), lost()
    file.write("whole")
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, data: write(number, data[:3]))
    file.write("cut short")
    monkeypatch.undo()
    file.write("whole again")

    assert 1 == lost() - before
    assert "whole\ncut\nwhole again\n" == parts_in(tmp_path)[0].path.read_text()


def test_a_disk_that_is_full_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_number: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    file, before = file_in(tmp_path, Hand()), lost()
    monkeypatch.setattr(os, "write", full)
    file.write("lost")

    assert 1 == lost() - before
