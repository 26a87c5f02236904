"""Buckets grow old: minutes go after two days and hours after 92, and the numbers stay."""

import datetime as dt
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pytest

from trackai.analytics.metrics import Filters, measure, zone_of
from trackai.analytics.periods import Period
from trackai.housekeeping.rollups import KEPT, Folder, RollupUpkeep
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.pool import Database, Role
from trackai.storage.rollups import TABLES

if TYPE_CHECKING:
    from tests.support.world import World

DAYS = 120


async def _present(world: "World") -> None:
    """Let it be now: what the database lets go, it decides by its own clock."""
    (row,) = await world.rows("select now() as now from tenants where id = $1")
    world.clock.moment = row["now"]


async def _sales(world: "World") -> None:
    """Sell on every tenth day of some months."""
    for ago in range(0, DAYS, 10):
        sold_at = world.clock.now() - dt.timedelta(days=ago)
        await world.click(f"c{ago}", ago=dt.timedelta(days=ago))
        sale = world.sale("kiwify", sold_at=sold_at, click_id=f"c{ago}")
        await world.tell("kiwify", sale, SaleStatus.APPROVED)


async def _grains(world: "World") -> dict[str, dt.timedelta]:
    """Return how old the oldest bucket of each grain is."""
    rows = await world.rows(
        "select grain, min(at) as oldest from rollup_totals where tenant_id = $1 group by grain"
    )
    now = world.clock.now()
    return {row["grain"]: now - row["oldest"] for row in rows}


async def _sold(world: "World", days: int) -> int:
    tenant_id = world.account.tenant.id
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        zone, now = await zone_of(tx, tenant_id=tenant_id), world.clock.now()
        period = Period.between(now - dt.timedelta(days=days), now, zone=zone, now=now)
        return (await measure(tx, period, Filters(), tenant_id=tenant_id)).sales


def upkeep_of(world: "World") -> RollupUpkeep:
    def opened(role: Role) -> AbstractAsyncContextManager[Database]:
        return Database.opened(world.url, role, size=1)

    return RollupUpkeep(opened, world.clock)


async def test_numbers_of_long_ago_are_days_alone_and_the_same(world: "World") -> None:
    await _present(world)
    await _sales(world)
    before = [await _sold(world, days) for days in (1, 45, DAYS)]
    await Folder(world.workers, world.clock).step()
    await upkeep_of(world).run()
    oldest = await _grains(world)

    assert oldest["minute"] <= KEPT["minute"]
    assert KEPT["minute"] < oldest["hour"] <= KEPT["hour"]
    assert oldest["day"] > KEPT["hour"]
    assert [await _sold(world, days) for days in (1, 45, DAYS)] == before == [1, 5, 12]


@pytest.mark.parametrize("table", TABLES)
async def test_buckets_that_are_over_go_and_no_others(world: "World", table: str) -> None:
    await _present(world)
    await world.fill(world.account)
    await Folder(world.workers, world.clock).step()
    moved = {"minute": KEPT["minute"], "hour": KEPT["hour"], "day": dt.timedelta(days=1000)}
    async with world.workers.transaction() as tx:
        for grain, ago in moved.items():
            late = dt.timedelta(hours=2)
            await tx.execute(
                f"update {table} set at = at - $1::interval where grain = '{grain}'",  # noqa: S608
                ago + late,
            )
    await world.click("c-now")
    await world.tell("kiwify", world.sale(click_id="c-now"), SaleStatus.APPROVED)
    await world.count(world.account)
    count = f"select grain, count(*)::int as number, min(at) as oldest from {table}"  # noqa: S608
    before = await world.rows(f"{count} where tenant_id = $1 group by 1")
    gone = await upkeep_of(world).run()
    after = await world.rows(f"{count} where tenant_id = $1 group by 1")
    left = {row["grain"]: world.clock.now() - row["oldest"] for row in after}

    assert gone > 0
    assert sum(row["number"] for row in after) < sum(row["number"] for row in before)
    assert left["minute"] <= KEPT["minute"]
    assert left["hour"] <= KEPT["hour"]
    assert left["day"] > dt.timedelta(days=999)
