"""Ports of the loopback, and a proxy that leads every host's TLS to one of them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

_CHUNK = 65536


@contextmanager
def kept_port() -> Iterator[int]:
    """Yield a port that nobody listens at until somebody who is told of it does.

    As long as it is kept no other program is given it, whenever and how often it is listened at:
    Linux lets sockets share an address that all want to reuse, unless one of them listens.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield int(keeper.getsockname()[1])


@asynccontextmanager
async def proxy(port_of: Callable[[str], int]) -> AsyncIterator[int]:
    """Listen as an HTTP proxy that takes CONNECT alone; yield its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await reader.readuntil(b"\r\n\r\n")
            method, where, _ = request.split(b" ", 2)
            if method == b"CONNECT":
                host = where.decode().rpartition(":")[0]
                inner = await asyncio.open_connection("127.0.0.1", port_of(host))
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await asyncio.gather(_pour(reader, inner[1]), _pour(inner[0], writer))
        writer.transport.abort()
        tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()
