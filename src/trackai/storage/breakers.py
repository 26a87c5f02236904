"""Tables breakers and host_breakers: what every worker must know of a destination and its host."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Row, Tx

# Breakers of these destinations that are not as good as new.
LOAD_BREAKERS_ALL_TENANTS = """
select b.tenant_id, b.destination_id, b.state, b.failures, b.openings, b.reason, b.since,
  b.retry_at, b.paused_until
from unnest($1::uuid[], $2::uuid[]) as wanted (tenant_id, destination_id)
join breakers b using (tenant_id, destination_id)
"""

# Breakers of these hosts.
LOAD_HOST_BREAKERS_ALL_TENANTS = """
select host, state, failures, openings, reason, since, retry_at, paused_until, blamed
from host_breakers where host = any($1::text[])
"""

# One destination's breaker, ours until the transaction ends.
LOCK_BREAKER = """
select state, failures, openings, reason, since, retry_at, paused_until
from breakers where tenant_id = $1 and destination_id = $2 for update
"""

# One host's breaker, ours until the transaction ends.
LOCK_HOST_BREAKER_ALL_TENANTS = """
select state, failures, openings, reason, since, retry_at, paused_until, blamed
from host_breakers where host = $1 for update
"""

# A row to lock.
ENSURE_BREAKER = """
insert into breakers (tenant_id, destination_id, state, failures, openings, since)
values ($1, $2, 'closed', 0, 0, $3) on conflict do nothing
"""

# A row to lock.
ENSURE_HOST_BREAKER_ALL_TENANTS = """
insert into host_breakers (host, state, failures, openings, since)
values ($1, 'closed', 0, 0, $2) on conflict do nothing
"""

# Where a destination's breaker stands now.
UPDATE_BREAKER = """
update breakers set state = $3, failures = $4, openings = $5, reason = $6, since = $7,
  retry_at = $8, paused_until = $9
where tenant_id = $1 and destination_id = $2
"""

# Where a host's breaker stands now.
UPDATE_HOST_BREAKER_ALL_TENANTS = """
update host_breakers set state = $2, failures = $3, openings = $4, reason = $5, since = $6,
  retry_at = $7, paused_until = $8, blamed = $9
where host = $1
"""

# Breakers that hold deliveries back, with what they hold.
LIST_OPEN_ALL_TENANTS = """
select b.tenant_id, b.destination_id, d.pixel_id, b.state, b.reason, b.since, b.retry_at,
  (select count(*) from queue_messages q
   where q.tenant_id = b.tenant_id and q.destination_id = b.destination_id) as waiting
from breakers b join destinations d on d.tenant_id = b.tenant_id and d.id = b.destination_id
where b.state <> 'closed' and d.disabled_at is null order by b.since
"""

# A tenant's pixels whose breaker holds deliveries back.
LIST_OPEN = """
select d.pixel_id, b.state, b.reason, b.since, b.retry_at
from breakers b join destinations d on d.tenant_id = b.tenant_id and d.id = b.destination_id
where b.tenant_id = $1 and b.state <> 'closed' and d.disabled_at is null order by b.since
"""

# Hosts whose breaker holds deliveries back.
LIST_OPEN_HOSTS_ALL_TENANTS = """
select host, state, reason, since, retry_at from host_breakers
where state <> 'closed' order by since
"""

# Close a destination's breaker: what it was opened for has been mended.
CLOSE_BREAKER = """
update breakers set state = 'closed', failures = 0, openings = 0, reason = null, since = $3,
  retry_at = null, paused_until = null
where tenant_id = $1 and destination_id = $2
"""


@dataclass(frozen=True, slots=True)
class StoredBreaker:
    """A breaker's row; the words are those of dispatch/breaker.py."""

    state: str
    failures: int
    openings: int
    reason: str | None
    since: dt.datetime
    retry_at: dt.datetime | None
    paused_until: dt.datetime | None
    blamed: tuple[UUID, ...] = ()


async def load_breakers_all_tenants(
    tx: Tx, wanted: Sequence[tuple[UUID, UUID]]
) -> dict[UUID, StoredBreaker]:
    """Return destination id -> breaker for these (tenant, destination) pairs that have one."""
    rows = await tx.fetch(
        LOAD_BREAKERS_ALL_TENANTS,
        [tenant_id for tenant_id, _ in wanted],
        [destination_id for _, destination_id in wanted],
    )
    return {row["destination_id"]: _breaker(row) for row in rows}


