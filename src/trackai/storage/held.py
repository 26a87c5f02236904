"""What waits until a flag is on again: webhooks and messages of the queue whose run_at is infinity.

Nobody finds those due. Releasing makes them due in their order, some at a time.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx, columns
from trackai.storage.queue_messages import NOTIFY_DELIVERIES, WAITING
from trackai.storage.receipts import NOTIFY_RECEIPTS, SealedReceipt

# Let a webhook wait; how often it was tried stays as it is.
HOLD_RECEIPT = """
update webhook_receipts set run_at = 'infinity', reason = $4
where tenant_id = $1 and id = $2 and day = $3
"""
SWITCHED_OFF = "switched_off"

# Whose webhooks wait, and of which gateway: the walk takes one step an answer, however many wait.
LIST_HELD_RECEIPTS_ALL_TENANTS = """
with recursive held as (
  (select tenant_id, gateway from webhook_receipts where run_at = 'infinity'
   order by tenant_id, gateway limit 1)
  union all
  select following.* from held h cross join lateral (
    select r.tenant_id, r.gateway from webhook_receipts r
    where r.run_at = 'infinity' and (r.tenant_id, r.gateway) > (h.tenant_id, h.gateway)
    order by r.tenant_id, r.gateway limit 1
  ) as following
)
select tenant_id, gateway from held
"""

# Webhooks that are due already, counted up to a bound: so much the workers have before them.
COUNT_DUE_RECEIPTS_ALL_TENANTS = """
select count(*) as number from (
  select from webhook_receipts where run_at <= $1 order by run_at limit $2
) first
"""

# The oldest of a tenant's webhooks of a gateway are due.
RELEASE_RECEIPTS = """
update webhook_receipts r set run_at = $3, reason = null
from (
  select tenant_id, id, day from webhook_receipts
  where tenant_id = $1 and gateway = $2 and run_at = 'infinity'
  order by id limit $4 for update skip locked
) as oldest
where r.tenant_id = oldest.tenant_id and r.id = oldest.id and r.day = oldest.day
"""

# Let messages wait: only while the lease is still ours.
HOLD_MESSAGES_ALL_TENANTS = """
update queue_messages q set run_at = 'infinity', lease = null
from unnest($1::uuid[], $2::uuid[]) as held (tenant_id, delivery_id)
where q.tenant_id = held.tenant_id and q.delivery_id = held.delivery_id and q.lease = $3
"""

# Destinations whose messages wait, of which kind.
LIST_HELD_DESTINATIONS_ALL_TENANTS = f"""
with recursive {WAITING}
select d.tenant_id, d.id as destination_id, d.kind
from waiting w
join destinations d on d.tenant_id = w.tenant_id and d.id = w.destination_id
where exists (
  select from queue_messages q
  where q.destination_id = w.destination_id and q.run_at = 'infinity'
)
"""  # noqa: S608 - a constant

# Some of a destination's messages are due.
RELEASE_MESSAGES = """
update queue_messages q set run_at = $3
from (
  select tenant_id, delivery_id from queue_messages
  where tenant_id = $1 and destination_id = $2 and run_at = 'infinity'
  order by delivery_id limit $4 for update skip locked
) as oldest
where q.tenant_id = oldest.tenant_id and q.delivery_id = oldest.delivery_id
"""

# How much waits, by gateway or destination, and since when; of one tenant.
COUNT_HELD = """
select gateway as name, null::uuid as destination_id, count(*) as number,
  min(received_at) as since
from webhook_receipts where tenant_id = $1 and run_at = 'infinity' group by gateway
union all
select d.kind, d.id, count(*), min(o.created_at)
from queue_messages q
join destinations d on d.tenant_id = q.tenant_id and d.id = q.destination_id
join deliveries o on o.tenant_id = q.tenant_id and o.id = q.delivery_id
where q.tenant_id = $1 and q.run_at = 'infinity' group by d.kind, d.id
"""

# The same of everybody, by gateway or kind of destination.
COUNT_HELD_ALL_TENANTS = """
select 'gateway' as of, gateway as name, count(*) as number, count(distinct tenant_id) as tenants,
  min(received_at) as since
