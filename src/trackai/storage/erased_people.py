"""Table erased_people: who asked to be erased, by keyed digests that name nobody by themselves."""

import datetime as dt
from collections.abc import Collection, Iterable
from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx

# Whoever takes receipts in holds this together with others, whoever erases holds it alone: a
# receipt either sees that its person was erased, or is stored before the search for their rows.
_LOCK = "hashtextextended('erased:' || $1::uuid::text, 0)"

# Until the commit, nobody is added to the tenant's erased people.
LOCK_SHARED = f"select pg_advisory_xact_lock_shared({_LOCK})"

# Until the commit, no receipt of the tenant is worked on.
LOCK_ALONE = f"select pg_advisory_xact_lock({_LOCK})"

# Whether the tenant has erased anybody.
FIND_ANYBODY = "select exists (select from erased_people where tenant_id = $1) as known"

# Which of these were erased.
FIND_AMONG = "select key from erased_people where tenant_id = $1 and key = any($2::bytea[])"

# Somebody asked; the first time counts.
INSERT_ERASED = """
insert into erased_people (tenant_id, key, erased_at)
select $1, key, $3 from unnest($2::bytea[]) as asked (key)
on conflict (tenant_id, key) do nothing
"""


def digests(envelope: Envelope, tenant_id: UUID, keys: Iterable[bytes]) -> list[bytes]:
    """Return the tenant's keyed digests of hashed e-mails and phones, in one order."""
    return sorted(
        envelope.digest(b"erased person\x00" + key, tenant_id=tenant_id) for key in set(keys)
    )


def old_digests(envelope: Envelope, tenant_id: UUID, keys: Iterable[bytes]) -> list[bytes]:
    """Return the digests of the same as they were stored before tenants had keys."""
    return [envelope.old_digest(b"erased person\x00" + tenant_id.bytes + key) for key in set(keys)]


async def lock_shared(tx: Tx, *, tenant_id: UUID) -> None:
    """Make an erasure that begins wait until this transaction ends."""
    await tx.fetch(LOCK_SHARED, tenant_id)


async def lock_alone(tx: Tx, *, tenant_id: UUID) -> None:
    """Wait for receipts that are worked on, and let no other begin until the commit."""
    await tx.fetch(LOCK_ALONE, tenant_id)


async def has_anybody(tx: Tx, *, tenant_id: UUID) -> bool:
    """Tell whether the tenant has erased anybody at all."""
    (row,) = await tx.fetch(FIND_ANYBODY, tenant_id)
    known: bool = row["known"]
    return known


async def is_any_erased(tx: Tx, *, tenant_id: UUID, among: Collection[bytes]) -> bool:
    """Tell whether any of these digests is of somebody who was erased."""
    if not among:
        return False
    return bool(await tx.fetch(FIND_AMONG, tenant_id, list(among)))


async def insert_erased(
    tx: Tx, *, tenant_id: UUID, keys: Collection[bytes], now: dt.datetime
) -> int:
    """Note whom nobody may bring back; return how many were not noted before."""
    return await tx.execute(INSERT_ERASED, tenant_id, list(keys), now)
