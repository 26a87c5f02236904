"""A TCP proxy on this machine that cuts, slows and swallows what passes through it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum
from urllib.parse import parse_qs, urlsplit, urlunsplit

CHUNK_BYTES = 64 * 1024

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
# What is said to whoever comes, before anything is passed on.
Greet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _silently(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say nothing."""


class Line(Enum):
    """What the line does."""

    PASSES = "passes"
    SLOW = "slow"  # every chunk waits
    SILENT = "silent"  # connections are taken, nothing goes through
    REFUSES = "refuses"  # connections end at once


class Proxy:
    """One proxied address."""

    def __init__(
        self, connect: Connect, *, delay_s: float = 0.05, greet: Greet = _silently
    ) -> None:
        self._connect = connect
        self._greet = greet
        self._delay_s = delay_s
        self._line = Line.PASSES
        self._passing = asyncio.Event()
        self._passing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def set_line(self, line: Line) -> None:
        """Change what the line does; refusing cuts what is open, too."""
        self._line = line
        if line is Line.SILENT:
            self._passing.clear()
        else:
            self._passing.set()
        if line is Line.REFUSES:
            self.cut()

    def cut(self) -> None:
        """Break every open connection, as a failing switch does."""
        for writer in list(self._open):
            writer.transport.abort()

    @asynccontextmanager
    async def listening(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[None]:
        """Listen for the length of a block; with a context in TLS, which goes no further."""
        server = await asyncio.start_server(
            self._serve, "127.0.0.1", port, ssl=tls, reuse_address=True
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, direct: str) -> str:
        """Return this address of a database whose own address is over a socket file."""
        parts = urlsplit(direct)
        place = f"{parts.username}@127.0.0.1:{self.port}"
        return urlunsplit((parts.scheme, place, parts.path, "sslmode=disable", ""))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._line is Line.REFUSES:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._greet(reader, writer)
            far_reader, far_writer = await self._connect()
            self._open |= {writer, far_writer}
            try:
                await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
            finally:
                for one in (writer, far_writer):
                    self._open.discard(one)
                    one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if self._line is Line.SLOW:
                await asyncio.sleep(self._delay_s)
            await self._passing.wait()
            writer.write(chunk)
            await writer.drain()
        # The other direction may have more to say, but none of ours speaks after it hung up.
        writer.close()


def database_proxy(url: str, *, greet: Greet = _silently) -> Proxy:
    """Return a proxy to the database at an address over a socket file."""
    query = parse_qs(urlsplit(url).query)
    path = f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"
    return Proxy(lambda: asyncio.open_unix_connection(path), greet=greet)


def local_proxy(port: int) -> Proxy:
    """Return a proxy to a port of this machine."""
    return Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
