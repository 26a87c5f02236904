"""Rotating the installation's key: tenants' keys are wrapped again, secrets sealed again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.storage import alarms_key, resealing, tenant_keys, users_key
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database


@dataclass
class Rekeyed:
    """What was done, and what older keys are still needed for."""

    wrapped: int = 0  # tenants' keys
    resealed: int = 0  # secrets and tokens
    old_rows: Counter[str] = field(default_factory=Counter)  # by table


async def rekey(database: Database, envelope: Envelope, tenant_ids: Sequence[UUID]) -> Rekeyed:
    """Wrap and seal again, a tenant a transaction; doing it twice changes nothing more."""
    done = Rekeyed()
    for tenant_id in tenant_ids:
        async with database.transaction(tenant_id=tenant_id) as tx:
            done.wrapped += await tenant_keys.rewrap(tx, envelope, tenant_id=tenant_id)
            done.resealed += await resealing.reseal_secrets(tx, envelope, tenant_id=tenant_id)
            done.old_rows.update(await resealing.count_old(tx, tenant_id=tenant_id))
    return done


async def rekey_users(database: Database, envelope: Envelope) -> bool:
    """Wrap the key of users' data again, as the role that may; False when it is already."""
    async with database.transaction() as tx:
        return await users_key.rewrap_all_tenants(tx, envelope)


async def rekey_alarms(database: Database, envelope: Envelope) -> bool:
    """Wrap the key of the installation's alarm routes again, likewise."""
    async with database.transaction() as tx:
        return await alarms_key.rewrap_all_tenants(tx, envelope)