async def load_host_breakers_all_tenants(tx: Tx, hosts: Sequence[str]) -> dict[str, StoredBreaker]:
    """Return host -> breaker for those of these hosts that have one."""
    rows = await tx.fetch(LOAD_HOST_BREAKERS_ALL_TENANTS, list(hosts))
    return {row["host"]: _breaker(row) for row in rows}


async def lock_breaker(
    tx: Tx, *, tenant_id: UUID, destination_id: UUID, now: dt.datetime
) -> StoredBreaker:
    """Return a destination's breaker, locked; made when there was none."""
    await tx.execute(ENSURE_BREAKER, tenant_id, destination_id, now)
    (row,) = await tx.fetch(LOCK_BREAKER, tenant_id, destination_id)
    return _breaker(row)


async def lock_host_breaker_all_tenants(tx: Tx, host: str, *, now: dt.datetime) -> StoredBreaker:
    """Return a host's breaker, locked; made when there was none."""
    await tx.execute(ENSURE_HOST_BREAKER_ALL_TENANTS, host, now)
    (row,) = await tx.fetch(LOCK_HOST_BREAKER_ALL_TENANTS, host)
    return _breaker(row)


async def update_breaker(
    tx: Tx, breaker: StoredBreaker, *, tenant_id: UUID, destination_id: UUID
) -> None:
    """Store where a destination's breaker stands."""
    await tx.execute(UPDATE_BREAKER, tenant_id, destination_id, *_values(breaker))


async def update_host_breaker_all_tenants(tx: Tx, breaker: StoredBreaker, *, host: str) -> None:
    """Store where a host's breaker stands."""
    values = (*_values(breaker), list(breaker.blamed))
    await tx.execute(UPDATE_HOST_BREAKER_ALL_TENANTS, host, *values)


async def close_breaker(tx: Tx, *, tenant_id: UUID, destination_id: UUID, now: dt.datetime) -> None:
    """Let a destination's deliveries go again."""
    await tx.execute(CLOSE_BREAKER, tenant_id, destination_id, now)


@dataclass(frozen=True, slots=True)
class OpenBreaker:
    """A breaker that holds deliveries back."""

    tenant_id: UUID
    destination_id: UUID
    pixel_id: str
    state: str
    reason: str | None
    since: dt.datetime
    retry_at: dt.datetime | None
    waiting: int


async def list_open_all_tenants(tx: Tx) -> list[OpenBreaker]:
    """Return destinations whose deliveries wait for their breaker, the longest first."""
    return [OpenBreaker(**dict(row)) for row in await tx.fetch(LIST_OPEN_ALL_TENANTS)]


async def list_open(tx: Tx, *, tenant_id: UUID) -> Sequence[Row]:
    """Return a tenant's pixels whose deliveries wait for their breaker, the longest first."""
    return await tx.fetch(LIST_OPEN, tenant_id)


@dataclass(frozen=True, slots=True)
class OpenHostBreaker:
    """A host's breaker that holds deliveries back."""

    host: str
    state: str
    reason: str | None
    since: dt.datetime
    retry_at: dt.datetime | None


async def list_open_hosts_all_tenants(tx: Tx) -> list[OpenHostBreaker]:
    """Return hosts whose deliveries wait, the longest first."""
    return [OpenHostBreaker(**dict(row)) for row in await tx.fetch(LIST_OPEN_HOSTS_ALL_TENANTS)]


def _values(breaker: StoredBreaker) -> tuple[object, ...]:
    return (
        breaker.state,
        breaker.failures,
        breaker.openings,
        breaker.reason,
        breaker.since,
        breaker.retry_at,
        breaker.paused_until,
    )


def _breaker(row: Row) -> StoredBreaker:
    return StoredBreaker(
        state=row["state"],
        failures=row["failures"],
        openings=row["openings"],
        reason=row["reason"],
        since=row["since"],
        retry_at=row["retry_at"],
        paused_until=row["paused_until"],
        blamed=tuple(row.get("blamed", ())),
    )
