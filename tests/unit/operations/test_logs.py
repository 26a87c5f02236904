"""Lines of all processes are found by their time, their words and what they are about."""

import datetime as dt
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from trackai.model.clock import new_id
from trackai.operations.logs import (
    MOST_LINE_BYTES,
    About,
    Line,
    Logs,
    Tail,
    Wanted,
    ends_of,
    newest,
    shown,
)
from trackai.telemetry.log_files import LogFile, Room

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
Write = Callable[..., None]


def at(second: float) -> str:
    return (NOON + dt.timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def process_in(directory: Path, role: str) -> Write:
    file = LogFile(directory, role, new_id(), Room(8 * 1024 * 1024, 7))

    def write(second: float, event: str, **fields: Any) -> None:
        fields = {"level": "info", "event": event, "timestamp": at(second)} | fields
        file.write(json.dumps(fields))

    return write


def find(directory: Path, **wanted: Any) -> list[Line]:
    return list(Logs(directory).find(Wanted(**{"since": NOON, **wanted})))


def events(lines: Sequence[Line]) -> list[str]:
    return [line.fields["event"] for line in lines]


def test_lines_of_all_processes_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    serve, worker = process_in(tmp_path, "serve"), process_in(tmp_path, "worker")
    for second in range(0, 10, 2):
        serve(second, f"s{second}")
        worker(second + 1, f"w{second + 1}")
    found = find(tmp_path)

    assert ["s0", "w1", "s2", "w3", "s4", "w5", "s6", "w7", "s8", "w9"] == events(found)
    assert f"serve-{os.getpid()}" == found[0].process


def test_parts_of_a_process_are_one_row_of_lines(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "serve", new_id(), Room(8192, 7))
    for second in range(100):
        file.write(json.dumps({"event": str(second), "timestamp": at(second), "pad": "x" * 50}))
    found = [int(one) for one in events(find(tmp_path))]

    assert len(list(tmp_path.iterdir())) > 3
    assert list(range(found[0], 100)) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "abcd"),
        ({"since": NOON + dt.timedelta(seconds=2)}, "cd"),
        ({"level": "warning"}, "bd"),
        ({"event": "job.*"}, "bd"),
        ({"event": "job"}, ""),
        ({"text": "OUCH"}, "d"),
        ({"tenant_id": "t1"}, "a"),
    ],
)
def test_lines_are_found_by_what_they_say(
    tmp_path: Path, wanted: dict[str, Any], found: str
) -> None:
    write = process_in(tmp_path, "worker")
    write(0, "up", n="a", tenant_id="t1")
    write(1, "job.waits", n="b", level="warning")
    write(2, "up", n="c", tenant_id="t2")
    write(3, "job.failed", n="d", level="error", exception="Ouch\n  in it")

    assert found == "".join(line.fields["n"] for line in find(tmp_path, **wanted))


@pytest.mark.parametrize("about", ["r1", "d1", "kiwify:x1"])
def test_all_lines_of_a_sale_are_found_by_any_of_its_ids(tmp_path: Path, about: str) -> None:
    serve, worker = process_in(tmp_path, "serve"), process_in(tmp_path, "worker")
    worker(0, "receipt.failed", receipt_id="r1")
    worker(1, "receipt.processed", receipt_id="r1", gateway="kiwify", transactions=["x1"])
    worker(1, "receipt.processed", receipt_id="r2", gateway="kiwify", transactions=["x12"])
    serve(2, "delivery.attempted", receipt_id="r1", delivery_id="d1", event_id="kiwify:x1")
    serve(3, "delivery.attempted", receipt_id="r2", delivery_id="d2", event_id="kiwify:x12")
    serve(4, "delivery.buried", delivery_ids=["d1", "d2"])
    found = find(tmp_path, about=About(about))
    named = 1 if about == "d1" else 0

    assert 3 + named == len(found)
    assert {"r1", None} >= {line.fields.get("receipt_id") for line in found}


