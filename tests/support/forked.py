"""The program in processes of its own that have its imports behind them.

Starting `trackai` takes a second or more of imports, and tests start it hundreds of times. Here one
process imports it once and is forked for each start: what begins then has its own environment,
directory and streams, and calls what the console script calls. It ends as any process does.
"""

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import msgspec

# What a process is started with: none is longer than this.
_LONGEST = 1 << 16
_POLL_S = 0.005
_STREAMS = 3


@dataclass(frozen=True, slots=True)
class Start:
    """What a process begins with, besides its three streams."""

    arguments: Sequence[bytes]  # they need not be text
    environment: Mapping[str, str]
    directory: str
    own_session: bool


class Forked:
    """A started process: what is used of `subprocess.Popen`, by the same names."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.pid = int(_line(told))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit status, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.returncode = int(_line(self._told))
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; subprocess.TimeoutExpired after so many seconds."""
        began = time.monotonic()
        while (status := self.poll()) is None:
            if timeout is not None and time.monotonic() > began + timeout:
                raise subprocess.TimeoutExpired("trackai", timeout)
            time.sleep(_POLL_S)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that was imported once; it ends with whoever made it."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="trackai-nursery-")
        self._address = str(Path(self._directory.name) / "socket")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._address)
        listener.listen(64)
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-P", __file__, str(listener.fileno())],
            env={"PATH": "/usr/bin:/bin"},
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
        )
        listener.close()
        atexit.register(self._close)

    def start(self, start: Start, streams: Sequence[BinaryIO | int]) -> Forked:
        """Start `trackai` with arguments; streams are its input, output and errors."""
        told = socket.socket(socket.AF_UNIX)
        told.connect(self._address)
        numbers = [one if isinstance(one, int) else one.fileno() for one in streams]
        socket.send_fds(told, [msgspec.json.encode(start)], numbers)
        return Forked(told)

    def _close(self) -> None:
        self._process.communicate()


@cache
def nursery() -> Nursery:
    """Return the one of this process, made when it is first asked for."""
    return Nursery()


def _line(told: socket.socket) -> str:
    """Read a number that ends with a line's end; byte by byte, for another may follow."""
    found = b""
    while not found.endswith(b"\n"):
        byte = told.recv(1)
        assert byte, "The process that starts others has ended."
        found += byte
    return found.decode()


def _serve(listener: socket.socket) -> None:
    """Fork for each start, until whoever asks has gone; returns in what was started only."""
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        told, _ = listener.accept()
        if os.fork():
            told.close()
            continue
        listener.close()
        _watch(told)
        return


def _watch(told: socket.socket) -> None:
    """Start one and tell how it ended; returns in what was started only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(told, _LONGEST, _STREAMS)
    if child := os.fork():
        told.sendall(f"{child}\n".encode())
        for stream in (0, *streams):
            os.close(stream)
        _, status = os.waitpid(child, 0)
        told.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    told.close()
    _become(msgspec.json.decode(message, type=Start), streams)


def _become(start: Start, streams: Sequence[int]) -> None:
    if start.own_session:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(start.directory)
    os.environ.clear()  # noqa: TID251 - what it finds there is all it is to know
    os.environ.update(start.environment)  # noqa: TID251
    sys.argv = [str(Path(sys.executable).with_name("trackai")), *map(os.fsdecode, start.arguments)]


def _main() -> None:
    from trackai import cli  # noqa: PLC0415 - whoever imports this file needs none of it
    from trackai.cli.main import PLACES  # noqa: PLC0415

    for place in PLACES.values():
        import_module(place.partition(":")[0])
    # Who is forked off is waited for by nobody.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.exit(cli.main())  # type: ignore[func-returns-value]  # as the console script does


if __name__ == "__main__":
    _main()
