"""Sealing secrets again, and counting what is still sealed by the installation's keys themselves.

That is what was stored before tenants had keys: an envelope of version 1.
"""

from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.tenant_keys import know

# Secrets stay for as long as they are used; other rows go with their time.
SECRETS = (("gateway_connections", "secrets_sealed"), ("destinations", "token_sealed"))
OTHERS = (
    *(("clicks", "visitor_sealed"), ("webhook_receipts", "body_sealed")),
    *(("webhook_rejections", "body_sealed"), ("conversions", "buyer_sealed")),
    ("conversion_notices", "notice_sealed"),
)

_IS_OLD = "substring({column} from 1 for 1) = '\\x01'"

# A tenant's secrets that are sealed by a key of the installation, by table.
LIST_OLD = {
    table: f"""
select id, {column} as sealed from {table}
where tenant_id = $1 and {_IS_OLD.format(column=column)} for update
"""  # noqa: S608 - as listed
    for table, column in SECRETS
}

# One of them, sealed by the tenant's key, by table.
RESEAL = {
    table: f"update {table} set {column} = $3 where tenant_id = $1 and id = $2"  # noqa: S608
    for table, column in SECRETS
}

# How many rows of a tenant are still sealed by a key of the installation, by table.
COUNT_OLD = {
    table: f"""
select count(*) as number from {table}
where tenant_id = $1 and {_IS_OLD.format(column=column)}
"""  # noqa: S608 - as listed
    for table, column in (*SECRETS, *OTHERS)
}


async def reseal_secrets(tx: Tx, envelope: Envelope, *, tenant_id: UUID) -> int:
    """Seal the tenant's secrets by the tenant's key; return how many were not."""
    await know(tx, envelope, (tenant_id,))
    number = 0
    for table, _ in SECRETS:
        for row in await tx.fetch(LIST_OLD[table], tenant_id):
            plain = envelope.open(row["sealed"], table=table, tenant_id=tenant_id)
            sealed = envelope.seal(plain, table=table, tenant_id=tenant_id)
            number += await tx.execute(RESEAL[table], tenant_id, row["id"], sealed)
    return number


async def count_old(tx: Tx, *, tenant_id: UUID) -> dict[str, int]:
    """Return how many rows of each table are sealed by a key of the installation."""
    counted = {}
    for table, statement in COUNT_OLD.items():
        (row,) = await tx.fetch(statement, tenant_id)
        counted[table] = row["number"]
    return counted
