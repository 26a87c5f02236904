"""`trackai logs`, as somebody looks for something; needs no database."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.program import Place

from trackai.model.clock import SystemClock, new_id
from trackai.telemetry.log_files import LOGS, LogFile, Room, parts_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.program import Program


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, "postgresql://nobody@127.0.0.1:1/away")


@pytest.fixture
def write(place: Place) -> "Callable[..., None]":
    directory = place.directory / "data" / LOGS
    file = LogFile(directory, "worker", new_id(), Room(1024 * 1024, 7))

    def line(event: str, **fields: object) -> None:
        now = SystemClock().now().isoformat()
        file.write(json.dumps({"level": "info", "event": event, "timestamp": now, **fields}))

    return line


def test_lines_are_found_while_the_database_is_away(
    place: Place, write: "Callable[..., None]"
) -> None:
    for number in range(3):
        write("receipt.processed", receipt_id=f"r{number}")
    write("job.failed", level="error")
    done = place.run("logs", "--level", "error")
    found = place.run("logs", "--json", "--about", "r1")
    last = place.run("logs", "--json", "--limit", "1").stdout

    assert (0, 1) == (done.returncode, len(done.stdout.splitlines()))
    assert f"worker-{os.getpid()}" in done.stdout
    assert ["r1"] == [json.loads(one)["receipt_id"] for one in found.stdout.splitlines()]
    assert "job.failed" == json.loads(last)["event"]


def test_what_is_no_line_is_said_beside_the_result(
    place: Place, write: "Callable[..., None]"
) -> None:
    write("good")
    (part,) = parts_in(place.directory / "data" / LOGS)
    part.path.write_bytes(b"no line\n" + part.path.read_bytes())
    done = place.run("logs", "--json")

    assert "good" == json.loads(done.stdout)["event"]
    assert "1 lines were no log lines" in done.stderr


@pytest.mark.parametrize("options", [("--level", "loud"), ("--since", "yesterday")])
def test_a_wrong_option_says_what_it_takes(place: Place, options: tuple[str, str]) -> None:
    done = place.run("logs", *options)

    assert 2 == done.returncode
    assert f"{options[0]} takes" in done.stderr


def test_nothing_is_no_error(place: Place) -> None:
    done = place.run("logs")

    assert (0, "") == (done.returncode, done.stdout)
    assert "--since 7d" in done.stderr


def test_whoever_reads_may_stop(place: Place, write: "Callable[..., None]") -> None:
    for _ in range(2000):
        write("x", pad="y" * 200)
    process = subprocess.Popen(  # noqa: S603 - our own program
        [Path(sys.executable).with_name("trackai"), "logs"],
        env=place.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert b"info" in first
    assert (0, b"") == (process.wait(60), said)


def test_what_is_written_from_now_on_is_followed(
    place: Place, write: "Callable[..., None]"
) -> None:
    write("early", n=1)
    with place.start("logs", "--follow", "--json") as program:
        program.wait_for("early")
        write("late", n=2)
        program.wait_for("late")
        said = _events(program)

    assert ["early", "late"] == said


def _events(program: "Program") -> list[str]:
    return [line["event"] for line in program.said()]


def test_the_programs_processes_write_what_is_found(
    tmp_path: Path, fresh_database_url: str
) -> None:
    place = Place(tmp_path, fresh_database_url)
    with place.start("worker") as worker, place.start("serve", "--port", "0", "--workers", "2"):
        worker.wait_for("working")
        wanted = {"working": "worker", "serving": "serve"}
        found: dict[str, str] = {}
        for _ in range(100):
            lines = [json.loads(one) for one in place.run("logs", "--json").stdout.splitlines()]
            found = {line["event"]: line["level"] for line in lines}
            if wanted.keys() <= found.keys():
                break
    files = parts_in(tmp_path / "data" / LOGS)

    assert wanted.keys() <= found.keys()
    assert {"worker", "serve"} == {part.who.partition("-")[0] for part in files}
    assert {0o600} == {part.path.stat().st_mode & 0o777 for part in files}


def test_files_can_be_switched_off(tmp_path: Path, fresh_database_url: str) -> None:
    place = Place(tmp_path, fresh_database_url, variables={"TRACKAI_LOG_MIB": "0"})
    with place.start("worker") as worker:
        worker.wait_for("working")

    assert not (tmp_path / "data" / LOGS).exists()
