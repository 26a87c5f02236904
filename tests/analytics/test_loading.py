"""Rows that are made up are counted beside what workers fold meanwhile."""

import asyncio
from typing import TYPE_CHECKING

from trackai.sandbox.load import shape
from trackai.storage import bulk, rollups
from trackai.storage.pool import Database

if TYPE_CHECKING:
    from tests.support.world import World

# In this database: others of the same server have their own.
LOCKED = """
select count(*)::int as waiting from pg_locks
where locktype = 'advisory' and not granted
  and database = (select oid from pg_database where datname = current_database())
"""
PATIENCE_S = 60


async def test_who_loads_waits_for_who_folds(world: "World") -> None:
    of = bulk.TenantDay(world.account.tenant.id, world.clock.now().date(), shape.KEEP_DAYS)

    async def load() -> int:
        async with Database.opened(world.url, None, size=1) as owner, owner.transaction() as tx:
            return await bulk.copy_attempts(tx, shape.ATTEMPT_COLUMNS, [], of=of)

    async with asyncio.timeout(PATIENCE_S):
        async with world.workers.transaction() as folding:
            assert await rollups.try_lock_all_tenants(folding)
            loading = asyncio.create_task(load())
            # Buckets of both would lock each other for good: nobody begins before the other ends.
            while not (await folding.fetch(LOCKED))[0]["waiting"]:
                assert not loading.done()
                await asyncio.sleep(0.01)
        loaded = await loading

    assert loaded == 0