def test_what_is_no_line_is_counted_and_passed_over(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "worker", new_id(), Room(64 * 1024 * 1024, 7))
    bad = ["{", "[]", "null", "", '{"event":"x"}', '{"timestamp":7}', "x" * (MOST_LINE_BYTES + 9)]
    bad += ["[" * 100_000, '{"timestamp":"99999-13-45T99:99:99Z"}']
    for text in bad:
        file.write(text)
    file.write(json.dumps({"event": "good", "timestamp": at(1)}))
    (path,) = tmp_path.iterdir()
    with path.open("ab") as raw:
        raw.write(b"\xff\xfe\n" + b'{"event":"unfinished"')
    logs = Logs(tmp_path)

    assert ["good"] == events(list(logs.find(Wanted(since=NOON))))
    assert len(bad) - 1 + 1 == logs.unread


def test_a_tail_says_what_was_added_once(tmp_path: Path) -> None:
    first = process_in(tmp_path, "serve")
    first(0, "before")
    ends = ends_of(tmp_path)
    first(1, "meanwhile")
    logs = Logs(tmp_path, ends)
    tail = Tail(logs, tmp_path, ends)
    read = events(list(logs.find(Wanted(since=NOON))))
    second = process_in(tmp_path, "worker")
    second(3, "later")
    first(2, "then")
    added = events(tail.more())
    (_, path) = sorted(tmp_path.iterdir())
    with path.open("ab") as raw:
        raw.write(b'{"event":"half","times')
        raw.flush()
        half = tail.more()
        raw.write(f'tamp":"{at(9)}"}}\n'.encode())

    assert ["before"] == read
    assert ["meanwhile", "then", "later"] == added
    assert [] == half
    assert ["half"] == events(tail.more())
    assert [] == tail.more()


def test_a_tail_goes_on_behind_what_is_no_line(tmp_path: Path) -> None:
    file = LogFile(tmp_path, "worker", new_id(), Room(64 * 1024 * 1024, 7))
    file.write(json.dumps({"event": "first", "timestamp": at(1)}))
    (path,) = tmp_path.iterdir()
    logs = Logs(tmp_path)
    tail = Tail(logs, tmp_path, ends_of(tmp_path))
    with path.open("ab") as raw:
        raw.write(b"x" * (2 * MOST_LINE_BYTES + 9) + b"\n" + b"[" * 100_000 + b"\n")
        raw.write(json.dumps({"event": "good", "timestamp": at(2)}).encode() + b"\n")

    assert ["good"] == events(tail.more())
    assert [] == tail.more()


@pytest.mark.parametrize("odd", [[], {}, 7, None, "\x1b[2J", 1e300])
def test_a_line_of_odd_values_stops_no_search(tmp_path: Path, odd: object) -> None:
    file = LogFile(tmp_path, "worker", new_id(), Room(64 * 1024 * 1024, 7))
    keys = ("event", "level", "tenant_id", "receipt_id", "delivery_id", "event_id")
    moments = (at(1), "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
    for moment in moments:
        file.write(json.dumps({"timestamp": moment, **dict.fromkeys(keys, odd)}))
    logs, ages = Logs(tmp_path), dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    found = list(logs.find(Wanted(since=ages, level="info", text="e", tenant_id=None)))

    assert (1, 2) == (len([shown(line) for line in found]), logs.unread)
    assert [] == list(logs.find(Wanted(since=ages, tenant_id=str(new_id()))))
    assert [] == list(logs.find(Wanted(since=ages, about=About(str(new_id())))))


def test_only_the_newest_are_held() -> None:
    lines = [Line(NOON, "p", str(number), {}) for number in range(10)]

    assert ["7", "8", "9"] == [line.text for line in newest(iter(lines), 3)]
    assert 10 == len(list(newest(iter(lines), None)))


def test_no_line_steers_a_terminal() -> None:
    fields = {"event": "e\x1b[2J", "why": "two words", "n": 1, "exception": "One\n  two\x07"}
    text = shown(Line(NOON, "worker-1", "", fields))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert 'why="two words" n=1' in text
    assert 3 == len(text.splitlines())
