"""Table webhook_receipts: inbound webhooks as received, and how far each has been worked on.

Body, headers and query are sealed. Equal bodies of one connection are one receipt: a keyed
digest finds them, so a platform's repeats are counted and not stored again.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import msgspec

from trackai.storage.days import repeats_since
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx, columns
from trackai.storage.tenant_keys import know

TABLE = "webhook_receipts"

# Many receipts at once; a repeat of a body only counts up and answers the first one's id. Those of
# earlier days, since $10, are locked in one order before they are counted up.
INSERT_RECEIPTS = """
with new as materialized (
  select n.*, (n.received_at at time zone 'UTC')::date as day
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::bytea[],
    $7::bytea[], $8::bytea[], $9::integer[]) as n (tenant_id, id, connection_id, gateway,
    received_at, digest, body_sealed, request_sealed, repeats)
), seen as materialized (
  select new.tenant_id, new.connection_id, new.digest, new.repeats, new.received_at, first.id,
    first.day
  from new cross join lateral (
    select r.id, r.day from webhook_receipts r
    where r.tenant_id = new.tenant_id and r.connection_id = new.connection_id
      and r.digest = new.digest and r.day >= $10 and r.day < new.day
    order by r.day limit 1 for update
  ) first
), counted as (
  update webhook_receipts r
  set repeats = r.repeats + 1 + seen.repeats, last_repeat_at = seen.received_at
  from seen where r.tenant_id = seen.tenant_id and r.id = seen.id and r.day = seen.day
), stored as (
  insert into webhook_receipts as r (tenant_id, id, connection_id, gateway, received_at, digest,
    body_sealed, request_sealed, repeats, run_at, day, keep_days)
  select tenant_id, id, connection_id, gateway, received_at, digest, body_sealed, request_sealed,
    repeats, received_at, day,
    coalesce((select t.keep_days from tenants t where t.id = new.tenant_id), 30)
  from new where (tenant_id, connection_id, digest) not in (
    select tenant_id, connection_id, digest from seen)
  on conflict (tenant_id, connection_id, digest, day, keep_days) do update
    set repeats = r.repeats + 1 + excluded.repeats, last_repeat_at = excluded.received_at
  returning r.tenant_id, r.connection_id, r.digest, r.id
)
select tenant_id, connection_id, digest, id from seen
union all select tenant_id, connection_id, digest, id from stored
"""

# Wake the workers that wait for receipts.
NOTIFY_RECEIPTS = "select pg_notify('trackai_receipts', '')"

# The next receipt that wants work, locked for this transaction and skipped by all others.
CLAIM_RECEIPT_ALL_TENANTS = """
select tenant_id, id, day, connection_id, gateway, received_at, body_sealed, request_sealed,
  attempts
from webhook_receipts
where run_at is not null and run_at <= $1
order by run_at, id limit 1 for update skip locked
"""

# What came of a receipt; null run_at = nothing more to do.
FINISH_RECEIPT = """
update webhook_receipts
set state = $3, reason = $4, event = $5, processed_at = $6, attempts = attempts + 1, run_at = null
where tenant_id = $1 and id = $2 and day = $7
"""

# An unexpected failure: look again later.
POSTPONE_RECEIPT = """
update webhook_receipts set attempts = attempts + 1, reason = $3, run_at = $4
where tenant_id = $1 and id = $2 and day = $5
"""

# Ask for receipts to be worked on again; an erased one has nothing left to work on.
REPROCESS_RECEIPTS = """
update webhook_receipts set run_at = $4
where tenant_id = $1 and run_at is null and erased_at is null
  and ($2::uuid[] is null or id = any($2)) and ($3::text is null or state = $3)
"""

# Work on none of them any more.
STOP_ALL = "update webhook_receipts set run_at = null where tenant_id = $1 and run_at is not null"

# How many of the same were erased.
COUNT_ERASED = """
select count(*) as number from webhook_receipts
where tenant_id = $1 and erased_at is not null
  and ($2::uuid[] is null or id = any($2)) and ($3::text is null or state = $3)
