"""The HTTP protocol on a connection that is not there: bytes go in as they come, in any pieces."""

import asyncio
import logging
from collections.abc import Mapping
from random import Random
from typing import Any

import uvicorn
from typing_extensions import override
from uvicorn.server import ServerState

from trackai.cli.http import MOST_CONNECTIONS
from trackai.cli.http_protocol import HttpProtocol
from trackai.errors import TrackaiError
from trackai.ingest.wire import Answer, ClientGone, Request, refusal

SHORT, LONG = b"short", b"long"
_TURNS = 12  # of the loop, until what can be answered is


class Echo:
    """Reads every body, as the edge does."""

    def handles(self, path: str) -> bool:
        """Take half of the paths the short way."""
        return len(path) % 2 == 0

    async def answer(
        self, _method: str, _path: str, request: Request, way: bytes = SHORT
    ) -> Answer | None:
        """Answer with the size of what came, and by which way."""
        try:
            size = len(await request.body(10_000))
            return Answer(200, str(size).encode(), ((b"x-way", way),))
        except TrackaiError as error:
            return refusal(error)
        except ClientGone:
            return None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer the long way."""
        answer = await self.answer(scope["method"], scope["path"], Request.of(scope, receive), LONG)
        if answer is not None:
            await answer.send(send)


class Line(asyncio.Transport):
    """A connection's end that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._closing = False

    @override
    def write(self, data: Any) -> None:
        self.written += bytes(data)

    @override
    def is_closing(self) -> bool:
        return self._closing

    @override
    def close(self) -> None:
        self._closing = True

    @override
    def abort(self) -> None:
        self._closing = True

    @override
    def pause_reading(self) -> None:
        return None

    @override
    def resume_reading(self) -> None:
        return None

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        known: Mapping[str, Any] = {"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 80)}
        return known.get(name, default)


class Trouble(logging.Handler):
    """Notes what the server says of its own failures."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[BaseException] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.found.append(error or RuntimeError(record.getMessage()))

    def note(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        """Note what nobody caught."""
        self.found.append(context.get("exception") or RuntimeError(str(context["message"])))


async def _speak(data: bytes, random: Random, trouble: Trouble) -> bytes:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(trouble.note)
    # As cli/http.py sets it up: wrapped, or without a bound, nothing would go the short way.
    config = uvicorn.Config(
        Echo(),
        http=HttpProtocol,
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
    )
    config.load()
    protocol = HttpProtocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    line = Line()
    protocol.connection_made(line)
    while data and not line.is_closing():
        size = random.choice((len(data), random.randint(1, len(data))))
        protocol.data_received(data[:size])
        data = data[size:]
        for _ in range(_TURNS):
            await asyncio.sleep(0)
    protocol.eof_received()
    protocol.connection_lost(None)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    return line.written


def speak(data: bytes, random: Random) -> str:
    """Send bytes on a new connection; return the first answer's status, and the ways taken."""
    trouble = Trouble()
    log = logging.getLogger("uvicorn.error")
    log.addHandler(trouble)
    log.propagate = False
    try:
        written = asyncio.run(_speak(data, random, trouble))
    finally:
        log.removeHandler(trouble)
    if trouble.found:
        raise trouble.found[0]
    if written and not written.startswith(b"HTTP/1.1 "):
        raise AssertionError("What was written is no answer.")
    ways = [way.decode() for way in (SHORT, LONG) if b"x-way: " + way in written]
    return " ".join((written[9:12].decode() or "none", *ways))
