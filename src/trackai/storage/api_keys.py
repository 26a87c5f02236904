"""Table api_keys: keys of tenants' programs. A key itself is nowhere, its SHA-256 is."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Row, Tx

# A new key.
INSERT_API_KEY = """
insert into api_keys (tenant_id, id, name, beginning, digest, scopes, created_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# Whose key this is, while it is not revoked.
FIND_API_KEY_ALL_TENANTS = """
select tenant_id, id, name, scopes, last_used_at from api_keys
where digest = $1 and revoked_at is null
"""

# When a key was last used; to the minute, which spares writes.
TOUCH_API_KEY = """
update api_keys set last_used_at = $3::timestamptz
where tenant_id = $1 and id = $2
  and (last_used_at is null or last_used_at < $3::timestamptz - interval '1 minute')
"""

# A tenant's keys, newest first.
LIST_API_KEYS = """
select id, name, beginning, scopes, created_at, created_by, last_used_at, revoked_at
from api_keys where tenant_id = $1 order by created_at desc, id desc
"""

# A key that is to open nothing any more.
REVOKE_API_KEY = """
update api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null
"""

# No key of the tenant is to open anything any more.
REVOKE_ALL = "update api_keys set revoked_at = $2 where tenant_id = $1 and revoked_at is null"


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key to store."""

    tenant_id: UUID
    id: UUID
    name: str
    beginning: str
    digest: bytes
    scopes: Sequence[str]
    created_at: dt.datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class KnownApiKey:
    """A key that opens something."""

    tenant_id: UUID
    id: UUID
    name: str
    scopes: frozenset[str]


async def insert_api_key(tx: Tx, key: NewApiKey) -> None:
    """Store a key."""
    await tx.execute(
        INSERT_API_KEY,
        *(key.tenant_id, key.id, key.name, key.beginning, key.digest),
        *(list(key.scopes), key.created_at, key.created_by),
    )


async def find_api_key_all_tenants(
    tx: Tx, digest: bytes, *, now: dt.datetime
) -> KnownApiKey | None:
    """Return the key of this digest unless it is revoked, and note its use."""
    row = await tx.fetch_one(FIND_API_KEY_ALL_TENANTS, digest)
    if row is None:
        return None
    await tx.execute(TOUCH_API_KEY, row["tenant_id"], row["id"], now)
    return KnownApiKey(row["tenant_id"], row["id"], row["name"], frozenset(row["scopes"]))


async def list_api_keys(tx: Tx, *, tenant_id: UUID) -> list[Row]:
    """Return the tenant's keys, newest first."""
    return await tx.fetch(LIST_API_KEYS, tenant_id)


async def revoke_api_key(tx: Tx, *, tenant_id: UUID, key_id: UUID, now: dt.datetime) -> bool:
    """Let a key open nothing any more; False when the tenant has no such key in use."""
    return await tx.execute(REVOKE_API_KEY, tenant_id, key_id, now) == 1


async def revoke_all(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> None:
    """Let none of the tenant's keys open anything from now on."""
    await tx.execute(REVOKE_ALL, tenant_id, now)