"""

# One receipt, whatever became of it.
FIND_RECEIPT = """
select tenant_id, id, day, connection_id, gateway, received_at, body_sealed, request_sealed,
  attempts, erased_at
from webhook_receipts where tenant_id = $1 and id = $2
"""

# A tenant's receipts, newest first.
LIST_RECEIPTS = """
select id, connection_id, gateway, received_at, state, reason, event, repeats, attempts, erased_at
from webhook_receipts
where tenant_id = $1 and ($2::text is null or state = $2)
order by received_at desc, id desc limit $3
"""


class ReceiptState(StrEnum):
    """How far a receipt has come."""

    RECEIVED = "received"  # waits for its turn
    PROCESSED = "processed"  # became a conversion's notice
    IGNORED = "ignored"  # authentic, says nothing about money
    FAILED = "failed"  # could not be parsed or processed; kept for reprocessing


@dataclass(frozen=True, slots=True)
class RequestParts:
    """The request around a body."""

    headers: dict[str, str]
    query: str


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A webhook whose authenticity is proved, about to be stored."""

    tenant_id: UUID
    id: UUID
    connection_id: UUID
    gateway: str
    received_at: dt.datetime
    body: bytes
    request: RequestParts


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """Where a webhook ended up: its own receipt, or the first one with the same body."""

    id: UUID
    fresh: bool


@dataclass(frozen=True, slots=True)
class SealedReceipt:
    """A stored webhook, claimed and still closed."""

    tenant_id: UUID
    id: UUID
    day: dt.date
    connection_id: UUID
    gateway: str
    received_at: dt.datetime
    body_sealed: bytes
    request_sealed: bytes
    attempts: int
    erased_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored webhook, opened for work."""

    tenant_id: UUID
    id: UUID
    connection_id: UUID
    gateway: str
    received_at: dt.datetime
    body: bytes
    request: RequestParts
    erased_at: dt.datetime | None = None  # emptied at a person's request


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """A receipt in a list: no body, no personal data."""

    id: UUID
    connection_id: UUID
    gateway: str
    received_at: dt.datetime
    state: str
    reason: str | None
    event: str | None
    repeats: int
    attempts: int
    erased_at: dt.datetime | None  # emptied at a person's request


_REQUEST = msgspec.msgpack.Decoder(RequestParts)


async def insert_receipts(
    tx: Tx, envelope: Envelope, receipts: Sequence[NewReceipt]
) -> list[StoredReceipt]:
    """Store webhooks, each once, and wake the workers; one answer each, in order."""
    await know(tx, envelope, (receipt.tenant_id for receipt in receipts))
    keys = [
        (one.tenant_id, one.connection_id, envelope.digest(one.body, tenant_id=one.tenant_id))
        for one in receipts
    ]
    # One statement may touch a row once, and rows in one order cannot deadlock.
    copies = Counter(keys)
    first = dict(zip(reversed(keys), reversed(receipts), strict=True))
    rows = [(*_values(envelope, first[key], key[2]), copies[key] - 1) for key in sorted(first)]
    since = repeats_since(receipt.received_at for receipt in receipts)
    stored = {
        (row["tenant_id"], row["connection_id"], row["digest"]): row["id"]
        for row in await tx.fetch(INSERT_RECEIPTS, *columns(rows), since)
    }
    await tx.fetch(NOTIFY_RECEIPTS)
    return [
        StoredReceipt(stored[key], fresh=stored[key] == receipt.id)
        for key, receipt in zip(keys, receipts, strict=True)
    ]


async def claim_receipt_all_tenants(tx: Tx, *, now: dt.datetime) -> SealedReceipt | None:
    """Return the next receipt that wants work, locked until this transaction ends."""
    row = await tx.fetch_one(CLAIM_RECEIPT_ALL_TENANTS, now)
    return SealedReceipt(**dict(row)) if row else None


async def open_receipt(tx: Tx, envelope: Envelope, sealed: SealedReceipt) -> Receipt:
    """Decrypt a claimed receipt; InvariantBroken when its key is gone or its bytes changed."""
    tenant_id = sealed.tenant_id
    await know(tx, envelope, (tenant_id,))
    request = envelope.open(sealed.request_sealed, table=TABLE, tenant_id=tenant_id)
    return Receipt(
        tenant_id=tenant_id,
        id=sealed.id,
        connection_id=sealed.connection_id,
        gateway=sealed.gateway,
        received_at=sealed.received_at,
        body=envelope.open(sealed.body_sealed, table=TABLE, tenant_id=tenant_id),
        request=_REQUEST.decode(request),
        erased_at=sealed.erased_at,
    )


async def finish_receipt(
    tx: Tx,
    receipt: SealedReceipt,
    state: ReceiptState,
    *,
    reason: str | None,
    event: str | None = None,
    now: dt.datetime,
) -> None:
    """Record what came of a receipt."""
    outcome = (state.value, reason, event, now, receipt.day)
    await tx.execute(FINISH_RECEIPT, receipt.tenant_id, receipt.id, *outcome)


async def postpone_receipt(
    tx: Tx, receipt: SealedReceipt, *, reason: str, run_at: dt.datetime
) -> None:
    """Record an unexpected failure and when to look again."""
    await tx.execute(POSTPONE_RECEIPT, receipt.tenant_id, receipt.id, reason, run_at, receipt.day)


async def reprocess_receipts(
    tx: Tx,
    *,
    tenant_id: UUID,
    ids: Sequence[UUID] | None,
    state: ReceiptState | None,
    now: dt.datetime,
) -> int:
    """Put receipts back to work, by id or by state or all; return how many."""
    wanted = None if ids is None else list(ids)
    changed = await tx.execute(REPROCESS_RECEIPTS, tenant_id, wanted, state, now)
    await tx.fetch(NOTIFY_RECEIPTS)
    return changed


async def stop_all(tx: Tx, *, tenant_id: UUID) -> None:
    """Work on none of the tenant's webhooks any more."""
    await tx.execute(STOP_ALL, tenant_id)


