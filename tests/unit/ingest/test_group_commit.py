"""Gathering, splitting, bounds and closing of group commit; the store here keeps rows in a list."""

import asyncio
from collections.abc import Sequence

import pytest

from trackai.errors import StatementRefused, StorageUnavailable, Unavailable
from trackai.ingest.group_commit import GroupCommit, GroupLimits


class Ledger:
    """A store that holds each batch until told to go on; refuses negative rows."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.kept: list[int] = []
        self.gate = asyncio.Semaphore(0)
        self.away = False

    async def store(self, rows: Sequence[int]) -> list[str]:
        self.batches.append(list(rows))
        await self.gate.acquire()
        if self.away:
            raise StorageUnavailable("away", retry_after_s=3.0)
        if any(row < 0 for row in rows):
            raise StatementRefused("refused")
        self.kept += rows
        return [f"kept {row}" for row in rows]

    def go(self, times: int = 1000) -> None:
        for _ in range(times):
            self.gate.release()


def group(ledger: Ledger, limits: GroupLimits | None = None) -> GroupCommit[int, str]:
    return GroupCommit(
        ledger.store, table="unit", limits=limits or GroupLimits(), weigh=lambda row: abs(row) or 1
    )


ONE_WRITER = GroupLimits(writers=1, rows=4, weight=100, waiting=1000)


async def add(commits: GroupCommit[int, str], *rows: int) -> list["asyncio.Task[str]"]:
    tasks = [asyncio.create_task(commits.add(row)) for row in rows]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_rows_gather_while_a_commit_is_in_flight() -> None:
    ledger = Ledger()
    commits = group(ledger, ONE_WRITER)
    first = await add(commits, 1)
    others = await add(commits, 2, 3, 4, 5, 6)
    ledger.go()

    assert [f"kept {row}" for row in range(1, 7)] == await asyncio.gather(*first, *others)
    assert [[1], [2, 3, 4, 5], [6]] == ledger.batches


async def test_heavy_rows_are_committed_apart() -> None:
    ledger = Ledger()
    commits = group(ledger, ONE_WRITER)
    tasks = await add(commits, 1, 60, 30, 20, 500)
    ledger.go()
    await asyncio.gather(*tasks)

    assert [[1, 60, 30], [20], [500]] == ledger.batches


async def test_only_the_bad_rows_fail() -> None:
    ledger = Ledger()
    commits = group(ledger)
    ledger.go()
    results = await asyncio.gather(
        *(commits.add(row) for row in (1, 2, -3, 4, 5, 6, 7, -8)), return_exceptions=True
    )

    failed = [isinstance(result, StatementRefused) for result in results]
    assert failed == [False, False, True, False, False, False, False, True]
    assert [1, 2, 4, 5, 6, 7] == ledger.kept


async def test_unavailable_fails_its_batch_at_once_and_the_next_goes_on() -> None:
    ledger = Ledger()
    commits = group(ledger)
    ledger.away = True
    ledger.go()
    results = await asyncio.gather(*(commits.add(row) for row in (1, 2, 3)), return_exceptions=True)
    ledger.away = False

    assert [3.0] * 3 == [
        result.retry_after_s for result in results if isinstance(result, StorageUnavailable)
    ]
    assert len(ledger.batches) == 1
    assert await commits.add(4) == "kept 4"


async def test_full_queue_refuses_and_has_room_again_afterwards() -> None:
    ledger = Ledger()
    commits = group(ledger, GroupLimits(writers=1, waiting=10, weight=10))
    tasks = [*await add(commits, 1), *await add(commits, 5, 5)]
    with pytest.raises(Unavailable) as refused:
        await commits.add(1)
    ledger.go()
    await asyncio.gather(*tasks)

    assert refused.value.retry_after_s is not None
    assert await commits.add(10) == "kept 10"


async def test_close_waits_for_what_was_taken_and_refuses_what_comes_later() -> None:
    ledger = Ledger()
    commits = group(ledger, ONE_WRITER)
    tasks = await add(commits, 1, 2, 3, 4, 5, 6, 7)
    closing = asyncio.create_task(commits.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await commits.add(8)
    assert not closing.done()

    ledger.go()
    await closing
    assert all(task.done() for task in tasks)
    assert [1, 2, 3, 4, 5, 6, 7] == ledger.kept


async def test_cancelled_caller_gives_up_its_answer_only() -> None:
    ledger = Ledger()
    commits = group(ledger, ONE_WRITER)
    tasks = await add(commits, 1, 2, 3)
    tasks[0].cancel()
    tasks[2].cancel()
    ledger.go()

    assert await tasks[1] == "kept 2"
    assert await commits.add(4) == "kept 4"


async def test_writers_work_side_by_side_up_to_their_number() -> None:
    ledger = Ledger()
    commits = group(ledger, GroupLimits(writers=2))
    tasks = [task for row in (1, 2, 3, 4) for task in await add(commits, row)]

    assert [[1], [2]] == ledger.batches
    ledger.go()
    await asyncio.gather(*tasks)
    assert [[1], [2], [3, 4]] == ledger.batches
