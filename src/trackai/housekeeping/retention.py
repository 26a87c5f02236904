"""Tasks: rows live no longer than their tenant keeps them.

Bulk tables by dropping partitions; rows one by one only where a tenant has just changed how long it
keeps them, and in the small tables.
"""

import datetime as dt
from collections.abc import AsyncIterator
from uuid import UUID

from trackai.errors import StorageUnavailable
from trackai.model.clock import Clock
from trackai.model.keeping import is_over, period_of, wanted
from trackai.privacy.sales import empty_sale
from trackai.storage import aging, partitions
from trackai.storage.days import day_of
from trackai.storage.envelope import Envelope
from trackai.storage.partitions import AUDIT, AUDIT_KEEP_DAYS, OF_TENANTS, Partition
from trackai.storage.pool import Database, Open, Role
from trackai.telemetry.logging import get_logger

# Rows of one transaction, and transactions of one run for one tenant and table.
BATCH, BATCHES = 5000, 200
# A statement that still stores under the old length has ended by then.
SETTLED = dt.timedelta(minutes=1)
# Sales of one run for one tenant; each is a transaction.
SALES = 2000


class Retention:
    """Opens connections when it has something to do: that is seldom."""

    def __init__(self, open_database: Open, envelope: Envelope, clock: Clock) -> None:
        self._open = open_database
        self._envelope = envelope
        self._clock = clock

    async def arrange(self) -> int:
        """Make the partitions that will be needed, drop those that are over; return how many.

        One whose tables are busy is left for the next time.
        """
        today, done = day_of(self._clock.now()), 0
        async with self._open(Role.HOUSEKEEPING) as database:
            async with database.transaction() as tx:
                known = await partitions.list_partitions(tx)
                classes = await partitions.list_classes_all_tenants(tx)
            async for partition, ends in self._missing(database, set(known), classes, today):
                done += await self._make(database, partition, ends)
            for partition in known:
                if is_over(partition.starts, today, partition.keep_days):
                    done += await self._drop(database, partition)
        return done

    async def resettle(self) -> int:
        """Move rows of tenants who changed how long they keep them; return how many."""
        today, moved = day_of(self._clock.now()), 0
        async with self._open(Role.HOUSEKEEPING) as database:
            async with database.transaction() as tx:
                tenants = await aging.list_keeping_all_tenants(tx)
            for tenant in tenants:
                changed = tenant.keep_changed_at
                if changed is not None and changed <= self._clock.now() - SETTLED:
                    moved += await self._settle(database, tenant, today)
        return moved

    async def forget(self) -> int:
        """Delete identities and empty sales whose time is over; return how many."""
        now, gone = self._clock.now(), 0
        async with self._open(Role.HOUSEKEEPING) as cleaner, self._open(Role.APP) as people:
            async with cleaner.transaction() as tx:
                tenants = await aging.list_keeping_all_tenants(tx)
            for tenant in tenants:
                before = now - dt.timedelta(days=tenant.keep_days)
                gone += await self._forget_identities(cleaner, tenant.tenant_id, before)
                gone += await self._forget_buyers(people, tenant.tenant_id, before)
        return gone

    async def _missing(
        self, database: Database, known: set[Partition], classes: list[int], today: dt.date
    ) -> AsyncIterator[tuple[Partition, dt.date]]:
        places = [(bulk, keep_days) for bulk in OF_TENANTS for keep_days in classes]
        for bulk, keep_days in (*places, (AUDIT, AUDIT_KEEP_DAYS)):
            async with database.transaction() as tx:
                days = await partitions.list_rest_days(tx, bulk, keep_days)
            periods = {period_of(day, keep_days) for day in days}
            for starts, ends in sorted({*wanted(today, keep_days), *periods}):
                partition = Partition(bulk, keep_days, starts)
                if partition not in known:
                    yield partition, ends

    async def _make(self, database: Database, partition: Partition, ends: dt.date) -> bool:
        try:
            async with database.transaction() as tx:
                return await partitions.make_partition(tx, partition, ends=ends)
        except StorageUnavailable as error:
            _say("partition.not_made", partition, str(error))
            return False

    async def _drop(self, database: Database, partition: Partition) -> bool:
        try:
            async with database.transaction() as tx:
                dropped = await partitions.drop_partition(tx, partition)
        except StorageUnavailable as error:
            _say("partition.not_dropped", partition, str(error))
            return False
        get_logger().info("partition.dropped", bulk=partition.bulk, starts=str(partition.starts))
        return dropped

    async def _settle(self, database: Database, tenant: aging.Keeping, today: dt.date) -> int:
        moved, last = 0, 0
        for table in OF_TENANTS:
            for _ in range(BATCHES):
                async with database.transaction() as tx:
                    last = await aging.resettle(
                        *(tx, table),
                        tenant_id=tenant.tenant_id,
                        keep_days=tenant.keep_days,
                        today=today,
                        limit=BATCH,
                    )
                moved += last
                if not last:
                    break
            else:
                return moved  # more than one run may do: the next goes on
        async with database.transaction() as tx:
            await aging.set_settled(tx, tenant)
        return moved

    async def _forget_identities(
        self, database: Database, tenant_id: UUID, before: dt.datetime
    ) -> int:
        gone = 0
        for _ in range(BATCHES):
            async with database.transaction() as tx:
                last = await aging.delete_identities(
                    tx, tenant_id=tenant_id, before=before, limit=BATCH
                )
            gone += last
            if not last:
                break
        return gone

    async def _forget_buyers(self, database: Database, tenant_id: UUID, before: dt.datetime) -> int:
        async with database.transaction(tenant_id=tenant_id) as tx:
            sales = await aging.list_aged_sales(tx, tenant_id=tenant_id, before=before, limit=SALES)
        for conversion_id in sales:
            async with database.transaction(tenant_id=tenant_id) as tx:
                await empty_sale(
                    *(tx, self._envelope, frozenset()),
                    tenant_id=tenant_id,
                    conversion_id=conversion_id,
                    now=self._clock.now(),
                )
        return len(sales)


def _say(event: str, partition: Partition, reason: str) -> None:
    get_logger().warning(event, bulk=partition.bulk, starts=str(partition.starts), reason=reason)
