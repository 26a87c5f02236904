"""Loads made-up days into a database, several at once."""

import asyncio
import datetime as dt
import gc
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context

from trackai.model.ad_spend import AdAccount
from trackai.model.keeping import period_of
from trackai.sandbox.load import shape
from trackai.sandbox.load.shape import Shop
from trackai.sandbox.load.spend import spent_on
from trackai.storage import ad_spend, bulk, rollups
from trackai.storage.partitions import OF_TENANTS, Partition, make_partition
from trackai.storage.pool import Database, Role, Tx

FOLDED_AT_ONCE = 100_000
# Clicks are older than the sales they led to.
BEFORE = dt.timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Loading:
    """How much, over how many days up to now."""

    attempts: int
    days: int
    now: dt.datetime
    processes: int = 2
    seed: int = 1

    def dates(self) -> list[dt.date]:
        """Return the days, in UTC."""
        today = self.now.date()
        return [today - dt.timedelta(days=ago) for ago in reversed(range(self.days))]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A day of some shops, each loaded in one transaction."""

    url: str
    day: dt.date
    shops: Sequence[tuple[Shop, int]]  # and how many tries
    now: dt.datetime
    seed: int


async def load(
    url: str, shops: Sequence[Shop], loading: Loading, *, told: Callable[[int], None]
) -> dict[str, int]:
    """Load everything; return table -> rows. `told` hears how many tries are there so far."""
    await _make_partitions(url, loading)
    chunks = [
        Chunk(
            url,
            day,
            [(shop, round(loading.attempts * share * shop.share)) for shop in shops],
            loading.now,
            loading.seed,
        )
        for day, share in _shares(loading)
    ]
    rows: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(loading.processes, mp_context=get_context("spawn")) as processes:
        loads = [loop.run_in_executor(processes, _load, chunk) for chunk in chunks]
        for done in asyncio.as_completed(loads):
            rows.update(await done)
            told(rows[bulk.ATTEMPTS])
    rows["ad_spend"] = await _spend(url, shops, loading)
    await _finish(url)
    return dict(rows)


async def _spend(url: str, shops: Sequence[Shop], loading: Loading) -> int:
    """Say what the shops' ads cost on each day; return how many rows that is."""
    rows = 0
    async with Database.opened(url, Role.APP, size=1) as people:
        for shop, (day, share) in product(shops, _shares(loading)):
            attempts = round(loading.attempts * share * shop.share)
            days = [*spent_on(shop, day, attempts=attempts, seed=loading.seed)]
            async with people.transaction(tenant_id=shop.tenant_id) as tx:
                account = AdAccount(shop.tenant_id, "meta", "act_1")
                rows += await ad_spend.save_spend(tx, account, days, now=loading.now)
    return rows


def _load(chunk: Chunk) -> Counter[str]:
    # Rows are held by the hundred thousand and go at once: looking for garbage among them is most
    # of the time.
    gc.disable()
    return asyncio.run(_load_day(chunk))


async def _load_day(chunk: Chunk) -> Counter[str]:
    rows: Counter[str] = Counter()
    async with Database.opened(chunk.url, None, size=1) as owner:
        for shop, attempts in chunk.shops:
            made = shape.make_day(
                shop, chunk.day, attempts=attempts, until=chunk.now, seed=chunk.seed
            )
            of = bulk.TenantDay(shop.tenant_id, chunk.day, shape.KEEP_DAYS)
            async with owner.transaction() as tx:
                rows.update(await _copy(tx, made, of))
    return rows


async def _copy(tx: Tx, made: shape.Day, of: bulk.TenantDay) -> dict[str, int]:
    await bulk.relax(tx)
    rows = {
        table: await bulk.copy_staged(tx, table, columns, some)
        for table, columns, some in (
            ("clicks", shape.CLICK_COLUMNS, made.clicks),
            ("conversions", shape.SALE_COLUMNS, made.conversions),
            ("matches", shape.MATCH_COLUMNS, made.matches),
            ("deliveries", shape.DELIVERY_COLUMNS, made.deliveries),
        )
    }
    rows[bulk.ATTEMPTS] = await bulk.copy_attempts(tx, shape.ATTEMPT_COLUMNS, made.attempts, of=of)
    return rows


def _shares(loading: Loading) -> Iterator[tuple[dt.date, float]]:
    """Yield each day with its share of all tries; today's is what of it is over."""
    dates = loading.dates()
    weights = [shape.weight_of(day, dates[0], loading.days) for day in dates]
    for day, weight in zip(dates, weights, strict=True):
        yield day, weight / sum(weights)


async def _make_partitions(url: str, loading: Loading) -> None:
    day, dates = loading.dates()[0] - BEFORE, loading.dates()
    async with Database.opened(url, Role.HOUSEKEEPING, size=1) as database:
        while day <= dates[-1]:
            starts, ends = period_of(day, shape.KEEP_DAYS)
            for table in OF_TENANTS:
                async with database.transaction() as tx:
                    part = Partition(table, shape.KEEP_DAYS, starts)
                    await make_partition(tx, part, ends=ends)
            day = ends


async def _finish(url: str) -> None:
    """Fold what was counted, as a worker would, and let the planner look at it."""
    async with Database.opened(url, Role.PIPELINE, size=1) as workers:
        for changed in rollups.CHANGED:
            number = 1
            while number:
                async with workers.transaction() as tx:
                    await rollups.lock_all_tenants(tx)
                    number = await rollups.fold_all_tenants(tx, changed, limit=FOLDED_AT_ONCE)
    async with Database.opened(url, None, size=1) as owner, owner.transaction() as tx:
        await bulk.analyze(tx)
