"""Another time zone: days are counted again, exactly, while sales go on."""

import asyncio
import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from trackai.accounts.upkeep import Upkeep
from trackai.analytics.matched import match_rates
from trackai.analytics.metrics import Filters
from trackai.analytics.periods import Period
from trackai.analytics.rezoning import DAY, Rezoner
from trackai.analytics.verify import Days, Verified, verify
from trackai.errors import InvalidField
from trackai.housekeeping.retention import Retention
from trackai.housekeeping.rollups import Folder
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.pool import Database, Role

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.support.world import World

BY_DATE = "select date, sales::int as sales from v_match_rate_by_tenant order by date"

DAYS = """
select at, sum(sales)::int as sales from counted_totals
where tenant_id = $1 and grain = 'day' and gateway = ''
  and funnel_id = '00000000-0000-0000-0000-000000000000'
group by at having sum(sales) <> 0
"""

WISH = "update tenants set next_time_zone = $2 where id = $1"
ZONE = "select time_zone from tenants where id = $1"


def rezoner_of(world: "World") -> Rezoner:
    def opened(role: Role) -> "AbstractAsyncContextManager[Database]":
        return Database.opened(world.url, role, size=1)

    return Rezoner(opened, world.clock)


def upkeep_of(world: "World") -> Upkeep:
    return Upkeep(
        *(world.people, world.envelope, world.clock, new_id),
        tenant_id=world.account.tenant.id,
        actor="cli:ana",
    )


async def sell(world: "World", number: int) -> None:
    """Sell at all hours of some weeks, some of it unmatched, some refunded."""
    for each in range(number):
        sold_at = world.clock.now() - each * dt.timedelta(hours=13)
        if each % 3:
            await world.click(f"c{each}", ago=each * dt.timedelta(hours=13))
        sale = world.sale("kiwify", sold_at=sold_at, click_id=f"c{each}")
        await world.tell("kiwify", sale, SaleStatus.APPROVED)
        if each % 5 == 0:
            await world.tell("kiwify", sale, SaleStatus.REFUNDED)


async def long_ago(world: "World") -> "list[tuple[dt.date, int]]":
    """Return sales by date as the given view says it, of days whose rows may be gone."""
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        rows = await tx.fetch(BY_DATE)
    return [tuple(row) for row in rows if row["date"] < world.clock.now().date() - 32 * DAY]


async def verified(world: "World") -> Verified:
    tenant_id = world.account.tenant.id
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        return await verify(tx, tenant_id=tenant_id, days=Days(360), now=world.clock.now())


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Kathmandu"])
@pytest.mark.parametrize("folded", [True, False])
async def test_days_are_those_of_the_zone_that_is_wanted(
    world: "World", zone: str, *, folded: bool
) -> None:
    await sell(world, 30)
    if folded:
        assert not await Folder(world.workers, world.clock).step()
    before = await world.rows(DAYS)
    upkeep = upkeep_of(world)
    changed = await upkeep.want_time_zone(zone), await upkeep.want_time_zone(zone)
    waiting = await upkeep.time_zone()
    done = await rezoner_of(world).run(), await rezoner_of(world).run()
    after, found = await world.rows(DAYS), await verified(world)

    assert (changed, done) == ((True, False), (1, 0))
    assert waiting == ("America/Sao_Paulo", zone)
    assert await upkeep.time_zone() == (zone, None)
    assert found.different == 0, found.compared
    assert sum(row["sales"] for row in before) == sum(row["sales"] for row in after) == 30
    assert not {row["at"] for row in before} & {row["at"] for row in after}


