"""Job: deletes the rows of tenants that are gone, a batch a transaction.

What they sealed has been noise since their key went (accounts/closing.py); this is about the rest.
"""

import datetime as dt
from uuid import UUID

from trackai.model.clock import Clock
from trackai.storage import purging
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import PURGED

# The edge believes for ten seconds that it knows a tenant; what it is told in them is stored.
SETTLED = dt.timedelta(minutes=1)
# Rows of one transaction.
BATCH = 5000


class Purger:
    """Works as the role that sees deleted tenants alone."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def step(self) -> bool:
        """Delete a batch; False when nobody is gone."""
        async with self._database.transaction() as tx:
            tenant_id = await purging.find_deleted_all_tenants(
                tx, before=self._clock.now() - SETTLED
            )
        if tenant_id is None:
            return False
        for table in purging.TABLES:
            if await self._delete(table, tenant_id):
                return True
        async with self._database.transaction() as tx:
            await purging.delete_tenant(tx, tenant_id=tenant_id)
        get_logger().info("tenant.purged", tenant_id=str(tenant_id))
        return True

    async def _delete(self, table: str, tenant_id: UUID) -> int:
        async with self._database.transaction() as tx:
            number = await purging.delete_some(tx, table, tenant_id=tenant_id, limit=BATCH)
        PURGED.labels(table).inc(number)
        return number
