"""Wake-ups: workers sleep until PostgreSQL notifies them, or a bound passes.

A notification is a hint to look sooner, never the only way that work is found: every waiter also
looks when its bound passes, so a lost connection costs latency and nothing else.
"""

import asyncio
import contextlib
from enum import StrEnum
from typing import Self

import asyncpg

from trackai.errors import StorageUnavailable
from trackai.storage.login import said_of
from trackai.telemetry.logging import get_logger

# Pause before a lost listening connection is opened again.
RECONNECT_S = 1.0
# There is no connection; a password that cannot be looked up is one of the reasons.
_LOST = (
    *(OSError, TimeoutError, StorageUnavailable),
    *(asyncpg.PostgresError, asyncpg.InterfaceError),
)


class Channel(StrEnum):
    """What a worker can wait for."""

    RECEIPTS = "trackai_receipts"
    DELIVERIES = "trackai_deliveries"


class Wakeups:
    """One listening connection shared by the jobs of a process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._events = {channel: asyncio.Event() for channel in Channel}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start listening in the background; the first connection need not succeed."""
        self._task = asyncio.create_task(self._listen(), name="wakeups")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake(self, channel: Channel) -> None:
        """Wake this process's waiters without a database round trip (shutdown, tests)."""
        self._events[channel].set()

    async def wait(self, channel: Channel, *, timeout_s: float) -> None:
        """Return when something was notified since the last wait, or when the bound passed."""
        event = self._events[channel]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()
        event.clear()

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except _LOST as error:
                get_logger().warning("wakeups.lost", reason=type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _listen_once(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(
            self._url,
            timeout=10,
            server_settings={"application_name": "trackai wakeups"},
            **said_of(self._url),
        )
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            for channel in Channel:
                await connection.add_listener(channel.value, self._notified)
            await lost.wait()
        finally:
            if not connection.is_closed():
                await connection.close(timeout=2)

    def _notified(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        self._events[Channel(channel)].set()
