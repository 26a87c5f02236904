"""Table half_sessions: browsers whose password was right and whose code is awaited."""

import datetime as dt
from uuid import UUID

from trackai.storage.pool import Tx

# A new one.
INSERT_HALF_ALL_TENANTS = """
insert into half_sessions (digest, user_id, created_at, expires_at) values ($1, $2, $3, $4)
"""

# Whose one is that is not over.
FIND_HALF_ALL_TENANTS = """
select user_id from half_sessions where digest = $1 and expires_at > $2
"""

# It became a whole one; whoever comes second finds nothing.
USE_HALF_ALL_TENANTS = "delete from half_sessions where digest = $1 and expires_at > $2"

# Somebody's are worth nothing any more.
DELETE_OF_USER_ALL_TENANTS = "delete from half_sessions where user_id = $1"

# Those that are over.
DELETE_OLD_ALL_TENANTS = "delete from half_sessions where expires_at < $1"


async def insert_half(
    tx: Tx, *, digest: bytes, user_id: UUID, now: dt.datetime, expires_at: dt.datetime
) -> None:
    """Store that somebody's code is awaited."""
    await tx.execute(INSERT_HALF_ALL_TENANTS, digest, user_id, now, expires_at)


async def find_half(tx: Tx, digest: bytes, *, now: dt.datetime) -> UUID | None:
    """Return whose code is awaited; None when it is over."""
    row = await tx.fetch_one(FIND_HALF_ALL_TENANTS, digest, now)
    return row["user_id"] if row else None


async def use_half(tx: Tx, digest: bytes, *, now: dt.datetime) -> bool:
    """Use it up; False when somebody else just did, or it is over."""
    return await tx.execute(USE_HALF_ALL_TENANTS, digest, now) == 1


async def delete_of_user(tx: Tx, *, user_id: UUID) -> None:
    """Await no code of somebody any more."""
    await tx.execute(DELETE_OF_USER_ALL_TENANTS, user_id)


async def delete_old(tx: Tx, *, expired_before: dt.datetime) -> int:
    """Delete what is over; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, expired_before)
