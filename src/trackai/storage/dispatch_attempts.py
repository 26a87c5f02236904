"""Table dispatch_attempts: every try to deliver, and how it went."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from trackai.model.delivery import CallFacts, Quality
from trackai.storage.pool import Row, Tx, columns

# The tries of one batch.
INSERT_ATTEMPTS = """
insert into dispatch_attempts (tenant_id, id, delivery_id, destination_id, receipt_id, gateway,
  attempt, status, reason, detail, http_status, error_code, error_subcode, trace_id, batch_id,
  batch_size, duration_ms, created_at, quality, match_keys, funnel_id, received_at, owed_at, day,
  keep_days)
select new.*, (new.created_at at time zone 'UTC')::date, coalesce(t.keep_days, 30)
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[],
  $7::integer[], $8::text[], $9::text[], $10::text[], $11::integer[], $12::integer[],
  $13::integer[], $14::text[], $15::uuid[], $16::integer[], $17::real[], $18::timestamptz[],
  $19::smallint[], $20::text[], $21::uuid[], $22::timestamptz[], $23::timestamptz[])
  as new (tenant_id, id, delivery_id, destination_id, receipt_id, gateway, attempt, status, reason,
    detail, http_status, error_code, error_subcode, trace_id, batch_id, batch_size, duration_ms,
    created_at, quality, match_keys, funnel_id, received_at, owed_at)
left join tenants t on t.id = new.tenant_id
"""

# The tries of one delivery, in order.
LIST_ATTEMPTS = """
select attempt, status, reason, detail, http_status, error_code, error_subcode, trace_id,
  batch_id, batch_size, round(duration_ms::numeric, 1)::float8 as duration_ms, created_at,
  quality / 10.0::float8 as quality, match_keys
from dispatch_attempts where tenant_id = $1 and delivery_id = $2 order by attempt, created_at
limit 200
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one delivery."""

    tenant_id: UUID
    id: UUID
    delivery_id: UUID
    destination_id: UUID
    funnel_id: UUID
    receipt_id: UUID
    received_at: dt.datetime  # when the webhook came in
    owed_at: dt.datetime  # when the delivery was made
    gateway: str
    attempt: int
    status: str
    reason: str | None
    detail: str | None
    facts: CallFacts
    quality: Quality | None
    batch_id: UUID
    created_at: dt.datetime


async def insert_attempts(tx: Tx, attempts: Sequence[Attempt]) -> None:
    """Record the tries of a batch."""
    await tx.execute(INSERT_ATTEMPTS, *columns([_values(attempt) for attempt in attempts]))


async def list_attempts(tx: Tx, *, tenant_id: UUID, delivery_id: UUID) -> Sequence[Row]:
    """Return the tries of one delivery, in order, at most 200."""
    return await tx.fetch(LIST_ATTEMPTS, tenant_id, delivery_id)


def _values(attempt: Attempt) -> tuple[object, ...]:
    facts = attempt.facts
    return (
        attempt.tenant_id,
        attempt.id,
        attempt.delivery_id,
        attempt.destination_id,
        attempt.receipt_id,
        attempt.gateway,
        attempt.attempt,
        attempt.status,
        attempt.reason,
        attempt.detail,
        facts.http_status,
        facts.error_code,
        facts.error_subcode,
        facts.trace_id,
        attempt.batch_id,
        facts.batch_size,
        facts.duration_ms,
        attempt.created_at,
        attempt.quality.tenths if attempt.quality else None,
        attempt.quality.keys if attempt.quality else None,
        attempt.funnel_id,
        attempt.received_at,
        attempt.owed_at,
    )
