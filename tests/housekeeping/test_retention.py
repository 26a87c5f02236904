"""Rows live no longer than their tenant keeps them: partitions are dropped, not rows deleted."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from tests.support.program import PATIENCE_S

from trackai.accounts.upkeep import Upkeep
from trackai.errors import StatementRefused
from trackai.housekeeping.retention import Retention
from trackai.model.clock import SystemClock, new_id
from trackai.model.keeping import period_of
from trackai.sandbox.platforms import SaleStatus
from trackai.storage import partitions
from trackai.storage.partitions import OF_TENANTS, Partition
from trackai.storage.pool import Database, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from tests.support.world import Account, World

# The database drops by its own clock: what is old must be old by it, too.
TODAY = SystemClock().now().replace(hour=12, minute=0, second=0, microsecond=0)
DAY = dt.timedelta(days=1)
WHERE = """
select tableoid::regclass::text as part, received_at from clicks where tenant_id = $1 order by 2
"""
DELETED = """
select sum(n_tup_del)::bigint as rows from pg_stat_all_tables
where relname ~ '^(clicks|page_events|webhook_receipts|dispatch_attempts)'
"""

TRIED = """
select sum(attempts)::int as attempts from counted_dispatch where tenant_id = $1 and grain = 'day'
"""


def retention_of(world: "World") -> Retention:
    def opened(role: Role) -> "AbstractAsyncContextManager[Database]":
        return Database.opened(world.url, role, size=1)

    return Retention(opened, world.envelope, world.clock)


async def keep(world: "World", account: "Account", days: int) -> bool:
    upkeep = Upkeep(
        *(world.people, world.envelope, world.clock, new_id),
        tenant_id=account.tenant.id,
        actor="cli:ana",
    )
    return await upkeep.keep(days)


async def click_of_every(world: "World", ages: list[int], account: "Account") -> None:
    """Store a click of each of these ages, in days."""
    for age in ages:
        world.clock.moment = TODAY - age * DAY
        await world.click(f"c{age}", account=account)
    world.clock.moment = TODAY


async def ages_of(world: "World", account: "Account") -> list[int]:
    """Return the ages of the clicks that are there, in days."""
    rows = await world.rows(WHERE, account)
    return sorted((TODAY - row["received_at"]).days for row in rows)


async def parts_of(world: "World", account: "Account") -> set[str]:
    return {row["part"] for row in await world.rows(WHERE, account)}


@pytest.fixture(autouse=True)
def today(world: "World") -> None:
    world.clock.moment = TODAY


async def test_each_tenants_rows_go_when_their_own_time_is_over(world: "World") -> None:
    short, long = world.account, await world.open_account("Outro")
    await keep(world, short, 30)
    ages = [0, 5, 29, 30, 31, 200, 330, 365, 366, 400]
    await click_of_every(world, ages, short)
    await click_of_every(world, ages, long)

    await retention_of(world).arrange()  # rows came before their partitions did: they move
    await retention_of(world).arrange()

    assert [0, 5, 29] == await ages_of(world, short)
    kept = await ages_of(world, long)
    assert [0, 5, 29, 30, 31, 200, 330] == [age for age in kept if age <= 330]
    assert max(kept) < 365


async def test_bulk_rows_go_with_their_partition_and_none_is_deleted(world: "World") -> None:
    await keep(world, world.account, 30)
    await click_of_every(world, [3, 40], world.account)
    retention = retention_of(world)
    await retention.arrange()
    old = await connection_of(world)
    before = await old.fetchval(DELETED)
    gone = Partition("clicks", 30, (TODAY - 40 * DAY).date())
    async with world.workers.transaction() as tx:
        there = gone in await partitions.list_partitions(tx)

    await retention.arrange()

    async with world.workers.transaction() as tx:
        assert (there, gone in await partitions.list_partitions(tx)) == (True, False)
    await old.execute("select pg_stat_force_next_flush()")
    assert before == await old.fetchval(DELETED)
    await old.close()


async def connection_of(world: "World") -> "asyncpg.Connection[Any]":
    return await asyncpg.connect(world.url)


async def test_partitions_are_made_ahead_and_rows_go_into_them(world: "World") -> None:
    await retention_of(world).arrange()
    for ahead in (0, 20, 34):
        world.clock.moment = TODAY + ahead * DAY
        await world.click(f"c{ahead}")

    assert not [part for part in await parts_of(world, world.account) if "rest" in part]


async def test_nothing_is_lost_when_the_task_did_not_run_for_months(world: "World") -> None:
    late = TODAY + 200 * DAY
    world.clock.moment = late
    await world.fill(world.account)
    assert {"clicks_365_rest"} == await parts_of(world, world.account)

    # The database's clock decides what may be made so far ahead: not this.
    with pytest.raises(StatementRefused):
        await retention_of(world).arrange()
    world.clock.moment = TODAY

    assert len(await world.rows(WHERE)) == 1


async def test_rows_that_came_before_their_partition_are_moved_into_it(world: "World") -> None:
    world.clock.moment = TODAY - 100 * DAY
    await world.fill(world.account)
    world.clock.moment = TODAY
    before = await parts_of(world, world.account)

    await retention_of(world).arrange()

    starts, _ = period_of((TODAY - 100 * DAY).date(), 365)
    assert {"clicks_365_rest"} == before
    assert {f"clicks_365_{starts:%Y%m%d}"} == await parts_of(world, world.account)
    assert await retention_of(world).arrange() == 0


# Which day it is, is for the database to say: the tests may go on over midnight.
STILL_KEPT: "Mapping[str, Callable[[dt.date], Partition]]" = {
    "a month": lambda today: Partition("clicks", 365, (today - 30 * DAY).replace(day=1)),
    "the last day": lambda today: Partition("clicks", 30, today - 29 * DAY),
    "today": lambda today: Partition("clicks", 365, today),
}


async def drop(database: Database, what: str) -> None:
    async with database.transaction() as tx:
        (row,) = await tx.fetch("select current_date as today")
        await partitions.drop_partition(tx, STILL_KEPT[what](row["today"]))


@pytest.mark.parametrize("what", STILL_KEPT)
async def test_the_database_itself_refuses_to_drop_what_is_kept(world: "World", what: str) -> None:
    async with Database.opened(world.url, Role.HOUSEKEEPING, size=1) as database:
        with pytest.raises(StatementRefused):
            await drop(database, what)


@pytest.mark.parametrize(
    "partition",
    [
        Partition("tenants", 365, dt.date(2020, 1, 1)),
        Partition("clicks", 31, dt.date(2020, 1, 1)),
        Partition("clicks_365", 365, dt.date(2020, 1, 1)),
    ],
)
async def test_only_partitions_of_bulk_tables_are_made_or_dropped(
    world: "World", partition: Partition
) -> None:
    async with Database.opened(world.url, Role.HOUSEKEEPING, size=1) as database:
        with pytest.raises(StatementRefused):
            async with database.transaction() as tx:
                await partitions.make_partition(tx, partition, ends=dt.date(2020, 2, 1))
        async with database.transaction() as tx:
            assert not await partitions.drop_partition(tx, partition)


@pytest.mark.parametrize("role", [Role.INGEST, Role.PIPELINE, Role.APP])
async def test_nobody_else_makes_or_drops_partitions_or_reads_one_by_itself(
    world: "World", role: Role
) -> None:
    old = Partition("clicks", 365, dt.date(2020, 1, 1))
    async with Database.opened(world.url, role, size=1) as database:
        with pytest.raises(StatementRefused):
            async with database.transaction() as tx:
                await partitions.drop_partition(tx, old)
        with pytest.raises(StatementRefused):
            async with database.transaction() as tx:
                await tx.fetch("select * from clicks_365_rest")


async def test_a_long_reader_is_not_disturbed_and_the_partition_goes_next_time(
    world: "World",
) -> None:
    await click_of_every(world, [400], world.account)
    await retention_of(world).arrange()
    reader = await connection_of(world)
    await reader.execute("begin")
    await reader.fetch("select * from clicks")

    held = await retention_of(world).arrange()
    asked = asyncio.create_task(world.click("c-meanwhile"))
    await asyncio.wait_for(asked, PATIENCE_S)  # nobody queues behind what the task could not have
    await reader.execute("rollback")
    freed = await retention_of(world).arrange()
    await reader.close()

    assert (held, freed) == (0, 1)
    assert [0] == await ages_of(world, world.account)


async def test_two_at_once_do_the_work_once(world: "World") -> None:
    await keep(world, world.account, 90)
    await click_of_every(world, [3, 200], world.account)

    done = await asyncio.gather(*(retention_of(world).arrange() for _ in range(2)))
    await retention_of(world).arrange()

    assert sum(done) > 0
    assert [3] == await ages_of(world, world.account)


async def test_who_keeps_less_from_now_on_loses_what_is_older(world: "World") -> None:
    account, other = world.account, await world.open_account("Outro")
    for one in (account, other):
        await click_of_every(world, [0, 20, 100], one)
    await world.fill(account)
    assert await keep(world, account, 30)
    at_once = await retention_of(world).resettle()
    world.clock.forward(minutes=2)

    await retention_of(world).resettle()

    assert at_once == 0  # a statement may still be storing under the old length
    assert [0, 0, 20] == await ages_of(world, account)
    assert {"clicks_30_rest"} == await parts_of(world, account)
    assert [0, 20, 100] == await ages_of(world, other)
    assert await retention_of(world).resettle() == 0


async def test_rows_that_move_are_not_counted_again(world: "World") -> None:
    await world.fill(world.account)
    before = await world.rows(TRIED)
    await keep(world, world.account, 730)
    world.clock.forward(minutes=2)

    await retention_of(world).resettle()
    await retention_of(world).arrange()

    parts = await world.rows(
        "select tableoid::regclass::text as part from dispatch_attempts where tenant_id = $1"
    )
    assert {row["part"].rpartition("_")[0] for row in parts} == {"dispatch_attempts_730"}
    assert before == await world.rows(TRIED)
    assert [row["attempts"] for row in before] == [1]


async def test_who_keeps_more_from_now_on_keeps_what_is_there(world: "World") -> None:
    account = world.account
    await keep(world, account, 30)
    await click_of_every(world, [0, 20, 29], account)
    await keep(world, account, 730)
    world.clock.forward(minutes=2)
    retention = retention_of(world)

    await retention.resettle()
    await retention.arrange()
    await retention.arrange()

    assert [0, 20, 29] == await ages_of(world, account)
    assert all(part.startswith("clicks_730_2") for part in await parts_of(world, account))


async def test_housekeeping_cannot_touch_rows_of_tenants_who_changed_nothing(
    world: "World",
) -> None:
    await world.fill(world.account)
    tenant_id = world.account.tenant.id

    async with Database.opened(world.url, Role.HOUSEKEEPING, size=1) as database:
        async with database.transaction() as tx:
            for table in OF_TENANTS:
                changed = await tx.execute(f"update {table} set keep_days = 30")  # noqa: S608
                assert changed == 0, table
            assert await tx.execute("delete from identities") == 0
        with pytest.raises(StatementRefused):
            async with database.transaction() as tx:
                await tx.execute("update tenants set keep_days = 30 where id = $1", tenant_id)


async def test_identities_and_buyers_are_forgotten_in_their_time_and_amounts_are_kept(
    world: "World",
) -> None:
    account, other = world.account, await world.open_account("Outro")
    await keep(world, account, 90)
    for age in (100, 10):
        world.clock.moment = TODAY - age * DAY
        for one in (account, other):
            await world.click(f"c{age}", account=one)
            await world.lead(f"c{age}", email=f"m{age}@example.com", account=one)
            sale = world.sale(click_id=f"c{age}")
            await world.tell("kiwify", sale, SaleStatus.APPROVED, account=one)
    world.clock.moment = TODAY

    gone = await retention_of(world).forget()
    again = await retention_of(world).forget()

    assert (gone > 0, again) == (True, 0)
    assert await told(world, account) == [(True, 100), (False, 10)]
    assert await told(world, other) == [(False, 100), (False, 10)]
    assert await seen(world, account) == {10}
    assert await seen(world, other) == {100, 10}


async def told(world: "World", account: "Account") -> list[tuple[bool, int]]:
    """Return of each sale whether its buyer was forgotten, and its age; amounts are there."""
    rows = await world.rows(
        "select erased_at, sold_at, amount_minor from conversions where tenant_id = $1"
        " order by sold_at",
        account,
    )
    assert all(row["amount_minor"] for row in rows)
    return [(row["erased_at"] is not None, (TODAY - row["sold_at"]).days) for row in rows]


async def seen(world: "World", account: "Account") -> set[int]:
    rows = await world.rows("select seen_at from identities where tenant_id = $1", account)
    return {(TODAY - row["seen_at"]).days for row in rows}


async def test_a_repeat_days_later_is_known_and_one_of_months_ago_is_not(world: "World") -> None:
    for age in (100, 10, 9, 0):
        world.clock.moment = TODAY - age * DAY
        await world.click("c1")

    assert [10, 100] == await ages_of(world, world.account)
