"""What people call what alarms are about, also of what is disconnected or removed meanwhile."""

from uuid import UUID

from trackai.storage.pool import Tx

# A tenant's pixels, and its ways to call somebody.
LIST_SUBJECTS = """
select id, pixel_id as name from destinations where tenant_id = $1
union all select id, name from alarm_routes where tenant_id = $1
"""

# The same of everybody.
LIST_SUBJECTS_ALL_TENANTS = """
select id, pixel_id as name from destinations union all select id, name from alarm_routes
"""


async def list_subjects(tx: Tx, *, tenant_id: UUID) -> dict[str, str]:
    """Return what the subjects of a tenant's alarms are called, where they have names."""
    return {str(row["id"]): row["name"] for row in await tx.fetch(LIST_SUBJECTS, tenant_id)}


async def list_subjects_all_tenants(tx: Tx) -> dict[str, str]:
    """Return the same of everybody's alarms."""
    return {str(row["id"]): row["name"] for row in await tx.fetch(LIST_SUBJECTS_ALL_TENANTS)}
