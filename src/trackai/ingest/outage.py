"""The edge's way to the database: patient for seconds only, and not at all during an outage.

The first statement that finds the database gone begins the outage. From then on every caller is
refused at once, until one who asks on everybody's behalf has found it back and ends it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from trackai.errors import StorageGone
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import OUTAGES

# Longest that a request waits for a connection and its statement together.
PATIENCE_S = 5.0
# When those who were refused should come back.
RETRY_AFTER_S = 2.0


class Reach:
    """Hands out transactions as `Database` does, except during an outage."""

    def __init__(self, database: Database, *, patience_s: float = PATIENCE_S) -> None:
        self._database = database
        self._patience_s = patience_s
        self._gone = asyncio.Event()

    @property
    def is_gone(self) -> bool:
        """Whether the database is taken to be away."""
        return self._gone.is_set()

    async def wait_gone(self) -> None:
        """Return when an outage has begun."""
        await self._gone.wait()

    def begin_outage(self, reason: str) -> None:
        """Refuse everybody from now on."""
        if not self._gone.is_set():
            self._gone.set()
            OUTAGES.inc()
            get_logger().warning("edge.database_gone", reason=reason)

    def end_outage(self) -> None:
        """Let everybody ask again."""
        if self._gone.is_set():
            self._gone.clear()
            get_logger().info("edge.database_back")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """As Database.transaction; StorageGone at once during an outage."""
        async with self._asked(self._database.transaction) as tx:
            yield tx

    @asynccontextmanager
    async def one_statement(self) -> AsyncIterator[Tx]:
        """As Database.one_statement; StorageGone at once during an outage."""
        async with self._asked(self._database.one_statement) as tx:
            yield tx

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[Tx]:
        """Open a transaction for whoever looks whether the database is back."""
        async with self._patiently(self._database.transaction) as tx:
            yield tx

    @asynccontextmanager
    async def _asked(
        self, begin: Callable[[], AbstractAsyncContextManager[Tx]]
    ) -> AsyncIterator[Tx]:
        if self._gone.is_set():
            raise StorageGone("The database is away.", retry_after_s=RETRY_AFTER_S)
        try:
            async with self._patiently(begin) as tx:
                yield tx
        except StorageGone as error:
            self.begin_outage(str(error))
            raise StorageGone(str(error), retry_after_s=RETRY_AFTER_S) from error

    @asynccontextmanager
    async def _patiently(
        self, begin: Callable[[], AbstractAsyncContextManager[Tx]]
    ) -> AsyncIterator[Tx]:
        try:
            async with asyncio.timeout(self._patience_s), begin() as tx:
                yield tx
        except TimeoutError as error:
            raise StorageGone(
                "The database does not answer.", retry_after_s=RETRY_AFTER_S
            ) from error
