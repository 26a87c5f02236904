"""What alarms measure in tables that are there for other reasons. Reads only.

Each is one statement over all tenants, by indexes, so that a thousand tenants are asked about in a
fraction of a second; nothing here grows with how much a tenant has sold.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx
from trackai.storage.receipts import ReceiptState

# What tenants are called.
LIST_NAMES_ALL_TENANTS = "select id, name from tenants where deleted_at is null"

# Deliveries that were given up and wait for somebody.
COUNT_DEAD_ALL_TENANTS = """
select t.id as tenant_id, coalesce(d.number, 0)::float8 as value
from tenants t left join (
  select tenant_id, count(*) as number from deliveries where status = 'dead' group by tenant_id
) d on d.tenant_id = t.id
where t.deleted_at is null
"""

# Pixels, whether their own breaker holds, and the hours that their token has left: none when it is
# refused, at most a year, null when nobody asked yet.
LIST_PIXELS_ALL_TENANTS = """
select d.tenant_id, d.id, d.kind, d.pixel_id, d.api_url,
  coalesce(b.state, 'closed') <> 'closed' as held,
  case when c.valid is null then null when not c.valid then 0.0
    else least(8760.0, coalesce(extract(epoch from c.expires_at - $1)::float8 / 3600, 8760.0))
  end as token_hours
from destinations d
join tenants t on t.id = d.tenant_id and t.deleted_at is null
left join breakers b on b.tenant_id = d.tenant_id and b.destination_id = d.id
left join token_checks c on c.tenant_id = d.tenant_id and c.destination_id = d.id
where d.disabled_at is null
"""

# Hosts that ever had a breaker, and whether it holds.
LIST_HOSTS_ALL_TENANTS = "select host, state <> 'closed' as held from host_breakers"

# What became of webhooks since a moment: those that came, those that failed, those without proof.
# Every state there is, tenant by tenant: that is what the index is by.
COUNT_WEBHOOKS_ALL_TENANTS = """
select t.id as tenant_id, r.came, r.failed, coalesce(j.refused, 0) as refused
from tenants t
cross join lateral (
  select coalesce(sum(s.number), 0)::bigint as came,
    coalesce(sum(s.number) filter (where s.state = 'failed'), 0)::bigint as failed
  from unnest($2::text[]) as known (state) cross join lateral (
    select known.state, count(*) as number from webhook_receipts w
    where w.tenant_id = t.id and w.state = known.state and w.received_at > $1
      and w.keep_days = t.keep_days and w.day >= ($1 at time zone 'UTC')::date
  ) s
) r
left join (
  select tenant_id, count(*) as refused from webhook_rejections
  where received_at > $1 group by tenant_id
) j on j.tenant_id = t.id
where t.deleted_at is null
"""

# How many sales are usual in hours that have just passed: the middle of the same hours of the four
# weeks before; null without any week before. And whether any webhook has come since they began.
LIST_USUAL_ALL_TENANTS = """
select t.id as tenant_id, u.usual, c.came
from tenants t
cross join lateral (
  select case when exists (
    select from rollup_sales s
    where s.tenant_id = t.id and s.grain = 'hour' and s.at < $2::timestamptz - interval '7 days'
  ) then (
    select percentile_disc(0.5) within group (order by w.number)::float8
    from (
      select ago, (
        select coalesce(sum(s.sales), 0) from rollup_sales s
        where s.tenant_id = t.id and s.grain = 'hour'
          and s.at >= $1::timestamptz - ago * interval '7 days'
          and s.at < $2::timestamptz - ago * interval '7 days'
      ) as number
      from generate_series(1, 4) as ago
    ) w
  ) end as usual
) u
cross join lateral (
  select exists (
    select from unnest($3::text[]) as known (state) cross join lateral (
      select from webhook_receipts w
      where w.tenant_id = t.id and w.state = known.state and w.received_at >= $1
        and w.keep_days = t.keep_days and w.day >= ($1 at time zone 'UTC')::date
      limit 1
    ) one
  ) as came
) c
where t.deleted_at is null
"""

# Paid sales and those of them that were matched, since a moment and in the weeks before it.
COUNT_MATCHED_ALL_TENANTS = """
select t.id as tenant_id, n.sales as sales, n.matched as matched, b.sales as sales_before,
  b.matched as matched_before
from tenants t
cross join lateral (
  select coalesce(sum(r.sales), 0)::bigint as sales, coalesce(sum(r.matched), 0)::bigint as matched
  from rollup_totals r
  where r.tenant_id = t.id and r.grain = 'hour' and r.gateway = ''
    and r.funnel_id = '00000000-0000-0000-0000-000000000000' and r.at >= $1
) n
cross join lateral (
  select coalesce(sum(r.sales), 0)::bigint as sales, coalesce(sum(r.matched), 0)::bigint as matched
  from rollup_totals r
  where r.tenant_id = t.id and r.grain = 'day' and r.gateway = ''
    and r.funnel_id = '00000000-0000-0000-0000-000000000000'
    and r.at >= $1::timestamptz - interval '28 days' and r.at < $1
) b
where t.deleted_at is null
"""

# Webhooks without proof since a moment.
COUNT_UNPROVED_ALL_TENANTS = """
select t.id as tenant_id, coalesce(j.number, 0)::float8 as value
from tenants t left join (
  select tenant_id, count(*) as number from webhook_rejections
  where received_at > $1 group by tenant_id
) j on j.tenant_id = t.id
where t.deleted_at is null
"""

# Since when the webhook waits that has been due for longest.
FIND_OLDEST_WEBHOOK_ALL_TENANTS = """
select min(run_at) as run_at from webhook_receipts where run_at <= $1
"""

# How late the latest of these tasks is; null when none ever ran.
FIND_LATENESS = """
select max(greatest(extract(epoch from $1::timestamptz - next_at), 0)
  * (lease_until is null or lease_until <= $1)::integer)::float8 as late_s
