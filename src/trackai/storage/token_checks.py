"""Table token_checks: what platforms said of destinations' tokens, and when to ask again."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Destinations that were never asked about are due.
ENSURE_ALL_TENANTS = """
insert into token_checks (tenant_id, destination_id, due_at)
select tenant_id, id, $1 from destinations where disabled_at is null on conflict do nothing
"""

# Some that are due, taken for a while: a worker that dies gives them back.
CLAIM_DUE_ALL_TENANTS = """
update token_checks t set due_at = $2
from (
  select c.tenant_id, c.destination_id from token_checks c
  join destinations d on d.tenant_id = c.tenant_id and d.id = c.destination_id
  where c.due_at <= $1 and d.disabled_at is null
  order by c.due_at limit $3 for update of c skip locked
) as due
where t.tenant_id = due.tenant_id and t.destination_id = due.destination_id
returning t.tenant_id, t.destination_id, t.valid, t.expires_at
"""

# What a platform said.
RECORD_CHECK = """
insert into token_checks as t (tenant_id, destination_id, due_at, checked_at, valid, found,
  expires_at, state, scopes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, destination_id) do update
  set due_at = excluded.due_at, checked_at = excluded.checked_at, valid = excluded.valid,
    found = excluded.found, expires_at = excluded.expires_at, state = excluded.state,
    scopes = excluded.scopes
"""

# A new token: nothing is known of it.
FORGET_CHECK = """
update token_checks set due_at = $3, checked_at = null, valid = null, found = null,
  expires_at = null, state = null, scopes = '{}'
where tenant_id = $1 and destination_id = $2
"""

# What is known of a tenant's tokens.
LIST_CHECKS = """
select destination_id, checked_at, valid, found, expires_at, state, scopes from token_checks
where tenant_id = $1
"""

# How the installation's tokens stand.
COUNT_CHECKS_ALL_TENANTS = """
select case when t.valid is null then 'unknown' when not t.valid then 'refused'
  when t.expires_at <= $1 then 'expiring' else 'valid' end as state, count(*) as number
from token_checks t
join destinations d on d.tenant_id = t.tenant_id and d.id = t.destination_id
where d.disabled_at is null group by 1
"""


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What was found when, and when to look again; `found` holds no token."""

    due_at: dt.datetime
    checked_at: dt.datetime
    valid: bool | None
    found: str
    expires_at: dt.datetime | None
    state: str  # one of destinations.port.TokenState
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A token to ask about, and what was known of it."""

    tenant_id: UUID
    destination_id: UUID
    valid: bool | None
    expires_at: dt.datetime | None


async def claim_due_all_tenants(
    tx: Tx, *, now: dt.datetime, until: dt.datetime, limit: int
) -> Sequence[DueCheck]:
    """Take tokens whose check is due; they are due again at `until` when nothing is recorded."""
    await tx.execute(ENSURE_ALL_TENANTS, now)
    rows = await tx.fetch(CLAIM_DUE_ALL_TENANTS, now, until, limit)
    return [DueCheck(**dict(row)) for row in rows]


async def record_check(tx: Tx, check: TokenCheck, *, tenant_id: UUID, destination_id: UUID) -> None:
    """Store what was found."""
    await tx.execute(
        RECORD_CHECK,
        *(tenant_id, destination_id, check.due_at, check.checked_at),
        *(check.valid, check.found, check.expires_at, check.state, list(check.scopes)),
    )


async def forget_check(tx: Tx, *, tenant_id: UUID, destination_id: UUID, now: dt.datetime) -> None:
    """Know nothing of a destination's token, and ask soon."""
    await tx.execute(FORGET_CHECK, tenant_id, destination_id, now)


async def list_checks(tx: Tx, *, tenant_id: UUID) -> dict[UUID, Row]:
    """Return destination id -> what is known of its token."""
    rows = await tx.fetch(LIST_CHECKS, tenant_id)
    return {row["destination_id"]: row for row in rows}


async def count_checks_all_tenants(tx: Tx, *, soon: dt.datetime) -> dict[str, int]:
    """Return state -> tokens; "expiring" are those that end before `soon`."""
    rows = await tx.fetch(COUNT_CHECKS_ALL_TENANTS, soon)
    return {row["state"]: row["number"] for row in rows}
