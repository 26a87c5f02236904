"""Table webhook_rejections: webhooks whose authenticity was not proved, kept for diagnosis."""

import datetime as dt
from uuid import UUID

import msgspec

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.receipts import NewReceipt
from trackai.storage.tenant_keys import know

TABLE = "webhook_rejections"

# Most rejections kept for one connection and form of address: a flood must not fill the disk.
KEPT = 200

# Keep one rejection.
INSERT_REJECTION = """
insert into webhook_rejections (tenant_id, id, connection_id, gateway, received_at, expires_at,
  reason, body_sealed, request_sealed, keyless)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# Drop all but the newest of a connection and form of address.
DELETE_OLDER = """
delete from webhook_rejections
where tenant_id = $1 and connection_id = $2 and keyless = $3 and id in (
  select id from webhook_rejections
  where tenant_id = $1 and connection_id = $2 and keyless = $3
  order by received_at desc, id desc offset $4
)
"""

# A tenant's rejections, newest first.
LIST_REJECTIONS = """
select id, connection_id, gateway, received_at, reason from webhook_rejections
where tenant_id = $1 order by received_at desc limit $2
"""

# Drop what has been kept long enough.
DELETE_EXPIRED_ALL_TENANTS = "delete from webhook_rejections where expires_at <= $1"


async def insert_rejection(
    tx: Tx,
    envelope: Envelope,
    receipt: NewReceipt,
    *,
    reason: str,
    keyless: bool,
    expires_at: dt.datetime,
) -> None:
    """Keep a webhook that failed its proof; beyond KEPT the oldest goes.

    `keyless`: it named its tenant by header, not by an address with a key.
    """
    await know(tx, envelope, (receipt.tenant_id,))
    tenant_id = receipt.tenant_id
    request = msgspec.msgpack.encode(receipt.request)
    await tx.execute(
        INSERT_REJECTION,
        tenant_id,
        receipt.id,
        receipt.connection_id,
        receipt.gateway,
        receipt.received_at,
        expires_at,
        reason,
        envelope.seal(receipt.body, table=TABLE, tenant_id=tenant_id),
        envelope.seal(request, table=TABLE, tenant_id=tenant_id),
        keyless,
    )
    await tx.execute(DELETE_OLDER, tenant_id, receipt.connection_id, keyless, KEPT)


async def list_rejections(tx: Tx, *, tenant_id: UUID, limit: int) -> list[dict[str, object]]:
    """Return the tenant's rejections, newest first, without bodies."""
    return [dict(row) for row in await tx.fetch(LIST_REJECTIONS, tenant_id, limit)]


async def delete_expired_all_tenants(tx: Tx, *, now: dt.datetime) -> int:
    """Drop rejections whose day is over; return how many."""
    return await tx.execute(DELETE_EXPIRED_ALL_TENANTS, now)
