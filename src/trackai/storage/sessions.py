"""Table sessions: browsers that are signed in. What a browser holds is nowhere, its SHA-256 is."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

_COLUMNS = "id, user_id, tenant_id, agent, created_at, last_seen_at"

# A new one.
INSERT_SESSION_ALL_TENANTS = """
insert into sessions (id, digest, user_id, tenant_id, agent, created_at, last_seen_at)
values ($1, $2, $3, $4, $5, $6, $6)
"""

# One that is not over: $2 how long ago it may have begun, $3 how long ago it was last seen.
FIND_SESSION_ALL_TENANTS = f"""
select {_COLUMNS} from sessions
where digest = $1 and revoked_at is null and created_at > $2 and last_seen_at > $3
"""  # noqa: S608 - constant

# It was seen; to the minute, which spares writes.
TOUCH_SESSION_ALL_TENANTS = """
update sessions set last_seen_at = $2::timestamptz
where id = $1 and last_seen_at < $2::timestamptz - interval '1 minute'
"""

# Another tenant's pages are open.
SET_TENANT_ALL_TENANTS = "update sessions set tenant_id = $2 where id = $1"

# Somebody's that are not over, the latest first.
LIST_SESSIONS_ALL_TENANTS = f"""
select {_COLUMNS} from sessions
where user_id = $1 and revoked_at is null and created_at > $2 and last_seen_at > $3
order by last_seen_at desc, id desc
"""  # noqa: S608 - constant

# When somebody last looked at pages of a tenant whose team they are in.
FIND_LAST_OF_MEMBERS_ALL_TENANTS = """
select max(s.last_seen_at) as seen from sessions s
join memberships m on m.user_id = s.user_id and m.tenant_id = s.tenant_id
"""

# One of somebody's is over.
REVOKE_SESSION_ALL_TENANTS = """
update sessions set revoked_at = $3 where user_id = $1 and id = $2 and revoked_at is null
"""

# All of somebody's are, but perhaps one.
REVOKE_OTHERS_ALL_TENANTS = """
update sessions set revoked_at = $3
where user_id = $1 and id is distinct from $2::uuid and revoked_at is null
"""

# Those that were over long ago.
DELETE_OLD_ALL_TENANTS = "delete from sessions where created_at < $1"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: UUID
    user_id: UUID
    tenant_id: UUID | None
    agent: str
    created_at: dt.datetime
    last_seen_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """Since when a session may have begun, and since when it must have been seen."""

    begun_after: dt.datetime
    seen_after: dt.datetime


async def find_last_of_members_all_tenants(tx: Tx) -> dt.datetime | None:
    """Return when a member of any team was last here; None when none ever was."""
    row = await tx.fetch_one(FIND_LAST_OF_MEMBERS_ALL_TENANTS)
    return row["seen"] if row else None


async def insert_session(tx: Tx, session: Session, *, digest: bytes) -> None:
    """Store a new session."""
    await tx.execute(
        INSERT_SESSION_ALL_TENANTS,
        *(session.id, digest, session.user_id, session.tenant_id, session.agent),
        session.created_at,
    )


async def find_session(tx: Tx, digest: bytes, limits: Limits) -> Session | None:
    """Return the session of this digest unless it is over."""
    row = await tx.fetch_one(
        FIND_SESSION_ALL_TENANTS, digest, limits.begun_after, limits.seen_after
    )
    return Session(**row) if row else None


async def touch_session(tx: Tx, *, session_id: UUID, now: dt.datetime) -> None:
    """Note that a session is in use."""
    await tx.execute(TOUCH_SESSION_ALL_TENANTS, session_id, now)


async def set_tenant(tx: Tx, *, session_id: UUID, tenant_id: UUID) -> None:
    """Note whose pages are open."""
    await tx.execute(SET_TENANT_ALL_TENANTS, session_id, tenant_id)


async def list_sessions(tx: Tx, limits: Limits, *, user_id: UUID) -> list[Session]:
    """Return somebody's sessions that are not over, the latest first."""
    values = (user_id, limits.begun_after, limits.seen_after)
    return [Session(**row) for row in await tx.fetch(LIST_SESSIONS_ALL_TENANTS, *values)]


async def revoke_session(tx: Tx, *, user_id: UUID, session_id: UUID, now: dt.datetime) -> bool:
    """End one of somebody's sessions; False when there is none of this id."""
    return await tx.execute(REVOKE_SESSION_ALL_TENANTS, user_id, session_id, now) == 1


async def revoke_others(tx: Tx, *, user_id: UUID, but: UUID | None, now: dt.datetime) -> int:
    """End all of somebody's sessions but perhaps one; return how many."""
    return await tx.execute(REVOKE_OTHERS_ALL_TENANTS, user_id, but, now)


async def delete_old(tx: Tx, *, begun_before: dt.datetime) -> int:
    """Delete sessions that nobody needs to know of any more; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, begun_before)
