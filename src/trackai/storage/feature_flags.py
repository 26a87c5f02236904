"""Table feature_flags: what was said of flags, for everybody (tenant INSTALLATION) or a tenant."""

import datetime as dt
from uuid import UUID

from trackai.model.flag import FlagSet, OffMode, Rule
from trackai.storage.pool import Row, Tx

_FLAG = "tenant_id, key, percent, off_mode, killed, set_by, set_at"

# Everything that was said of flags.
LIST_FLAGS_ALL_TENANTS = f"select {_FLAG} from feature_flags order by key, tenant_id"  # noqa: S608 - constant

# The same of one tenant, or of the installation for everybody.
LIST_FLAGS = f"select {_FLAG} from feature_flags where tenant_id = $1 order by key"  # noqa: S608 - constant

# One of them, held until the commit: what it said before is written down.
LOCK_FLAG = f"""
select {_FLAG} from feature_flags where tenant_id = $1 and key = $2 for update
"""  # noqa: S608 - constant

# Something is said of a flag.
SAVE_FLAG = """
insert into feature_flags (tenant_id, key, percent, off_mode, killed, set_by, set_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, key) do update set percent = excluded.percent,
  off_mode = excluded.off_mode, killed = excluded.killed, set_by = excluded.set_by,
  set_at = excluded.set_at
"""

# Nothing is said of it any more.
DELETE_FLAG = "delete from feature_flags where tenant_id = $1 and key = $2"


async def list_flags_all_tenants(tx: Tx) -> list[FlagSet]:
    """Return every rule that somebody set, with when and by whom."""
    return [_flag(row) for row in await tx.fetch(LIST_FLAGS_ALL_TENANTS)]


async def list_flags(tx: Tx, *, tenant_id: UUID) -> list[FlagSet]:
    """Return a tenant's own rules, or everybody's."""
    return [_flag(row) for row in await tx.fetch(LIST_FLAGS, tenant_id)]


async def lock_flag(tx: Tx, key: str, *, tenant_id: UUID) -> FlagSet | None:
    """Return a rule that nobody else changes meanwhile."""
    row = await tx.fetch_one(LOCK_FLAG, tenant_id, key)
    return _flag(row) if row else None


async def save_flag(
    tx: Tx, key: str, rule: Rule, *, tenant_id: UUID, by: str, now: dt.datetime
) -> None:
    """Store a rule."""
    said = (rule.percent, rule.off_mode.value, rule.killed)
    await tx.execute(SAVE_FLAG, tenant_id, key, *said, by, now)


async def delete_flag(tx: Tx, key: str, *, tenant_id: UUID) -> bool:
    """Forget a rule; False when there was none."""
    return await tx.execute(DELETE_FLAG, tenant_id, key) == 1


def _flag(row: Row) -> FlagSet:
    rule = Rule(row["percent"], OffMode(row["off_mode"]), row["killed"])
    return FlagSet(row["tenant_id"], row["key"], rule, row["set_by"], row["set_at"])
