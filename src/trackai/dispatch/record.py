"""Writes down what became of a batch: one attempt and one settlement a delivery, together."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from trackai.dispatch.retry import DeadLetter, Done, Next, RetryAt
from trackai.model.clock import NewId
from trackai.model.delivery import Accepted, Deferred, DeliveryStatus, Outcome, Rejected
from trackai.storage.deliveries import Owed, Settlement, settle_deliveries
from trackai.storage.dispatch_attempts import Attempt, insert_attempts
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import ATTEMPTS, WEBHOOK_TO_ACCEPTED_SECONDS

# Longest excerpt of a destination's own words that is kept.
DETAIL_CHARS = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """One delivery, what the destination said, and what comes next."""

    owed: Owed
    outcome: Outcome
    step: Next


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that were tried together."""

    id: UUID
    kind: str  # of destination
    at: dt.datetime
    tried: Sequence[Tried]


async def record(database: Database, batch: Batch, new_id: NewId) -> None:
    """Store attempts and settlements in one transaction, then log and count them."""
    async with database.transaction() as tx:
        await insert_attempts(tx, [_attempt(batch, one, new_id()) for one in batch.tried])
        await settle_deliveries(tx, [_settlement(one, batch.at) for one in batch.tried])
    for one in batch.tried:
        _report(batch, one)


def _attempt(batch: Batch, tried: Tried, attempt_id: UUID) -> Attempt:
    status, reason, detail = _words(tried.outcome)
    owed = tried.owed
    return Attempt(
        tenant_id=owed.tenant_id,
        id=attempt_id,
        delivery_id=owed.event.delivery_id,
        destination_id=owed.destination_id,
        receipt_id=owed.receipt_id,
        gateway=owed.event.gateway,
        attempt=owed.attempts + 1,
        status=status,
        reason=reason,
        detail=detail[:DETAIL_CHARS] or None,
        facts=tried.outcome.facts,
        batch_id=batch.id,
        created_at=batch.at,
    )


def _words(outcome: Outcome) -> tuple[str, str | None, str]:
    match outcome:
        case Accepted():
            return "accepted", None, ""
        case Rejected(reason=reason, detail=detail):
            return "rejected", reason, detail
        case Deferred(reason=reason, detail=detail):
            return "deferred", reason, detail
        case _:
            assert_never(outcome)


def _settlement(tried: Tried, now: dt.datetime) -> Settlement:
    tenant_id, delivery_id = tried.owed.tenant_id, tried.owed.event.delivery_id
    match tried.step:
        case Done():
            return Settlement(tenant_id, delivery_id, DeliveryStatus.ACCEPTED, None, None, now)
        case RetryAt(at=at, reason=reason):
            return Settlement(tenant_id, delivery_id, DeliveryStatus.PENDING, reason, at, None)
        case DeadLetter(reason=reason):
            return Settlement(tenant_id, delivery_id, DeliveryStatus.DEAD, reason, None, now)
        case _:
            assert_never(tried.step)


def _report(batch: Batch, tried: Tried) -> None:
    status, reason, _ = _words(tried.outcome)
    owed, facts = tried.owed, tried.outcome.facts
    ATTEMPTS.labels(batch.kind, status, reason or "").inc()
    whole_s = (batch.at - owed.received_at).total_seconds()
    if status == "accepted":
        WEBHOOK_TO_ACCEPTED_SECONDS.labels(owed.event.gateway).observe(whole_s)
    get_logger().info(
        "delivery.attempted",
        receipt_id=str(owed.receipt_id),
        tenant_id=str(owed.tenant_id),
        delivery_id=str(owed.event.delivery_id),
        destination=batch.kind,
        gateway=owed.event.gateway,
        event_name=owed.event.event_name,
        event_id=owed.event.event_id,
        attempt=owed.attempts + 1,
        outcome=status,
        reason=reason,
        next=type(tried.step).__name__,
        http_status=facts.http_status,
        trace_id=facts.trace_id,
        batch_size=facts.batch_size,
        call_ms=round(facts.duration_ms, 1),
        whole_ms=round(whole_s * 1000, 1),
    )
