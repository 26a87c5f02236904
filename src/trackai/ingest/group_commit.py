"""Group commit: many requests share one transaction, and each is answered after its COMMIT.

There is no timer. While the writers' commits are in flight rows gather; the next free writer takes
them all (up to a bound). One client alone waits for nothing but its own commit.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from trackai.errors import Unavailable
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import COMMIT_ROWS, EDGE_QUEUE

Row = TypeVar("Row")
Result = TypeVar("Result")

# When a caller that found the queue full, or the edge closing, should come back.
RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """Bounds of one group; weights are in whatever unit the group's `weigh` returns."""

    writers: int = 2  # transactions in flight; the second keeps the disk busy while one gathers
    rows: int = 1_000  # most rows in one transaction
    weight: int = 1_000  # most weight in one transaction; a heavier row goes alone
    waiting: int = 10_000  # most weight that may wait; over it callers are told to come back


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Row, Result]):
    row: Row
    weight: int
    answer: "asyncio.Future[Result]"


def _one(_row: object) -> int:
    return 1


class GroupCommit(Generic[Row, Result]):
    """Stores rows through `store`, which commits all of them or raises.

    `store` returns one result a row, in order. A batch that it refuses is split until only the
    rows at fault get the error; when it is Unavailable all callers of that batch get that, and
    may try again.
    """

    def __init__(
        self,
        store: Callable[[Sequence[Row]], Awaitable[Sequence[Result]]],
        *,
        table: str,
        limits: GroupLimits,
        weigh: Callable[[Row], int] = _one,
    ) -> None:
        self._store = store
        self._table = table
        self._limits = limits
        self._weigh = weigh
        self._waiting: deque[_Waiting[Row, Result]] = deque()
        self._waiting_weight = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._closed = False
        self._rows = COMMIT_ROWS.labels(table)
        EDGE_QUEUE.labels(table).set_function(self._waiting.__len__)

    async def add(self, row: Row) -> Result:
        """Store one row and return its result after the commit.

        Unavailable when the queue is full or closed, or the database is away. Cancelling the
        caller gives up the answer only: the row may be stored all the same.
        """
        weight = self._weigh(row)
        if self._closed or self._waiting_weight + weight > self._limits.waiting:
            raise Unavailable(
                "The server is busy; send the same request again.", retry_after_s=RETRY_AFTER_S
            )
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(row, weight, answer))
        self._waiting_weight += weight
        if len(self._writers) < self._limits.writers:
            writer = asyncio.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await answer

    async def close(self) -> None:
        """Take no more rows, commit those that wait, then return."""
        self._closed = True
        while self._writers:
            await asyncio.wait(self._writers)

    async def _write(self) -> None:
        while self._waiting:
            await self._commit(self._take())

    def _take(self) -> list[_Waiting[Row, Result]]:
        batch = [self._waiting.popleft()]
        weight = batch[0].weight
        while self._waiting and len(batch) < self._limits.rows:
            weight += self._waiting[0].weight
            if weight > self._limits.weight:
                break
            batch.append(self._waiting.popleft())
        self._waiting_weight -= sum(waiting.weight for waiting in batch)
        return batch

    async def _commit(self, batch: Sequence[_Waiting[Row, Result]]) -> None:
        try:
            results = await self._store([waiting.row for waiting in batch])
        except Unavailable as error:
            get_logger().warning(
                "edge.commit_failed", table=self._table, rows=len(batch), error=error.code
            )
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whatever a row did, its neighbours go on
            await self._split(batch, error)
        else:
            self._rows.observe(len(batch))
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(result)

    async def _split(self, batch: Sequence[_Waiting[Row, Result]], error: Exception) -> None:
        if len(batch) == 1:
            _fail(batch, error)
            return
        middle = len(batch) // 2
        await self._commit(batch[:middle])
        await self._commit(batch[middle:])


def _fail(batch: Sequence[_Waiting[Row, Result]], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            # A copy each: an exception raised in a thousand tasks would hold all their frames.
            waiting.answer.set_exception(copy.copy(error) if len(batch) > 1 else error)
