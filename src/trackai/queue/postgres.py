"""The embedded queue: a table claimed with SKIP LOCKED, in the database that holds the truth."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.model.clock import Clock, NewId
from trackai.queue.port import LEASE, Lease
from trackai.storage import queue_messages
from trackai.storage.held import hold_messages_all_tenants
from trackai.storage.pool import Database, Tx
from trackai.storage.queue_messages import ClaimedDelivery, QueuedDelivery, Share


class PostgresQueue:
    """`trackai.queue.port.Queue` on table queue_messages."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def enqueue(self, tx: Tx, messages: Sequence[QueuedDelivery]) -> None:
        """Owe these messages to the workers, with the caller's commit."""
        await queue_messages.enqueue(tx, messages)

    async def hasten(
        self, tx: Tx, *, tenant_id: UUID, delivery_ids: Sequence[UUID], now: dt.datetime
    ) -> None:
        """Make messages that nobody has received yet due now, with the caller's commit."""
        await queue_messages.hasten(tx, tenant_id=tenant_id, delivery_ids=delivery_ids, now=now)

    async def receive(self, share: Share) -> Lease:
        """Lease due messages of several destinations; an empty lease when none is due."""
        now, lease_id = self._clock.now(), self._new_id()
        until = now + LEASE
        async with self._database.transaction() as tx:
            claimed = await queue_messages.claim_all_tenants(
                tx, now=now, lease=lease_id, lease_until=until, share=share
            )
        return Lease(lease_id, until, tuple(claimed))

    async def extend(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Keep messages of a lease for LEASE from now: their work goes on."""
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        until = self._clock.now() + LEASE
        async with self._database.transaction() as tx:
            await queue_messages.extend_all_tenants(tx, keys, lease=lease.id, until=until)

    async def acknowledge(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Be done with messages of a lease; those it no longer holds are left alone."""
        if not messages:
            return
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        async with self._database.transaction() as tx:
            await queue_messages.acknowledge_all_tenants(tx, keys, lease=lease.id)

    async def hold(self, lease: Lease, messages: Sequence[ClaimedDelivery]) -> None:
        """Give messages of a lease back; they are due when they are released (storage/held)."""
        keys = [(message.tenant_id, message.delivery_id) for message in messages]
        async with self._database.transaction() as tx:
            await hold_messages_all_tenants(tx, keys, lease=lease.id)

    async def postpone(
        self, lease: Lease, messages: Sequence[tuple[ClaimedDelivery, dt.datetime]]
    ) -> None:
        """Give messages of a lease back until the time that stands beside each."""
        if not messages:
            return
        rows = [(message.tenant_id, message.delivery_id, at) for message, at in messages]
        async with self._database.transaction() as tx:
            await queue_messages.postpone_all_tenants(tx, rows, lease=lease.id)
