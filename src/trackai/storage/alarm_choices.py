"""Tables alarm_silences and alarm_limits: when nobody is called, and other thresholds."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.model.alarm import INSTALLATION, Limits, Silence
from trackai.storage.pool import Row, Tx

_SILENCE = "tenant_id, id, alarm, name, starts_at, ends_at, weekly"

# A new silence.
INSERT_SILENCE = f"""
insert into alarm_silences ({_SILENCE}, why, made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""  # noqa: S608 - constant

# Those that are, or will be.
LOAD_SILENCES_ALL_TENANTS = f"""
select {_SILENCE} from alarm_silences where ended_at is null and (weekly or ends_at > $1)
"""  # noqa: S608 - constant

# The same of a tenant, with who made them and why.
LIST_SILENCES = f"""
select {_SILENCE}, why, made_by, made_at from alarm_silences
where tenant_id = $1 and ended_at is null and (weekly or ends_at > $2) order by starts_at, id
"""  # noqa: S608 - constant

# The same of everybody.
LIST_SILENCES_ALL_TENANTS = f"""
select {_SILENCE}, why, made_by, made_at from alarm_silences
where ended_at is null and (weekly or ends_at > $1) order by starts_at, id
"""  # noqa: S608 - constant

# It is over.
END_SILENCE = """
update alarm_silences set ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null
"""

# Thresholds that somebody chose.
LOAD_LIMITS_ALL_TENANTS = "select tenant_id, alarm, threshold, clear from alarm_limits"

# The same of a tenant, with who chose them.
LIST_LIMITS = """
select alarm, threshold, clear, set_by, set_at from alarm_limits where tenant_id = $1
order by alarm
"""

# A threshold is chosen.
SAVE_LIMITS = """
insert into alarm_limits (tenant_id, alarm, threshold, clear, set_by, set_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, alarm) do update set threshold = excluded.threshold,
  clear = excluded.clear, set_by = excluded.set_by, set_at = excluded.set_at
"""

# The catalogue's counts again.
DELETE_LIMITS = "delete from alarm_limits where tenant_id = $1 and alarm = $2"


async def insert_silence(tx: Tx, silence: Silence, *, why: str, by: str, now: dt.datetime) -> None:
    """Store a silence; without a tenant it is the installation's and covers everybody's alarms."""
    await tx.execute(
        INSERT_SILENCE,
        *(silence.tenant_id or INSTALLATION, silence.id, silence.alarm, silence.name),
        *(silence.starts_at, silence.ends_at, silence.weekly, why, by, now),
    )


async def load_silences_all_tenants(tx: Tx, *, now: dt.datetime) -> list[Silence]:
    """Return the silences that are not over."""
    return [_silence(row) for row in await tx.fetch(LOAD_SILENCES_ALL_TENANTS, now)]


async def list_silences(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> Sequence[Row]:
    """Return a tenant's silences that are not over."""
    return await tx.fetch(LIST_SILENCES, tenant_id, now)


async def list_silences_all_tenants(tx: Tx, *, now: dt.datetime) -> Sequence[Row]:
    """Return everybody's silences that are not over."""
    return await tx.fetch(LIST_SILENCES_ALL_TENANTS, now)


async def end_silence(tx: Tx, *, tenant_id: UUID, silence_id: UUID, now: dt.datetime) -> bool:
    """End a silence; False when the tenant has none of this id that lasts."""
    return await tx.execute(END_SILENCE, tenant_id, silence_id, now) == 1


async def load_limits_all_tenants(tx: Tx) -> dict[tuple[UUID, str], Limits]:
    """Return (tenant, alarm) -> the thresholds that were chosen."""
    return {
        (row["tenant_id"], row["alarm"]): Limits(row["threshold"], row["clear"])
        for row in await tx.fetch(LOAD_LIMITS_ALL_TENANTS)
    }


async def list_limits(tx: Tx, *, tenant_id: UUID) -> Sequence[Row]:
    """Return the thresholds that a tenant chose."""
    return await tx.fetch(LIST_LIMITS, tenant_id)


async def save_limits(
    tx: Tx, alarm: str, limits: Limits, *, tenant_id: UUID, by: str, now: dt.datetime
) -> None:
    """Store a tenant's thresholds of an alarm."""
    await tx.execute(SAVE_LIMITS, tenant_id, alarm, limits.threshold, limits.clear, by, now)


async def delete_limits(tx: Tx, alarm: str, *, tenant_id: UUID) -> bool:
    """Let the catalogue's count again; False when they did."""
    return await tx.execute(DELETE_LIMITS, tenant_id, alarm) == 1


def _silence(row: Row) -> Silence:
    owner = None if row["tenant_id"] == INSTALLATION else row["tenant_id"]
    rest = (row["alarm"], row["name"], row["starts_at"], row["ends_at"], row["weekly"])
    return Silence(row["id"], owner, *rest)
