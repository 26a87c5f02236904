"""Table webhook_rejections: webhooks whose authenticity was not proved, kept for diagnosis."""

import datetime as dt
from uuid import UUID

import msgspec

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.receipts import NewReceipt

TABLE = "webhook_rejections"

# Most rejections kept for one connection: a flood of forgeries must not fill the disk.
KEPT_PER_CONNECTION = 200

# Keep one rejection while the connection has few enough.
INSERT_REJECTION = """
insert into webhook_rejections (tenant_id, id, connection_id, gateway, received_at, expires_at,
  reason, body_sealed, request_sealed)
select $1, $2, $3, $4, $5, $6, $7, $8, $9
where (select count(*) from (
  select from webhook_rejections where tenant_id = $1 and connection_id = $3 limit $10
) as kept) < $10
"""

# A tenant's rejections, newest first.
LIST_REJECTIONS = """
select id, connection_id, gateway, received_at, reason from webhook_rejections
where tenant_id = $1 order by received_at desc limit $2
"""

# Drop what has been kept long enough.
DELETE_EXPIRED_ALL_TENANTS = "delete from webhook_rejections where expires_at <= $1"


async def insert_rejection(
    tx: Tx, envelope: Envelope, receipt: NewReceipt, *, reason: str, expires_at: dt.datetime
) -> None:
    """Keep a webhook that failed its proof; over the bound of its connection it is dropped."""
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
        KEPT_PER_CONNECTION,
    )


async def list_rejections(tx: Tx, *, tenant_id: UUID, limit: int) -> list[dict[str, object]]:
    """Return the tenant's rejections, newest first, without bodies."""
    return [dict(row) for row in await tx.fetch(LIST_REJECTIONS, tenant_id, limit)]


async def delete_expired_all_tenants(tx: Tx, *, now: dt.datetime) -> int:
    """Drop rejections whose day is over; return how many."""
    return await tx.execute(DELETE_EXPIRED_ALL_TENANTS, now)
