"""Table audit_logs: who did what to a tenant's things. Only added to, and kept for two years."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from trackai.model.clock import Clock, NewId
from trackai.storage.days import day_of
from trackai.storage.pool import Tx

# One deed.
INSERT_AUDIT = """
insert into audit_logs (tenant_id, id, at, actor, action, subject, details, day, keep_days)
values ($1, $2, $3, $4, $5, $6, $7, $8, 730)
"""

# A tenant's deeds before one of them, newest first.
LIST_AUDIT = """
select id, at, actor, action, subject, details from audit_logs
where tenant_id = $1 and at <= $3 and (at, id) < ($3, $4) order by at desc, id desc limit $2
"""

# What every deed is before.
END = (dt.datetime.max.replace(tzinfo=dt.UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes down what somebody did to a tenant's things, with the commit of what was done."""

    tenant_id: UUID
    actor: str
    clock: Clock
    new_id: NewId

    async def note(
        self, tx: Tx, action: str, subject: object, details: Mapping[str, object] | None = None
    ) -> None:
        """Write one deed down; `details` hold no personal data and no secret."""
        now = self.clock.now()
        await tx.execute(
            INSERT_AUDIT,
            *(self.tenant_id, self.new_id(), now, self.actor, action, str(subject)),
            *(dict(details or {}), day_of(now)),
        )


async def list_audit(
    tx: Tx, *, tenant_id: UUID, limit: int, before: tuple[dt.datetime, UUID] = END
) -> list[dict[str, Any]]:
    """Return the tenant's deeds, newest first; `before`: those before one by its time and id."""
    return [dict(row) for row in await tx.fetch(LIST_AUDIT, tenant_id, limit, *before)]
