"""The load generator: as many connections as asked for, each sends its next request at once.

A single thread over non-blocking sockets, without parsing: an answer is complete when it ends as
JSON objects do. About 15 us of processor time a request, the same for whatever answers.
"""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECTIONS = 64
# A server that is silent for this long is broken.
SILENCE_S = 10.0
_MOST_ANSWER_BYTES = 65_536


@dataclass(slots=True)
class Pressed:
    """What came of it."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies_s) / self.seconds


@dataclass(slots=True)
class _Line:
    number: int
    socket: socket.socket
    sent_at: float = 0.0
    sent: int = 0
    got: bytes = b""


MakeRequest = Callable[[int], bytes]


class Press:
    """Numbers the requests on, so that several runs against one database do not repeat."""

    def __init__(self, make_request: MakeRequest, *, expect: bytes) -> None:
        self._make_request = make_request
        self._expect = expect
        self._next = 0

    def run(self, address: str, seconds: float, *, connections: int = CONNECTIONS) -> Pressed:
        """Keep every connection busy for so long; an answer that is not expected is an error."""
        lines = [_Line(number, _connect(address)) for number in range(connections)]
        try:
            with selectors.DefaultSelector() as selector:
                for line in lines:
                    selector.register(line.socket, selectors.EVENT_READ, line)
                return self._press(selector, lines, seconds)
        finally:
            for line in lines:
                line.socket.close()

    def _press(
        self, selector: selectors.BaseSelector, lines: list[_Line], seconds: float
    ) -> Pressed:
        pressed, started = Pressed(), time.perf_counter()
        ends_at = started + seconds
        for one in lines:
            self._send(one)
        waiting = len(lines)
        while waiting:
            ready = selector.select(SILENCE_S)
            if not ready:
                raise RuntimeError("The server stopped answering.")
            for key, _ in ready:
                line: _Line = key.data
                if not self._received(line):
                    continue
                now = time.perf_counter()
                if now < ends_at:
                    pressed.latencies_s.append(now - line.sent_at)
                    self._send(line)
                else:
                    waiting -= 1
        pressed.seconds = seconds
        return pressed

    def _send(self, line: _Line) -> None:
        self._next += 1
        line.sent_at = time.perf_counter()
        line.socket.send(self._make_request(self._next))

    def _received(self, line: _Line) -> bool:
        data = line.got + line.socket.recv(_MOST_ANSWER_BYTES)
        if not data.endswith(b"}"):
            if not data or data == line.got:
                raise RuntimeError("The server hung up.")
            line.got = data
            return False
        if not data.startswith(self._expect):
            raise RuntimeError(f"Unexpected answer: {data[:300]!r}")
        line.got = b""
        return True


def _connect(address: str) -> socket.socket:
    parts = urlsplit(address)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), SILENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(False)  # noqa: FBT003 - the socket API's own
    return connection
