"""What the go-live checklist asks of all tenants together. Reads only.

`without` are the accounts of smoke tests: nothing of theirs is a customer's.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from trackai.model.alarm import INSTALLATION, REAL, RouteKind
from trackai.storage.pool import Row, Tx

# Which processes were heard of since a moment, how often each spoke, and of what.
LIST_PROCESSES_ALL_TENANTS = """
select process, max(at) as last, count(distinct metric)::int as metrics from alarm_samples
where drill = $1 and at > $2 group by process order by process
"""

# How many tenants there are, and since when.
COUNT_TENANTS_ALL_TENANTS = """
select count(*)::int as tenants, min(created_at) as since from tenants
where deleted_at is null and id <> all($1::uuid[])
"""

# Funnels with a pixel whose platform sent something that proved authentic and was processed.
COUNT_TRIED_FUNNELS_ALL_TENANTS = """
select count(distinct c.funnel_id)::int as funnels, max(r.processed_at) as last
from webhook_receipts r
join gateway_connections c on c.tenant_id = r.tenant_id and c.id = r.connection_id
join tenants t on t.id = r.tenant_id and t.deleted_at is null
where r.state = 'processed' and r.day >= ($2 at time zone 'UTC')::date
  and r.tenant_id <> all($1::uuid[])
  and exists (
    select from destinations d where d.tenant_id = c.tenant_id and d.disabled_at is null
      and coalesce(d.funnel_id, c.funnel_id) = c.funnel_id)
"""

# When something last came in and went out.
FIND_LAST_EVENTS_ALL_TENANTS = """
select
  (select max(received_at) from clicks
    where day >= ($2 at time zone 'UTC')::date and tenant_id <> all($1::uuid[])) as click,
  (select max(processed_at) from webhook_receipts
    where day >= ($2 at time zone 'UTC')::date and state = 'processed'
      and tenant_id <> all($1::uuid[])) as webhook,
  (select max(created_at) from dispatch_attempts
    where day >= ($2 at time zone 'UTC')::date and status = 'accepted'
      and tenant_id <> all($1::uuid[])) as accepted
"""

# The last sale that was matched to a click.
FIND_LAST_MATCHED_ALL_TENANTS = """
select m.strategy, m.created_at from matches m
join tenants t on t.id = m.tenant_id and t.deleted_at is null
where m.click_id is not null and m.tenant_id <> all($1::uuid[]) and m.created_at > $2
order by m.created_at desc limit 1
"""

# Tenants with a sale since a moment, and how many.
LIST_SELLING_ALL_TENANTS = """
select c.tenant_id, count(*)::int as sales from conversions c
join tenants t on t.id = c.tenant_id and t.deleted_at is null
where c.first_seen_at > $2 and c.tenant_id <> all($1::uuid[])
group by c.tenant_id order by c.tenant_id limit $3
"""

# When a route of this kind last took a call of the installation's.
FIND_LAST_SENT_ALL_TENANTS = """
select max(c.ended_at) as sent from alarm_calls c
join alarm_routes r on r.tenant_id = c.tenant_id and r.id = c.route_id
where c.tenant_id = $1 and r.kind = $2 and c.state = 'sent' and c.drill = $3
  and r.ended_at is null
"""

# How many flags are set for everybody (tenant $1), and how many connected gateways have none.
COUNT_FLAGS_ALL_TENANTS = """
select count(*)::int as flags, (
  select count(distinct c.gateway)::int from gateway_connections c
  where c.disabled_at is null and not exists (
    select from feature_flags f where f.tenant_id = $1 and f.key = 'gateway.' || c.gateway)
) as lacking from feature_flags where tenant_id = $1
"""


@dataclass(frozen=True, slots=True)
class Heard:
    """A process that was heard of: its name begins with its part."""

    process: str
    last: dt.datetime
    metrics: int


async def list_processes_all_tenants(tx: Tx, *, since: dt.datetime) -> list[Heard]:
    """Return which processes were heard of since then."""
    rows = await tx.fetch(LIST_PROCESSES_ALL_TENANTS, REAL, since)
    return [Heard(**dict(row)) for row in rows]


async def count_tenants_all_tenants(tx: Tx, without: Collection[UUID]) -> Row:
    """Return tenants, and since when."""
    (row,) = await tx.fetch(COUNT_TENANTS_ALL_TENANTS, list(without))
    return row


async def count_tried_funnels_all_tenants(
    tx: Tx, without: Collection[UUID], *, since: dt.datetime
) -> Row:
    """Return how many funnels, and when the last of their webhooks was processed."""
    (row,) = await tx.fetch(COUNT_TRIED_FUNNELS_ALL_TENANTS, list(without), since)
    return row


async def find_last_events_all_tenants(
    tx: Tx, without: Collection[UUID], *, since: dt.datetime
) -> dict[str, dt.datetime | None]:
    """Return when the last click, webhook and acceptance was."""
    (row,) = await tx.fetch(FIND_LAST_EVENTS_ALL_TENANTS, list(without), since)
    return dict(row)


async def find_last_matched_all_tenants(
    tx: Tx, without: Collection[UUID], *, since: dt.datetime
) -> Row | None:
    """Return strategy and moment of the last sale that was matched to a click."""
    return await tx.fetch_one(FIND_LAST_MATCHED_ALL_TENANTS, list(without), since)


async def list_selling_all_tenants(
    tx: Tx, without: Collection[UUID], *, since: dt.datetime, limit: int
) -> dict[UUID, int]:
    """Return tenant -> how many sales it had since then."""
    rows = await tx.fetch(LIST_SELLING_ALL_TENANTS, list(without), since, limit)
    return {row["tenant_id"]: row["sales"] for row in rows}


async def find_last_sent_all_tenants(tx: Tx, kind: RouteKind) -> dt.datetime | None:
    """Return when such a route of the installation's last took a call."""
    row = await tx.fetch_one(FIND_LAST_SENT_ALL_TENANTS, INSTALLATION, kind.value, REAL)
    return row["sent"] if row else None


async def count_flags_all_tenants(tx: Tx) -> tuple[int, int]:
    """Return how many flags are set for everybody, and how many connected gateways have none."""
    (row,) = await tx.fetch(COUNT_FLAGS_ALL_TENANTS, INSTALLATION)
    return row["flags"], row["lacking"]
