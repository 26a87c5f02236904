"""Proves that the embedded queue hands out and lets go, with a message that is never committed."""

import datetime as dt
from contextlib import suppress

from trackai.model.clock import NewId
from trackai.storage import health, queue_messages
from trackai.storage.pool import Database, Tx
from trackai.storage.queue_messages import QueuedDelivery, Share


class _Undo(Exception):
    """Ends the transaction without a trace."""


async def probe(database: Database, *, now: dt.datetime, new_id: NewId) -> bool:
    """Post a message, lease it and acknowledge it as workers do; nobody else sees it."""
    well = False
    with suppress(_Undo):
        async with database.transaction() as tx:
            well = await _try(tx, now, new_id)
            raise _Undo
    return well


async def _try(tx: Tx, now: dt.datetime, new_id: NewId) -> bool:
    # No tenant has such an id.
    message = QueuedDelivery(new_id(), new_id(), new_id(), now)
    others = [one.destination_id for one in await health.count_queued_all_tenants(tx, now=now)]
    await queue_messages.enqueue(tx, [message])
    lease, until = new_id(), now + dt.timedelta(minutes=2)
    claimed = await queue_messages.claim_all_tenants(
        tx, now=now, lease=lease, lease_until=until, share=Share(1, 1, others)
    )
    keys = [(one.tenant_id, one.delivery_id) for one in claimed]
    done = await queue_messages.acknowledge_all_tenants(tx, keys, lease=lease)
    return keys == [(message.tenant_id, message.delivery_id)] and done == 1
