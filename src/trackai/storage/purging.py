"""Deleting the rows of tenants that are gone, as the role trackai_housekeeping.

Row-level security shows that role the rows of deleted tenants and no others, so that no mistake
here reaches a tenant who is there.
"""

import datetime as dt
from uuid import UUID

from trackai.storage.pool import Tx

# What is deleted, rows that refer to others first. The audit log stays: it says who did this.
TABLES = (
    *("queue_messages", "dispatch_attempts", "deliveries", "replays", "matches"),
    *("match_quality_days", "conversion_notices", "conversions", "identities", "page_events"),
    *("clicks", "webhook_rejections", "webhook_receipts", "erased_people", "token_checks"),
    *("memberships", "one_time_links"),
    *("breakers", "destinations", "gateway_connections", "funnels", "api_keys", "tenant_keys"),
    *("rollup_totals", "rollup_sales", "rollup_campaigns", "rollup_dispatch", "rollup_latency"),
    *("rollup_peaks", "ad_spend", "ad_spend_weeks", "campaigns"),
    *("alarm_calls", "alarm_routes", "alarm_limits", "alarm_silences", "alarm_history"),
    *("alarm_signals", "feature_flags"),
    *("changed_sales", "changed_clicks", "changed_dispatch", "changed_latency"),
)

# The tenant that was deleted first, if long enough ago for every process to have noticed.
FIND_DELETED_ALL_TENANTS = """
select id from tenants where deleted_at <= $1 order by deleted_at, id limit 1
"""

# Some of a tenant's rows, by table.
DELETE_SOME = {
    table: f"""
delete from {table} where tenant_id = $1
  and ctid = any(array(select ctid from {table} where tenant_id = $1 limit $2))
"""  # noqa: S608 - as listed
    for table in TABLES
}

# The tenant itself, when nothing refers to it any more.
DELETE_TENANT = "delete from tenants where id = $1"


async def find_deleted_all_tenants(tx: Tx, *, before: dt.datetime) -> UUID | None:
    """Return a tenant that was deleted before a moment and still has rows, if there is one."""
    row = await tx.fetch_one(FIND_DELETED_ALL_TENANTS, before)
    return row["id"] if row else None


async def delete_some(tx: Tx, table: str, *, tenant_id: UUID, limit: int) -> int:
    """Delete at most about `limit` rows of one of TABLES; return how many."""
    return await tx.execute(DELETE_SOME[table], tenant_id, limit)


async def delete_tenant(tx: Tx, *, tenant_id: UUID) -> None:
    """Delete the tenant's own row."""
    await tx.execute(DELETE_TENANT, tenant_id)