CLICKS = """
select sum(clicks)::int as clicks from counted_campaigns where tenant_id = $1 and grain = 'day'
"""
STORED = "select count(*)::int as clicks from clicks where tenant_id = $1"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
async def test_what_went_with_its_partition_stays_counted(world: "World", zone: str) -> None:
    def opened(role: Role) -> "AbstractAsyncContextManager[Database]":
        return Database.opened(world.url, role, size=1)

    # The database drops by its own clock.
    world.clock.moment = SystemClock().now()
    await upkeep_of(world).keep(30)
    for age in (0, 3, 20, 28, 31, 40, 65, 100):
        await world.click(f"c{age}", ago=dt.timedelta(days=age))
    while await Folder(world.workers, world.clock).step():
        pass
    retention = Retention(opened, world.envelope, world.clock)
    for _ in range(2):  # rows came before their partitions did: they move first
        await retention.arrange()
    (stored,) = await world.rows(STORED)
    before, same = await world.rows(CLICKS), await verified(world)
    await upkeep_of(world).want_time_zone(zone)
    done = await rezoner_of(world).run()
    after, found = await world.rows(CLICKS), await verified(world)

    assert 4 <= stored["clicks"] < 8  # some went
    assert done == 1
    assert [row["clicks"] for row in (*before, *after)] == [8, 8]
    assert (same.different, found.different) == (0, 0), found.compared


@pytest.mark.parametrize(
    ("before", "zone"),
    [
        ("UTC", "America/Sao_Paulo"),
        ("America/Sao_Paulo", "Asia/Kathmandu"),
        # A day apart: each day begins when another did.
        ("Pacific/Honolulu", "Pacific/Kiritimati"),
        ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ],
)
async def test_days_whose_rows_are_gone_keep_their_date(
    world: "World", before: str, zone: str
) -> None:
    await upkeep_of(world).keep(30)
    await upkeep_of(world).want_time_zone(before)
    await rezoner_of(world).run()
    for days in range(0, 80, 2):
        sale = world.sale(sold_at=world.clock.now() - dt.timedelta(days=days))
        await world.tell("kiwify", sale, SaleStatus.APPROVED)
        await world.click(f"c{days}", ago=dt.timedelta(days=days))
    while await Folder(world.workers, world.clock).step():
        pass
    dates = await long_ago(world)
    await upkeep_of(world).want_time_zone(zone)
    await rezoner_of(world).run()
    found, (counted,) = await verified(world), await world.rows(CLICKS)
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        period = Period.named("90d", zone=ZoneInfo(zone), now=world.clock.now())
        rates = await match_rates(tx, period, Filters(), tenant_id=world.account.tenant.id)

    assert await upkeep_of(world).time_zone() == (zone, None)
    assert len(dates) > 20
    assert dates == await long_ago(world)
    # Each day is in the chart.
    assert sum(share.sales for _, share in rates.buckets) == rates.whole.sales == 40
    assert (found.different, counted["clicks"]) == (0, 40), found.compared


async def test_what_went_when_less_was_kept_stays_counted_when_more_is(world: "World") -> None:
    def opened(role: Role) -> "AbstractAsyncContextManager[Database]":
        return Database.opened(world.url, role, size=1)

    world.clock.moment = SystemClock().now()
    for age in (0, 20, 50, 100, 200):
        await world.click(f"c{age}", ago=dt.timedelta(days=age))
    while await Folder(world.workers, world.clock).step():
        pass
    retention = Retention(opened, world.envelope, world.clock)
    for days in (30, 365):
        await upkeep_of(world).keep(days)
        world.clock.forward(minutes=2)
        await retention.resettle()
    (stored,) = await world.rows(STORED)
    kept = await verified(world)
    await upkeep_of(world).want_time_zone("Asia/Tokyo")
    done = await rezoner_of(world).run()
    found, (counted,) = await verified(world), await world.rows(CLICKS)

    assert stored["clicks"] == 2
    assert (kept.different, found.different) == (0, 0), (kept.compared, found.compared)
    assert (done, counted["clicks"]) == (1, 5)