from jobs where name = any($2::text[])
"""

# Routes that are used, and the calls by each that were given up since a moment; an end that was not
# told because the beginning never was is no loss of its own.
LIST_LOST_ALL_TENANTS = """
select r.tenant_id, r.id, r.name, coalesce(c.number, 0)::float8 as lost
from alarm_routes r left join (
  select route_id, count(*) as number from alarm_calls
  where state = 'dead' and reason <> 'never_told' and drill = '00000000-0000-0000-0000-000000000000'
    and made_at > $1::timestamptz - interval '1 day' and ended_at > $1
  group by route_id
) c on c.route_id = r.id
where r.ended_at is null
  and not exists (select from tenants t where t.id = r.tenant_id and t.deleted_at is not null)
"""

_STATES = [state.value for state in ReceiptState]
ByTenant = dict[UUID, float]


@dataclass(frozen=True, slots=True)
class Pixel:
    """A pixel, whether its own breaker holds, and how long its token lasts."""

    tenant_id: UUID
    id: UUID
    kind: str
    pixel_id: str
    api_url: str | None
    held: bool
    token_hours: float | None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What became of a tenant's webhooks."""

    tenant_id: UUID
    came: int  # authentic
    failed: int  # of them
    refused: int  # without proof; of a flood the newest alone are kept


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in some hours, and whether anything came in them now."""

    tenant_id: UUID
    usual: float | None
    came: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """Paid sales and those that were matched, now and before."""

    tenant_id: UUID
    sales: int
    matched: int
    sales_before: int
    matched_before: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A route, and the calls by it that were given up."""

    tenant_id: UUID
    id: UUID
    name: str
    lost: float


async def list_names_all_tenants(tx: Tx) -> dict[UUID, str]:
    """Return tenant -> name."""
    return {row["id"]: row["name"] for row in await tx.fetch(LIST_NAMES_ALL_TENANTS)}


async def count_dead_all_tenants(tx: Tx) -> ByTenant:
    """Return tenant -> deliveries that were given up."""
    return {row["tenant_id"]: row["value"] for row in await tx.fetch(COUNT_DEAD_ALL_TENANTS)}


async def list_pixels_all_tenants(tx: Tx, *, now: dt.datetime) -> list[Pixel]:
    """Return all pixels that are connected."""
    return [Pixel(**dict(row)) for row in await tx.fetch(LIST_PIXELS_ALL_TENANTS, now)]


async def list_hosts_all_tenants(tx: Tx) -> dict[str, bool]:
    """Return host -> whether its breaker holds."""
    return {row["host"]: row["held"] for row in await tx.fetch(LIST_HOSTS_ALL_TENANTS)}


async def count_webhooks_all_tenants(tx: Tx, *, since: dt.datetime) -> list[Webhooks]:
    """Return what became of each tenant's webhooks since then."""
    rows = await tx.fetch(COUNT_WEBHOOKS_ALL_TENANTS, since, _STATES)
    return [Webhooks(**dict(row)) for row in rows]


async def list_usual_all_tenants(tx: Tx, *, since: dt.datetime, until: dt.datetime) -> list[Usual]:
    """Return what is usual between these full hours, and whether anything came since they began."""
    return [
        Usual(**dict(row)) for row in await tx.fetch(LIST_USUAL_ALL_TENANTS, since, until, _STATES)
    ]


async def count_matched_all_tenants(tx: Tx, *, since: dt.datetime) -> list[Matched]:
    """Return each tenant's paid sales since then, and those of the four weeks before."""
    return [Matched(**dict(row)) for row in await tx.fetch(COUNT_MATCHED_ALL_TENANTS, since)]


async def count_unproved_all_tenants(tx: Tx, *, since: dt.datetime) -> ByTenant:
    """Return tenant -> webhooks without proof since then."""
    rows = await tx.fetch(COUNT_UNPROVED_ALL_TENANTS, since)
    return {row["tenant_id"]: row["value"] for row in rows}


async def find_oldest_webhook_all_tenants(tx: Tx, *, now: dt.datetime) -> dt.datetime | None:
    """Return since when the oldest webhook that is due waits."""
    (row,) = await tx.fetch(FIND_OLDEST_WEBHOOK_ALL_TENANTS, now)
    found: dt.datetime | None = row["run_at"]
    return found


async def find_lateness(tx: Tx, names: Sequence[str], *, now: dt.datetime) -> float | None:
    """Return by how many seconds the latest of these tasks is late; None when none ever ran."""
    (row,) = await tx.fetch(FIND_LATENESS, now, list(names))
    found: float | None = row["late_s"]
    return found


async def list_lost_all_tenants(tx: Tx, *, since: dt.datetime) -> list[Lost]:
    """Return every route that is used with the calls that were given up since then."""
    return [Lost(**dict(row)) for row in await tx.fetch(LIST_LOST_ALL_TENANTS, since)]
