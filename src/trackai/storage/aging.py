"""Rows whose time is over and that stand in no partition: identities go, sales are to be emptied.

And rows that were stored while their tenant kept them longer or shorter than now: they move. Works
as the role trackai_housekeeping, which row-level security shows these rows alone, and as people's.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.partitions import OF_TENANTS
from trackai.storage.pool import Tx

# Some identities that are older than their tenant keeps them.
DELETE_IDENTITIES = """
delete from identities where tenant_id = $1 and ctid = any(array(
  select ctid from identities where tenant_id = $1 and seen_at < $2 limit $3))
"""

# Sales of which nothing was heard for longer than the tenant keeps whose they were.
LIST_AGED_SALES = """
select id from conversions
where tenant_id = $1 and updated_at < $2 and erased_at is null order by updated_at limit $3
"""

# Tenants and how long they keep their rows.
LIST_KEEPING_ALL_TENANTS = """
select id as tenant_id, keep_days, keep_changed_at from tenants where deleted_at is null order by id
"""

# All rows of the tenant are stored as it keeps them now.
SET_SETTLED = """
update tenants set keep_changed_at = null where id = $1 and keep_changed_at = $2
"""

# Some rows of another class that even the present one does not keep, by table.
DELETE_OVER = {
    table: f"""
delete from {table} where tenant_id = $1 and ctid = any(array(
  select ctid from {table} where tenant_id = $1 and keep_days <> $2 and day <= $3 limit $4))
  and keep_days <> $2 and day <= $3
"""  # noqa: S608 - as listed
    for table in OF_TENANTS
}

# Some rows of another class, into the present one, by table.
MOVE = {
    table: f"""
update {table} set keep_days = $2 where tenant_id = $1 and ctid = any(array(
  select ctid from {table} where tenant_id = $1 and keep_days <> $2 limit $3))
  and keep_days <> $2
"""  # noqa: S608 - as listed
    for table in OF_TENANTS
}


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a tenant keeps its rows, in days; and since when, if some stand elsewhere."""

    tenant_id: UUID
    keep_days: int
    keep_changed_at: dt.datetime | None


async def list_keeping_all_tenants(tx: Tx) -> list[Keeping]:
    """Return all tenants."""
    return [Keeping(**dict(row)) for row in await tx.fetch(LIST_KEEPING_ALL_TENANTS)]


async def delete_identities(tx: Tx, *, tenant_id: UUID, before: dt.datetime, limit: int) -> int:
    """Delete identities seen before a moment that the tenant keeps no longer; return how many."""
    return await tx.execute(DELETE_IDENTITIES, tenant_id, before, limit)


async def list_aged_sales(
    tx: Tx, *, tenant_id: UUID, before: dt.datetime, limit: int
) -> Sequence[UUID]:
    """Return ids of sales that were last heard of before a moment and still name their buyer."""
    return [row["id"] for row in await tx.fetch(LIST_AGED_SALES, tenant_id, before, limit)]


async def resettle(
    tx: Tx, table: str, *, tenant_id: UUID, keep_days: int, today: dt.date, limit: int
) -> int:
    """Delete or move some rows of a table that stand in another class; return how many."""
    last = today - dt.timedelta(days=keep_days)
    gone = await tx.execute(DELETE_OVER[table], tenant_id, keep_days, last, limit)
    return gone or await tx.execute(MOVE[table], tenant_id, keep_days, limit)


async def set_settled(tx: Tx, tenant: Keeping) -> None:
    """Note that all rows of the tenant stand where they belong, unless it has changed again."""
    await tx.execute(SET_SETTLED, tenant.tenant_id, tenant.keep_changed_at)
