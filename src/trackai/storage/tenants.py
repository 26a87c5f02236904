"""Tables tenants and funnels."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.model.keeping import whole_since
from trackai.model.tenant import Attribution, Funnel, Tenant
from trackai.storage import tenant_keys
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx

_EVER = dt.datetime.min.replace(tzinfo=dt.UTC)

# A new tenant.
INSERT_TENANT = """
insert into tenants (id, name, site_key, time_zone, currency, created_at)
values ($1, $2, $3, $4, $5, $6)
"""

# One tenant by id.
FIND_TENANT = """
select id, name, site_key, time_zone, currency, next_time_zone from tenants
where id = $1 and deleted_at is null
"""

# One tenant by the public key that its pages hold.
FIND_TENANT_BY_SITE_KEY = """
select id, name, site_key, time_zone, currency, next_time_zone from tenants
where site_key = $1 and deleted_at is null
"""

# Every tenant, oldest first, a bounded page.
LIST_TENANTS_ALL_TENANTS = """
select id, name, site_key, time_zone, currency, next_time_zone from tenants
where deleted_at is null order by created_at, id limit $1
"""

# A tenant is gone; its name with it.
DELETE_TENANT = """
update tenants set deleted_at = $2, name = 'deleted' where id = $1 and deleted_at is null
"""

# What a tenant is called, and its own currency.
UPDATE_TENANT = """
update tenants set name = $2, currency = $3
where id = $1 and deleted_at is null and (name, currency) is distinct from ($2, $3)
"""

# How long a tenant keeps its rows from now on; what is stored is moved by a task. What went by what
# it kept so far stays away, even if it keeps more now.
UPDATE_KEEPING = """
update tenants set keep_days = $2, keep_changed_at = $3, rows_since = greatest(rows_since, $4)
where id = $1 and keep_days <> $2
"""

# How long it does, and whether what is stored still follows a change of that.
FIND_KEEPING = """
select keep_days, keep_changed_at is not null as follows, rows_since from tenants
where id = $1 and deleted_at is null
"""

# A tenant wants another time zone; a task counts its days again and then sets it.
UPDATE_NEXT_TIME_ZONE = """
update tenants set next_time_zone = nullif($2, time_zone)
where id = $1 and deleted_at is null and coalesce(next_time_zone, time_zone) <> $2
"""

# Whether the database has a time zone of this name.
KNOWS_TIME_ZONE = "select exists (select from pg_timezone_names where name = $1) as known"

# The first of some moments at which the database's clocks in a zone say another time.
FIND_OTHER_TIME = """
select min(said.moment) as moment
from unnest($2::timestamptz[], $3::timestamp[]) as said (moment, local)
where said.moment at time zone $1 <> said.local
"""

# A new funnel.
INSERT_FUNNEL = """
insert into funnels (tenant_id, id, name, attribution_window_h, attribution, visitor_window_min,
  created_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""

# A tenant's funnels, oldest first.
LIST_FUNNELS = """
select tenant_id, id, name, attribution_window_h, attribution, visitor_window_min from funnels
where tenant_id = $1 order by created_at, id
"""

# One funnel.
FIND_FUNNEL = """
select tenant_id, id, name, attribution_window_h, attribution, visitor_window_min from funnels
where tenant_id = $1 and id = $2
"""

# What a funnel is called, and how its sales are matched from now on.
UPDATE_FUNNEL = """
update funnels set name = $6, attribution_window_h = $3, attribution = $4, visitor_window_min = $5
where tenant_id = $1 and id = $2
"""


async def insert_tenant(tx: Tx, envelope: Envelope, tenant: Tenant, *, now: dt.datetime) -> None:
    """Store a new tenant with an encryption key of its own."""
    await tx.execute(
        INSERT_TENANT,
        tenant.id,
        tenant.name,
        tenant.site_key,
        tenant.time_zone,
        tenant.currency,
        now,
    )
    await tenant_keys.make(tx, envelope, [tenant.id])


async def find_tenant(tx: Tx, tenant_id: UUID) -> Tenant | None:
    """Return the tenant of this id."""
    row = await tx.fetch_one(FIND_TENANT, tenant_id)
    return _tenant(row) if row else None


async def find_tenant_by_site_key(tx: Tx, site_key: str) -> Tenant | None:
    """Return the tenant whose pages hold this key."""
    row = await tx.fetch_one(FIND_TENANT_BY_SITE_KEY, site_key)
    return _tenant(row) if row else None


async def list_tenants_all_tenants(tx: Tx, *, limit: int = 1000) -> list[Tenant]:
    """Return the installation's tenants; for the operator of the installation only."""
    return [_tenant(row) for row in await tx.fetch(LIST_TENANTS_ALL_TENANTS, limit)]


async def mark_deleted(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> bool:
    """Let the tenant be unknown to everybody from now on; False when it is already."""
    return await tx.execute(DELETE_TENANT, tenant_id, now) == 1


async def find_keeping(tx: Tx, *, tenant_id: UUID) -> int | None:
    """Return how many days the tenant keeps its rows."""
    row = await tx.fetch_one(FIND_KEEPING, tenant_id)
    return row["keep_days"] if row else None


async def is_following(tx: Tx, *, tenant_id: UUID) -> bool:
    """Tell whether stored rows are yet to follow a change of how long they are kept."""
    row = await tx.fetch_one(FIND_KEEPING, tenant_id)
    return bool(row and row["follows"])


async def update_tenant(tx: Tx, *, tenant_id: UUID, name: str, currency: str) -> bool:
    """Give the tenant a name and a currency; False when they are its own already."""
    return await tx.execute(UPDATE_TENANT, tenant_id, name, currency) == 1


async def find_rows_since(tx: Tx, *, tenant_id: UUID, now: dt.datetime) -> dt.datetime | None:
    """Return since when all rows of a tenant's bulk tables are there, for at least a day more.

    None when there is no such tenant.
    """
    row = await tx.fetch_one(FIND_KEEPING, tenant_id)
    if row is None:
        return None
    return max(whole_since(now, row["keep_days"]), row["rows_since"] or _EVER)


async def update_keeping(tx: Tx, *, tenant_id: UUID, keep_days: int, now: dt.datetime) -> bool:
    """Keep the tenant's rows so many days from now on; False when that is as it was."""
    since = await find_rows_since(tx, tenant_id=tenant_id, now=now)
    return await tx.execute(UPDATE_KEEPING, tenant_id, keep_days, now, since) == 1


async def want_time_zone(tx: Tx, *, tenant_id: UUID, zone: str) -> bool:
    """Let the tenant's days be those of a zone soon; False when that is as it was."""
    return await tx.execute(UPDATE_NEXT_TIME_ZONE, tenant_id, zone) == 1


async def knows_time_zone(tx: Tx, zone: str) -> bool:
    """Tell whether the database has a time zone of this name."""
    row = await tx.fetch_one(KNOWS_TIME_ZONE, zone)
    return bool(row and row["known"])


async def find_other_time(
    tx: Tx, zone: str, moments: Sequence[dt.datetime], local: Sequence[dt.datetime]
) -> dt.datetime | None:
    """Return the first moment at which a zone's clocks do not say what is said; None for none."""
    row = await tx.fetch_one(FIND_OTHER_TIME, zone, moments, local)
    return row["moment"] if row else None


async def insert_funnel(tx: Tx, funnel: Funnel, *, now: dt.datetime) -> None:
    """Store a new funnel; StatementRefused when the tenant has one of this name."""
    await tx.execute(
        INSERT_FUNNEL, funnel.tenant_id, funnel.id, funnel.name, *_matching(funnel), now
    )


async def update_funnel(tx: Tx, funnel: Funnel) -> None:
    """Change a funnel's name, and how its sales are matched."""
    await tx.execute(UPDATE_FUNNEL, funnel.tenant_id, funnel.id, *_matching(funnel), funnel.name)


async def list_funnels(tx: Tx, *, tenant_id: UUID) -> list[Funnel]:
    """Return the tenant's funnels, oldest first."""
    return [_funnel(row) for row in await tx.fetch(LIST_FUNNELS, tenant_id)]


async def find_funnel(tx: Tx, *, tenant_id: UUID, funnel_id: UUID) -> Funnel | None:
    """Return one funnel of the tenant."""
    row = await tx.fetch_one(FIND_FUNNEL, tenant_id, funnel_id)
    return _funnel(row) if row else None


def _matching(funnel: Funnel) -> tuple[int, str, int]:
    return (
        int(funnel.attribution_window.total_seconds() // 3600),
        funnel.attribution.value,
        int(funnel.visitor_window.total_seconds() // 60),
    )


def _tenant(row: Row) -> Tenant:
    return Tenant(
        id=row["id"],
        name=row["name"],
        site_key=row["site_key"],
        time_zone=row["time_zone"],
        currency=row["currency"],
        next_time_zone=row["next_time_zone"],
    )


def _funnel(row: Row) -> Funnel:
    return Funnel(
        tenant_id=row["tenant_id"],
        id=row["id"],
        name=row["name"],
        attribution_window=dt.timedelta(hours=row["attribution_window_h"]),
        attribution=Attribution(row["attribution"]),
        visitor_window=dt.timedelta(minutes=row["visitor_window_min"]),
    )
