"""What the edge remembers of tenants and connections, and for how long."""

import asyncio

import pytest

from trackai.errors import StorageUnavailable
from trackai.ingest import directory
from trackai.ingest.directory import Cache


class Table:
    """Something to look up; counts the questions and can be away or slow."""

    def __init__(self, **rows: str) -> None:
        self.rows = rows
        self.asked: list[str] = []
        self.away = False
        self.open = asyncio.Event()
        self.open.set()
        self.at = 0.0

    async def load(self, key: str) -> str | None:
        self.asked.append(key)
        await self.open.wait()
        if self.away:
            raise StorageUnavailable("away")
        return self.rows.get(key)

    def cache(self) -> Cache[str, str]:
        return Cache(self.load, monotonic=lambda: self.at)


async def test_found_is_believed_for_ten_seconds() -> None:
    table = Table(a="1")
    cache = table.cache()
    assert await cache.find("a") == "1"

    table.rows["a"] = "2"
    table.at = 9.9
    assert await cache.find("a") == "1"
    table.at = 10.0
    assert await cache.find("a") == "2"


async def test_missing_is_believed_for_two_seconds() -> None:
    table = Table()
    cache = table.cache()
    assert await cache.find("a") is None

    table.rows["a"] = "1"
    table.at = 1.9
    assert await cache.find("a") is None
    table.at = 2.0
    assert await cache.find("a") == "1"


async def test_asker_may_want_it_fresher() -> None:
    table = Table(a="1")
    cache = table.cache()
    await cache.find("a")
    table.rows["a"], table.at = "2", 1.0

    assert await cache.find("a", max_age_s=1.0) == "2"


async def test_all_who_ask_at_once_share_one_lookup() -> None:
    table = Table(a="1")
    cache = table.cache()
    table.open.clear()
    askers = [asyncio.create_task(cache.find("a")) for _ in range(10)]
    await asyncio.sleep(0)
    table.open.set()

    assert await asyncio.gather(*askers) == ["1"] * 10
    assert table.asked == ["a"]


async def test_asker_that_goes_away_leaves_the_answer_to_the_others() -> None:
    table = Table(a="1")
    cache = table.cache()
    table.open.clear()
    first, second = (asyncio.create_task(cache.find("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    table.open.set()

    assert await second == "1"
    assert table.asked == ["a"]


async def test_known_before_counts_while_the_database_is_away() -> None:
    table = Table(a="1")
    cache = table.cache()
    await cache.find("a")
    table.away, table.at = True, 3600.0

    assert await cache.find("a") == "1"
    with pytest.raises(StorageUnavailable):
        await cache.find("b")


async def test_failed_lookup_is_not_remembered() -> None:
    table = Table(a="1")
    cache = table.cache()
    table.away = True
    with pytest.raises(StorageUnavailable):
        await cache.find("a")
    table.away = False

    assert await cache.find("a") == "1"


async def test_gone_is_gone_after_its_time() -> None:
    table = Table(a="1")
    cache = table.cache()
    await cache.find("a")
    del table.rows["a"]
    table.at = 10.0
    assert await cache.find("a") is None

    table.away, table.at = True, 20.0
    with pytest.raises(StorageUnavailable):
        await cache.find("a")


async def test_made_up_keys_do_not_push_out_real_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_ENTRIES", 2)
    table = Table(a="1", b="2", c="3")
    cache = table.cache()
    await cache.find("a")
    for number in range(10):
        await cache.find(f"made up {number}")
    table.asked.clear()
    await cache.find("a")
    assert table.asked == []

    for key in ("b", "a", "c", "a"):
        await cache.find(key)
    assert table.asked == ["b", "c"]
    await cache.find("b")
    assert table.asked == ["b", "c", "b"]
