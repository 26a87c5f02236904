"""Table audit_logs: who did what to a tenant's things. Only added to."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# One deed.
INSERT_AUDIT = """
insert into audit_logs (tenant_id, id, at, actor, action, subject, details)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# A tenant's deeds, newest first.
LIST_AUDIT = """
select at, actor, action, subject, details from audit_logs
where tenant_id = $1 order by at desc, id desc limit $2
"""


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did; `details` hold no personal data and no secret."""

    tenant_id: UUID
    id: UUID
    at: dt.datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, object]


async def insert_audit(tx: Tx, deed: Deed) -> None:
    """Write a deed down, with the commit of what was done."""
    await tx.execute(
        INSERT_AUDIT,
        *(deed.tenant_id, deed.id, deed.at, deed.actor, deed.action, deed.subject),
        dict(deed.details),
    )


async def list_audit(tx: Tx, *, tenant_id: UUID, limit: int) -> list[dict[str, object]]:
    """Return the tenant's deeds, newest first."""
    return [dict(row) for row in await tx.fetch(LIST_AUDIT, tenant_id, limit)]
