"""Other processes of a benchmark: always ended and waited for."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.apart import ended, started
from tests.support.ports import kept_port

START_S = 30.0
POLL_S = 0.05
LINES_SHOWN = 15

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def process(
    command: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for the length of a block."""
    running = started(command, environment, log)
    try:
        yield running
    finally:
        ended(running)


@contextmanager
def http_process(
    command: list[str], environment: Mapping[str, str], log: Path, ready: str
) -> Iterator[str]:
    """Run a command that serves HTTP; yields its address once `ready`, a path, answers.

    The command gets its port as the environment's TRACKAI_PORT and where it says "{port}".
    """
    with watched_http_process(command, environment, log, ready) as (address, _):
        yield address


@contextmanager
def watched_http_process(
    command: list[str], environment: Mapping[str, str], log: Path, ready: str
) -> Iterator[tuple[str, int]]:
    """Do the same; yields the process's id, too."""
    with kept_port() as port:
        address = f"http://127.0.0.1:{port}"
        filled = [part.format(port=port) for part in command]
        with process(filled, {**environment, "TRACKAI_PORT": str(port)}, log) as running:
            _await_ready(running, address + ready, log)
            yield address, running.pid


def program(name: str) -> list[str]:
    """Return the command of a program installed beside this interpreter."""
    return [str(Path(sys.executable).with_name(name))]


def module(name: str, *arguments: str) -> list[str]:
    """Return the command of a module under this interpreter."""
    return [sys.executable, "-m", name, *arguments]


def _await_ready(running: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and running.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_S)
    said = log.read_text(errors="replace").splitlines()[-LINES_SHOWN:]
    raise RuntimeError("A server of the benchmark did not start:\n  " + "\n  ".join(said))


def cpu_s(pids: Sequence[int]) -> float:
    """Return processor seconds of these processes."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS
