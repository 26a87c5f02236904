"""Work that goes on after a page has answered: one piece at a time, until the process ends."""

import asyncio
from collections.abc import Awaitable, Callable

from trackai.telemetry.logging import get_logger


class Errands:
    """Runs what must not hold a page up; it keeps nothing, so its work can be begun again."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def aclose(self) -> None:
        """Cut short what is under way, and wait until it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do this when it is its turn; what goes wrong is logged."""
        task = asyncio.create_task(self._do(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _do(self, work: Callable[[], Awaitable[object]]) -> None:
        async with self._turn:
            await work()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error:
            name = type(error).__name__ if error else None
            get_logger().error("errand.cut_short", errand=task.get_name(), error=name)