@pytest.mark.parametrize(
    ("before", "zone"),
    [
        ("UTC", "America/Sao_Paulo"),
        ("America/Noronha", "America/Sao_Paulo"),
        ("Europe/Lisbon", "America/New_York"),
    ],
)
async def test_the_first_day_that_is_kept_may_be_of_two_zones(
    world: "World", before: str, zone: str
) -> None:
    await upkeep_of(world).keep(30)
    for wanted in (before, zone):
        await upkeep_of(world).want_time_zone(wanted)
        await rezoner_of(world).run()
        # Clicks of the first days whose rows are kept, as they were counted so far.
        for hours in range(27 * 24, 31 * 24, 2) if wanted == before else ():
            await world.click(f"c{hours}", ago=dt.timedelta(hours=hours))
        while await Folder(world.workers, world.clock).step():
            pass
    found, (counted,) = await verified(world), await world.rows(CLICKS)

    assert await upkeep_of(world).time_zone() == (zone, None)
    assert found.different == 0, found.compared
    assert counted["clicks"] == 48


async def test_what_comes_in_meanwhile_is_counted_once(world: "World") -> None:
    await sell(world, 10)
    rezoner, folder = rezoner_of(world), Folder(world.workers, world.clock)
    stopping = asyncio.Event()

    async def fold() -> None:
        while not stopping.is_set():
            await folder.step()
            await asyncio.sleep(0)

    async def change() -> None:
        for zone in ("Asia/Tokyo", "Asia/Kathmandu", "America/Sao_Paulo"):
            await upkeep_of(world).want_time_zone(zone)
            # Who folded at the same moment as the first statement makes it start again.
            for _ in range(20):
                if await rezoner.run() == 1:
                    break
        stopping.set()

    await asyncio.gather(change(), fold(), sell(world, 20))
    found = await verified(world)

    assert await upkeep_of(world).time_zone() == ("America/Sao_Paulo", None)
    assert found.different == 0, found.compared


async def test_the_zone_there_is_ends_the_wish_for_another(world: "World") -> None:
    upkeep = upkeep_of(world)
    await upkeep.want_time_zone("Asia/Tokyo")
    back = await upkeep.want_time_zone("America/Sao_Paulo")

    assert back
    assert await upkeep.time_zone() == ("America/Sao_Paulo", None)
    assert await rezoner_of(world).run() == 0


@pytest.mark.parametrize(
    "zone", ["Brasília", "localtime", "Factory", "posix/Asia/Tokyo", "right/UTC", "../UTC", ""]
)
async def test_a_zone_that_is_none_everywhere_is_refused(world: "World", zone: str) -> None:
    with pytest.raises(InvalidField, match="America/Sao_Paulo"):
        await upkeep_of(world).want_time_zone(zone)


async def test_a_zone_that_the_database_lacks_is_refused(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    known = zoneinfo.available_timezones() | {"Atlantis/Capital"}
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: known)

    with pytest.raises(InvalidField, match="list of time zones is older"):
        await upkeep_of(world).want_time_zone("Atlantis/Capital")


async def test_a_zone_that_the_database_knows_otherwise_is_refused(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    tokyo = zoneinfo.ZoneInfo("Asia/Tokyo")
    monkeypatch.setattr(zoneinfo, "ZoneInfo", lambda _: tokyo)
    await upkeep_of(world).want_time_zone("Asia/Tokyo")

    with pytest.raises(InvalidField, match="say two times"):
        await upkeep_of(world).want_time_zone("Asia/Manila")


async def test_a_wish_that_cannot_be_met_keeps_no_other_waiting(world: "World") -> None:
    accounts = sorted(
        [world.account, await world.open_account("Outra")], key=lambda one: one.tenant.id
    )
    for account, zone in zip(accounts, ("Atlantis/Capital", "Asia/Tokyo"), strict=True):
        async with world.workers.transaction() as tx:
            await tx.execute(WISH, account.tenant.id, zone)
    done = await rezoner_of(world).run()
    zones = [await world.rows(ZONE, account=account) for account in accounts]

    assert done == 1
    assert [one["time_zone"] for (one,) in zones] == ["America/Sao_Paulo", "Asia/Tokyo"]