async def count_erased(
    tx: Tx, *, tenant_id: UUID, ids: Sequence[UUID] | None, state: ReceiptState | None
) -> int:
    """Return how many receipts, by id or by state or all, cannot be worked on: they were erased."""
    wanted = None if ids is None else list(ids)
    (row,) = await tx.fetch(COUNT_ERASED, tenant_id, wanted, state)
    number: int = row["number"]
    return number


async def find_receipt(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, receipt_id: UUID
) -> Receipt | None:
    """Return a stored webhook, opened; None when the tenant has no such one."""
    await know(tx, envelope, (tenant_id,))
    row = await tx.fetch_one(FIND_RECEIPT, tenant_id, receipt_id)
    return await open_receipt(tx, envelope, SealedReceipt(**dict(row))) if row else None


async def list_receipts(
    tx: Tx, *, tenant_id: UUID, state: ReceiptState | None, limit: int
) -> list[ReceiptLine]:
    """Return the tenant's receipts, newest first."""
    rows = await tx.fetch(LIST_RECEIPTS, tenant_id, state, limit)
    return [ReceiptLine(**dict(row)) for row in rows]


def _values(envelope: Envelope, receipt: NewReceipt, digest: bytes) -> tuple[object, ...]:
    tenant_id = receipt.tenant_id
    request = msgspec.msgpack.encode(receipt.request)
    return (
        tenant_id,
        receipt.id,
        receipt.connection_id,
        receipt.gateway,
        receipt.received_at,
        digest,
        envelope.seal(receipt.body, table=TABLE, tenant_id=tenant_id),
        envelope.seal(request, table=TABLE, tenant_id=tenant_id),
    )
