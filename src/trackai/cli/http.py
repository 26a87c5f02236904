"""An HTTP server inside a block: uvicorn without signal handling, draining at the end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from typing_extensions import override

from trackai.cli.http_protocol import HttpProtocol
from trackai.errors import ConfigurationError

# How long requests under way may take after the end of the block.
DRAIN_S = 20
BACKLOG = 2048
# Requests and idle connections at once, a process; over it the answer is 503.
MOST_CONNECTIONS = 4000

_Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [_Message, Callable[[], Awaitable[_Message]], Callable[[_Message], Awaitable[None]]],
    Awaitable[None],
]


@asynccontextmanager
async def http_server(
    app: AsgiApp,
    listener: socket.socket,
    *,
    drain_s: int = DRAIN_S,
    hang_up: Callable[[], None] = lambda: None,
) -> AsyncIterator[None]:
    """Serve the application on a listening socket for the length of a block, then drain.

    `hang_up` ends the answers that would go on by themselves.
    """
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        loop="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        # The edge judges X-Forwarded-For itself, by the proxies that the settings trust.
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=drain_s,
        backlog=BACKLOG,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        while not server.started:
            if task.done():
                await task
                raise ConfigurationError("The HTTP server did not start.")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        hang_up()
        await task


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: the order of closing is ours."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Open a listening socket; port 0 takes a free one. ConfigurationError when it cannot be."""
    with _bound(host, port, shared=False) as listener:
        _listen(listener)
        yield listener


@contextmanager
def listening_together(host: str, port: int, count: int) -> Iterator[list[socket.socket]]:
    """Open so many listening sockets at one address, a process each.

    The kernel spreads connections over them. Processes that accept from one socket do not share
    fairly: the first to wake takes all that wait.
    """
    with ExitStack() as stack:
        if count > 1 and port:
            # Sockets that share would also share with another program's: look first.
            with _bound(host, port, shared=False):
                pass
        listeners: list[socket.socket] = []
        for _ in range(count):
            listener = stack.enter_context(_bound(host, port, shared=count > 1))
            port = listener.getsockname()[1]
            listeners.append(listener)
        for listener in listeners:
            _listen(listener)
        yield listeners


@contextmanager
def _bound(host: str, port: int, *, shared: bool) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sees TCP and turns Nagle's waiting off.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen on {host}:{port} ({error.strerror}). "
                "Set TRACKAI_HOST and TRACKAI_PORT, or end what listens there."
            ) from error
        yield bound


def _listen(bound: socket.socket) -> None:
    bound.listen(BACKLOG)
    bound.setblocking(False)  # noqa: FBT003 - the socket API's own


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
