"""The end of a tenant: from its commit on nobody reads what they sealed, and nothing is sent.

The rows follow in batches (housekeeping/purge.py). A backup from before holds the wrapped key:
it is gone when the backup is.
"""

from uuid import UUID

from trackai.errors import UnknownTenant
from trackai.model.clock import Clock, NewId
from trackai.storage import api_keys, gateway_connections, receipts, tenant_keys, tenants
from trackai.storage.audit_logs import Scribe
from trackai.storage.deliveries import bury_of_destination
from trackai.storage.destinations import disable_destination, list_destination_ids
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database

# Why deliveries of a tenant that is gone are dead.
DELETED = "tenant_deleted"


async def close_tenant(
    database: Database, envelope: Envelope, clock: Clock, new_id: NewId, *, tenant_id: UUID, by: str
) -> None:
    """Delete a tenant for good; UnknownTenant when there is none of this id."""
    now = clock.now()
    async with database.transaction(tenant_id=tenant_id) as tx:
        if not await tenants.mark_deleted(tx, tenant_id=tenant_id, now=now):
            raise UnknownTenant("There is no such tenant. List them: trackai tenant list")
        await tenant_keys.shred(tx, envelope, tenant_id=tenant_id)
        await api_keys.revoke_all(tx, tenant_id=tenant_id, now=now)
        await gateway_connections.disable_all(tx, tenant_id=tenant_id, now=now)
        await receipts.stop_all(tx, tenant_id=tenant_id)
        for destination_id in await list_destination_ids(tx, tenant_id=tenant_id):
            pixel = {"tenant_id": tenant_id, "destination_id": destination_id}
            await disable_destination(tx, **pixel, now=now)
            await bury_of_destination(tx, **pixel, reason=DELETED, now=now)
        await Scribe(tenant_id, by, clock, new_id).note(tx, "tenant.delete", tenant_id)
