"""A clock the tests own, and any ASGI application served over real HTTP on this machine."""

import asyncio
import datetime as dt
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn

from trackai.sandbox.meta import MetaSandbox

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


class TestClock:
    """Stands still until it is moved."""

    __test__ = False

    def __init__(self, now: dt.datetime = NOON) -> None:
        self.moment = now

    def now(self) -> dt.datetime:
        """Return the moment it stands at."""
        return self.moment

    def forward(self, **by: float) -> None:
        """Move it on."""
        self.moment += dt.timedelta(**by)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms. It listens
    # at once, so that callers need not wait for the server to be up.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    config = uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        listening.close()


Serve = Callable[[Any], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve an application until the test ends; returns its address."""
    async with AsyncExitStack() as stack:

        async def start(app: Any) -> str:
            return await stack.enter_async_context(_served(app))

        yield start


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


DATASET = "1234567890"
TOKEN = "EAAsandboxtoken"  # an invented one


@pytest.fixture
def meta(clock: TestClock) -> MetaSandbox:
    """A sandbox with one dataset and one token for it."""
    sandbox = MetaSandbox(clock, keep=100)
    sandbox.add_dataset(DATASET, "Curso")
    sandbox.add_token(TOKEN, datasets=[DATASET])
    return sandbox


@pytest.fixture
def event(clock: TestClock) -> Callable[..., dict[str, Any]]:
    """Make a valid event; keyword arguments replace its fields."""

    def make(**changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = {
            "event_name": "Purchase",
            "event_time": int(clock.now().timestamp()) - 60,
            "event_id": "perfectpay:PPCPMTB1",
            "action_source": "website",
            "event_source_url": "https://curso.example.com/",
            "user_data": {"em": [hashlib.sha256(b"maria@example.com").hexdigest()]},
            "custom_data": {"value": 197.0, "currency": "BRL"},
        }
        return made | changes

    return make
