"""Table memberships: what somebody is to a tenant."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.model.access import MemberRole
from trackai.storage.pool import Tx

# Somebody joins, or is something else from now on.
SAVE_MEMBERSHIP = """
insert into memberships (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4)
on conflict (tenant_id, user_id) do update set role = excluded.role
"""

# What somebody is to a tenant that is there.
FIND_MEMBERSHIP = """
select m.role, t.name from memberships m join tenants t on t.id = m.tenant_id
where m.tenant_id = $1 and m.user_id = $2 and t.deleted_at is null
"""

# Where somebody may go.
LIST_OF_USER_ALL_TENANTS = """
select m.tenant_id, m.role, t.name from memberships m join tenants t on t.id = m.tenant_id
where m.user_id = $1 and t.deleted_at is null order by t.name, m.tenant_id
"""

# Who is in a tenant's team, longest first; locked, so that two owners cannot both leave.
LIST_TEAM = """
select user_id, role, created_at from memberships where tenant_id = $1
order by created_at, user_id for update
"""

# Somebody leaves.
DELETE_MEMBERSHIP = "delete from memberships where tenant_id = $1 and user_id = $2"

# Every tenant: where a platform operator may go.
LIST_EVERY_ALL_TENANTS = """
select id as tenant_id, name from tenants where deleted_at is null order by name, id limit $1
"""

# A tenant that is there.
FIND_TENANT_NAME = "select name from tenants where id = $1 and deleted_at is null"


@dataclass(frozen=True, slots=True)
class Membership:
    """A tenant, and what somebody is to it."""

    tenant_id: UUID
    tenant_name: str
    role: MemberRole


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a team."""

    user_id: UUID
    role: MemberRole
    since: dt.datetime


async def save_membership(
    tx: Tx, *, tenant_id: UUID, user_id: UUID, role: MemberRole, now: dt.datetime
) -> None:
    """Let somebody be something to a tenant."""
    await tx.execute(SAVE_MEMBERSHIP, tenant_id, user_id, role.value, now)


async def find_membership(tx: Tx, *, tenant_id: UUID, user_id: UUID) -> Membership | None:
    """Return what somebody is to a tenant."""
    row = await tx.fetch_one(FIND_MEMBERSHIP, tenant_id, user_id)
    return Membership(tenant_id, row["name"], MemberRole(row["role"])) if row else None


async def list_of_user(tx: Tx, *, user_id: UUID) -> list[Membership]:
    """Return the tenants that somebody is in, by name."""
    return [
        Membership(row["tenant_id"], row["name"], MemberRole(row["role"]))
        for row in await tx.fetch(LIST_OF_USER_ALL_TENANTS, user_id)
    ]


async def list_team(tx: Tx, *, tenant_id: UUID) -> list[Member]:
    """Return who is in a tenant's team, and keep it as it is until the commit."""
    rows = await tx.fetch(LIST_TEAM, tenant_id)
    return [Member(row["user_id"], MemberRole(row["role"]), row["created_at"]) for row in rows]


async def delete_membership(tx: Tx, *, tenant_id: UUID, user_id: UUID) -> bool:
    """Take somebody out of a team; False when they were not in it."""
    return await tx.execute(DELETE_MEMBERSHIP, tenant_id, user_id) == 1


async def list_every(tx: Tx, *, limit: int = 1000) -> list[Membership]:
    """Return all tenants as a platform operator may enter them: as an owner."""
    rows = await tx.fetch(LIST_EVERY_ALL_TENANTS, limit)
    return [Membership(row["tenant_id"], row["name"], MemberRole.OWNER) for row in rows]


async def find_tenant_name(tx: Tx, *, tenant_id: UUID) -> str | None:
    """Return a tenant's name; None when there is none."""
    row = await tx.fetch_one(FIND_TENANT_NAME, tenant_id)
    return row["name"] if row else None
