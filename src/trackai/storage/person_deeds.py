"""What the audit log says of people's requests; the deeds of one subject are one request."""

from collections.abc import Sequence
from uuid import UUID

from trackai.storage.pool import Row, Tx

# What is done for a person; the last one in several deeds.
SEARCH, EXPORT, ERASE = "privacy.search", "privacy.export", "privacy.erase"

# Requests, newest first.
LIST_REQUESTS = """
select subject, min(action) as action, min(actor) as actor, min(at) as at,
  max(details ->> 'why') as why, bool_or(details ? 'left') as over
from audit_logs where tenant_id = $1 and action = any($2::text[])
group by subject order by min(at) desc limit $3
"""

# The deeds of one erasure, oldest first.
LIST_OF_ERASURE = """
select at, actor, details from audit_logs
where tenant_id = $1 and action = $2 and subject = $3 order by at, id
"""


async def list_requests(tx: Tx, *, tenant_id: UUID, limit: int) -> Sequence[Row]:
    """Return the tenant's newest requests of people, none of whom is named."""
    return await tx.fetch(LIST_REQUESTS, tenant_id, [SEARCH, EXPORT, ERASE], limit)


async def list_of_erasure(tx: Tx, *, tenant_id: UUID, erasure_id: UUID) -> Sequence[Row]:
    """Return what an erasure did so far; nothing for one that there is not."""
    return await tx.fetch(LIST_OF_ERASURE, tenant_id, ERASE, str(erasure_id))