from webhook_receipts where run_at = 'infinity' group by gateway
union all
select 'destination', d.kind, count(*), count(distinct d.tenant_id), min(o.created_at)
from queue_messages q
join destinations d on d.tenant_id = q.tenant_id and d.id = q.destination_id
join deliveries o on o.tenant_id = q.tenant_id and o.id = q.delivery_id
where q.run_at = 'infinity' group by d.kind
"""


@dataclass(frozen=True, slots=True)
class HeldDestination:
    """A destination whose messages wait."""

    tenant_id: UUID
    destination_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class Held:
    """How much of a tenant waits, and since when."""

    name: str  # of a gateway, or a kind of destination
    destination_id: UUID | None  # None: webhooks of a gateway
    number: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class HeldOfAll:
    """How much of everybody waits, and since when."""

    of: str  # gateway or destination
    name: str
    number: int
    tenants: int
    since: dt.datetime

    @property
    def flag(self) -> str:
        """Return the flag that it waits for."""
        return f"{self.of}.{self.name}"


async def hold_receipt(tx: Tx, receipt: SealedReceipt) -> None:
    """Let a webhook wait until it is released."""
    await tx.execute(HOLD_RECEIPT, receipt.tenant_id, receipt.id, receipt.day, SWITCHED_OFF)


async def list_held_receipts_all_tenants(tx: Tx) -> list[tuple[UUID, str]]:
    """Return (tenant, gateway) whose webhooks wait."""
    rows = await tx.fetch(LIST_HELD_RECEIPTS_ALL_TENANTS)
    return [(row["tenant_id"], row["gateway"]) for row in rows]


async def count_due_receipts_all_tenants(tx: Tx, *, now: dt.datetime, most: int) -> int:
    """Return how many webhooks are due, `most` meaning at least so many."""
    (row,) = await tx.fetch(COUNT_DUE_RECEIPTS_ALL_TENANTS, now, most)
    number: int = row["number"]
    return number


async def release_receipts(
    tx: Tx, *, tenant_id: UUID, gateway: str, most: int, now: dt.datetime
) -> int:
    """Make a tenant's oldest webhooks of a gateway due, and wake the workers; return how many."""
    released = await tx.execute(RELEASE_RECEIPTS, tenant_id, gateway, now, most)
    await tx.fetch(NOTIFY_RECEIPTS)
    return released


async def hold_messages_all_tenants(
    tx: Tx, keys: Sequence[tuple[UUID, UUID]], *, lease: UUID
) -> int:
    """Let (tenant, delivery) messages wait until they are released; return how many were ours."""
    return await tx.execute(HOLD_MESSAGES_ALL_TENANTS, *columns(sorted(keys)), lease)


async def list_held_destinations_all_tenants(tx: Tx) -> list[HeldDestination]:
    """Return the destinations whose messages wait."""
    rows = await tx.fetch(LIST_HELD_DESTINATIONS_ALL_TENANTS)
    return [HeldDestination(**dict(row)) for row in rows]


async def release_messages(tx: Tx, held: HeldDestination, *, most: int, now: dt.datetime) -> int:
    """Make a destination's messages due, and wake the workers; return how many."""
    keys = (held.tenant_id, held.destination_id)
    released = await tx.execute(RELEASE_MESSAGES, *keys, now, most)
    await tx.fetch(NOTIFY_DELIVERIES)
    return released


async def count_held(tx: Tx, *, tenant_id: UUID) -> list[Held]:
    """Return what waits of a tenant."""
    return [Held(**dict(row)) for row in await tx.fetch(COUNT_HELD, tenant_id)]


async def count_held_all_tenants(tx: Tx) -> list[HeldOfAll]:
    """Return what waits of everybody."""
    return [HeldOfAll(**dict(row)) for row in await tx.fetch(COUNT_HELD_ALL_TENANTS)]
