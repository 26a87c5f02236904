"""Table tenant_keys: a tenant's encryption key, wrapped by the installation's key.

Deleting a row shreds what the tenant has sealed: nobody can open it again.
"""

import contextlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from trackai.errors import InvariantBroken
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx, columns

# Keys of these tenants.
LIST_KEYS_ALL_TENANTS = """
select tenant_id, wrapped from tenant_keys where tenant_id = any($1::uuid[])
"""

# Keys of all tenants, the latest first.
LIST_EVERY_KEY_ALL_TENANTS = """
select tenant_id, wrapped from tenant_keys order by created_at desc, tenant_id limit $1
"""

# Tenants without a key: those from before tenants had keys.
LIST_KEYLESS_ALL_TENANTS = """
select t.id from tenants t
where t.deleted_at is null and not exists (select from tenant_keys k where k.tenant_id = t.id)
"""

# A tenant's key; one that somebody else made meanwhile stays.
INSERT_KEYS = """
insert into tenant_keys (tenant_id, wrapped, created_at)
select tenant_id, wrapped, now() from unnest($1::uuid[], $2::bytea[]) as new (tenant_id, wrapped)
on conflict (tenant_id) do nothing
"""

# The same key under another wrapping, if nobody has changed it meanwhile.
REWRAP_KEY = "update tenant_keys set wrapped = $3 where tenant_id = $1 and wrapped = $2"

# The end of everything that the tenant has sealed.
DELETE_KEY = "delete from tenant_keys where tenant_id = $1"


async def know(tx: Tx, envelope: Envelope, tenant_ids: Iterable[UUID]) -> None:
    """Have the envelope learn these tenants' keys. No statement when all are known already.

    A key that does not unwrap, or was deleted with its tenant, stays unknown: what is sealed with
    it raises InvariantBroken where it is opened.
    """
    missing = envelope.unknown(tenant_ids)
    if missing:
        _learn(envelope, await tx.fetch(LIST_KEYS_ALL_TENANTS, list(missing)))


async def know_all_tenants(tx: Tx, envelope: Envelope, *, limit: int) -> None:
    """Have the envelope learn the keys of all tenants that have one."""
    _learn(envelope, await tx.fetch(LIST_EVERY_KEY_ALL_TENANTS, limit))


async def make(tx: Tx, envelope: Envelope, tenant_ids: Sequence[UUID]) -> None:
    """Make keys for new tenants.

    They are learned from what is committed: a key that is used and then rolled back would make
    what it sealed unreadable.
    """
    rows = [(tenant_id, envelope.new_wrapped(tenant_id)) for tenant_id in tenant_ids]
    await tx.execute(INSERT_KEYS, *columns(rows))


async def make_missing_all_tenants(tx: Tx, envelope: Envelope) -> int:
    """Make keys for tenants from before tenants had keys; return how many."""
    keyless = [row["id"] for row in await tx.fetch(LIST_KEYLESS_ALL_TENANTS)]
    if keyless:
        await make(tx, envelope, keyless)
    return len(keyless)


async def check_newest_all_tenants(tx: Tx, envelope: Envelope) -> bool:
    """Unwrap the key that was made last; False when there is none, InvariantBroken if it fails."""
    for row in await tx.fetch(LIST_EVERY_KEY_ALL_TENANTS, 1):
        envelope.learn(row["tenant_id"], row["wrapped"])
        return True
    return False


async def rewrap(tx: Tx, envelope: Envelope, *, tenant_id: UUID) -> bool:
    """Wrap a tenant's key by the installation's first key; False when it is already."""
    for row in await tx.fetch(LIST_KEYS_ALL_TENANTS, [tenant_id]):
        fresh = envelope.rewrap(tenant_id, row["wrapped"])
        if fresh is not None:
            return await tx.execute(REWRAP_KEY, tenant_id, row["wrapped"], fresh) == 1
    return False


async def shred(tx: Tx, envelope: Envelope, *, tenant_id: UUID) -> None:
    """Delete a tenant's key: from the commit on nobody opens what the tenant has sealed."""
    await tx.execute(DELETE_KEY, tenant_id)
    envelope.forget(tenant_id)


def _learn(envelope: Envelope, rows: Sequence[Row]) -> None:
    for row in rows:
        with contextlib.suppress(InvariantBroken):
            envelope.learn(row["tenant_id"], row["wrapped"])
