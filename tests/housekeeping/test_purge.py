"""A tenant is deleted: unreadable at once, soon gone from every table, and nobody else with it."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from tests.support.opened import Raw, raw_rows
from tests.support.world import SECRET

from trackai.accounts.closing import close_tenant
from trackai.errors import InvariantBroken, StatementRefused, UnknownTenant
from trackai.housekeeping.purge import SETTLED, Purger
from trackai.housekeeping.rollups import Folder
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.platforms import SaleStatus, platform
from trackai.storage import purging
from trackai.storage.api_keys import find_api_key_all_tenants
from trackai.storage.conversions import list_notices
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import find_connection_by_endpoint_key_all_tenants
from trackai.storage.pool import Database, Role
from trackai.storage.receipts import claim_receipt_all_tenants
from trackai.storage.rollups import CHANGED, note_peaks_all_tenants
from trackai.storage.tenants import (
    find_tenant,
    find_tenant_by_site_key,
    list_tenants_all_tenants,
)

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.world import Account, World

KEY = bytes(range(32))
SALES = "select id from conversions where tenant_id = $1"
PENDING = "select count(*) as number from deliveries where tenant_id = $1 and status = 'pending'"


@pytest.fixture
async def cleaner(world: "World") -> AsyncIterator[Database]:
    """Yield connections as the role that deletes."""
    database = await Database.connect(world.url, Role.HOUSEKEEPING, size=1)
    yield database
    await database.close()


async def close(world: "World", account: "Account") -> None:
    await close_tenant(
        *(world.people, world.envelope, world.clock, new_id),
        tenant_id=account.tenant.id,
        by="cli:ana",
    )


async def purge(world: "World", cleaner: Database) -> int:
    """Let the job run until it has nothing to do; return its steps."""
    purger, steps = Purger(cleaner, world.clock), 0
    while await purger.step():
        steps += 1
        assert steps < 1000
    return steps


def rows_of(rows: Raw, tenant_id: "UUID") -> Counter[str]:
    """Return how many rows each table has of a tenant."""
    return Counter(
        table
        for (table, _), row in rows.items()
        if tenant_id in {row.get("tenant_id"), row["id"] if table == "tenants" else None}
    )


async def test_what_a_deleted_tenant_sealed_opens_for_nobody(world: "World") -> None:
    account = world.account
    await world.fill(account)
    (sale,) = await world.rows(SALES)
    asked = {"tenant_id": account.tenant.id, "conversion_id": sale["id"]}

    await close(world, account)

    for envelope in (world.envelope, Envelope([KEY])):
        async with world.workers.transaction() as tx:
            with pytest.raises(InvariantBroken):
                await list_notices(tx, envelope, **asked)


async def test_a_deleted_tenant_is_unknown_everywhere_and_is_sent_nothing(world: "World") -> None:
    account = world.account
    await world.fill(account)
    await world.receive(
        "hotmart", platform("hotmart", SECRET).notice(world.sale("hotmart"), SaleStatus.APPROVED)
    )
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        (row,) = await tx.fetch("select digest from api_keys")
    key = row["digest"]

    await close(world, account)

    async with world.edge.transaction() as tx:
        endpoint = account.connections["kiwify"].endpoint_key
        assert await find_tenant(tx, account.tenant.id) is None
        assert await find_tenant_by_site_key(tx, account.tenant.site_key) is None
        assert (
            await find_connection_by_endpoint_key_all_tenants(tx, world.envelope, endpoint) is None
        )
        assert await find_api_key_all_tenants(tx, key, now=world.clock.now()) is None
    async with world.workers.transaction() as tx:
        assert await list_tenants_all_tenants(tx) == []
        assert await claim_receipt_all_tenants(tx, now=world.clock.now()) is None
    assert [0] == [row["number"] for row in await world.rows(PENDING)]
    with pytest.raises(UnknownTenant):
        await close(world, account)


async def test_all_rows_of_a_deleted_tenant_go_and_no_others(
    world: "World", cleaner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, other = world.account, await world.open_account("Outro")
    for one in (account, other):
        await world.fill(one)
        await world.tell("stripe", world.sale("stripe"), SaleStatus.APPROVED, account=one)
    await world.count(account, other)
    before = await raw_rows(world.url)
    await close(world, account)
    world.clock.forward(minutes=1)
    monkeypatch.setattr("trackai.housekeeping.purge.BATCH", 1)

    steps = await purge(world, cleaner)

    after = await raw_rows(world.url)
    mine = rows_of(before, account.tenant.id)
    assert {"audit_logs": mine["audit_logs"] + 1} == rows_of(after, account.tenant.id)
    assert mine.keys() - {"audit_logs", "tenants"} == set(purging.TABLES)
    # A row a step, at times one of each of a table's partitions; the key was gone before.
    rows = mine.total() - mine["audit_logs"] - mine["tenant_keys"]
    assert len(purging.TABLES) <= steps <= rows
    theirs = {row for row in before if before[row].get("tenant_id") == other.tenant.id}
    assert {row: before[row] for row in theirs} == {row: after[row] for row in theirs}


async def test_a_tenant_who_was_just_deleted_is_let_settle(
    world: "World", cleaner: Database
) -> None:
    await close(world, world.account)
    world.clock.forward(seconds=SETTLED.total_seconds() - 1)

    assert await purge(world, cleaner) == 0


async def test_a_purge_that_was_cut_short_goes_on(
    world: "World", cleaner: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.fill(world.account)
    await close(world, world.account)
    world.clock.forward(minutes=1)
    monkeypatch.setattr("trackai.housekeeping.purge.BATCH", 1)
    for _ in range(5):
        await Purger(cleaner, world.clock).step()

    await purge(world, cleaner)

    assert {"audit_logs"} == set(rows_of(await raw_rows(world.url), world.account.tenant.id))


async def test_what_is_deleted_with_a_tenant_is_counted_nowhere(
    world: "World", cleaner: Database
) -> None:
    account = world.account
    await world.fill(account)
    await world.count(account)
    await close(world, account)
    before = _buckets(await raw_rows(world.url), account.tenant.id)
    async with cleaner.transaction() as tx:
        for table in purging.TABLES[: purging.TABLES.index("rollup_totals")]:
            await purging.delete_some(tx, table, tenant_id=account.tenant.id, limit=1000)
        waiting = [row for one in CHANGED for row in await tx.fetch(f"select from {one}")]

    await Folder(world.workers, world.clock).step()
    async with world.workers.transaction() as tx:
        await note_peaks_all_tenants(tx)
    async with cleaner.transaction() as tx:
        left = [row for one in CHANGED for row in await tx.fetch(f"select from {one}")]

    assert before
    assert waiting
    assert [] == left
    assert before == _buckets(await raw_rows(world.url), account.tenant.id)


def _buckets(rows: Raw, tenant_id: "UUID") -> Raw:
    return {
        key: row
        for key, row in rows.items()
        if key[0].startswith("rollup_") and row["tenant_id"] == tenant_id
    }


async def test_the_role_that_deletes_cannot_reach_a_tenant_who_is_there(
    world: "World", cleaner: Database
) -> None:
    # By the database's clock: what is older than its tenant keeps it may go.
    world.clock.moment = SystemClock().now()
    await world.fill(world.account)
    tenant_id = world.account.tenant.id

    async with cleaner.transaction() as tx:
        for table in purging.TABLES:
            assert await purging.delete_some(tx, table, tenant_id=tenant_id, limit=10) == 0, table
            assert await tx.fetch(f"select from {table}") == [], table
        await purging.delete_tenant(tx, tenant_id=tenant_id)
    for statement in ("update tenants set deleted_at = now()", "delete from audit_logs"):
        with pytest.raises(StatementRefused):
            async with cleaner.transaction() as tx:
                await tx.execute(statement)
    assert rows_of(await raw_rows(world.url), tenant_id)["tenants"] == 1
