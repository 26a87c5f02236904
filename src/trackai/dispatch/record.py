"""Writes down what became of a batch: attempts, breaker and settlements in one transaction."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from trackai.dispatch.breaker import Signal
from trackai.dispatch.gate import Admitted, Gate, Lane
from trackai.dispatch.retry import DeadLetter, Done, Next, RetryAt
from trackai.model.clock import NewId
from trackai.model.delivery import Accepted, Deferred, DeliveryStatus, Outcome, Quality, Rejected
from trackai.storage.deliveries import Owed, Settlement, settle_deliveries
from trackai.storage.dispatch_attempts import Attempt, insert_attempts
from trackai.storage.match_quality import Graded, add_quality_all_tenants
from trackai.storage.pool import Database
from trackai.telemetry import tracing
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import ATTEMPTS, STAGE_SECONDS, WEBHOOK_TO_ACCEPTED_SECONDS

# Longest excerpt of a destination's own words that is kept.
DETAIL_CHARS = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """One delivery, what the destination said, and what comes next."""

    owed: Owed
    outcome: Outcome
    step: Next
    failed_tries: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that were tried together, and what their requests said of the destination."""

    id: UUID
    kind: str  # of destination
    at: dt.datetime
    lane: Lane | None  # None: no request could be made
    admitted: Admitted
    signals: Sequence[Signal]


# Says what each delivery becomes, given whether the destination is well.
Judge = Callable[[bool], Sequence[Tried]]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes batches down."""

    database: Database
    gate: Gate
    new_id: NewId

    async def record(self, batch: Batch, judge: Judge) -> Sequence[Tried]:
        """Store what a batch became, then log and count it; return what was decided."""
        async with self.database.transaction() as tx:
            well = True
            if batch.lane is not None:
                well = await self.gate.note(tx, batch.lane, batch.admitted, batch.signals, batch.at)
            tried = judge(well)
            await insert_attempts(tx, [_attempt(batch, one, self.new_id()) for one in tried])
            await settle_deliveries(tx, [_settlement(one, batch.at) for one in tried])
            graded = [found for one in tried if (found := _graded(one)) is not None]
            await add_quality_all_tenants(tx, graded, at=batch.at)
        _count(batch, tried)
        if tracing.is_on():
            _trace(batch, tried)
        for one in tried:
            _report(batch, one)
        return tried


def _attempt(batch: Batch, tried: Tried, attempt_id: UUID) -> Attempt:
    status, reason, detail = _words(tried.outcome)
    owed = tried.owed
    return Attempt(
        tenant_id=owed.tenant_id,
        id=attempt_id,
        delivery_id=owed.event.delivery_id,
        destination_id=owed.destination_id,
        funnel_id=owed.funnel_id,
        receipt_id=owed.receipt_id,
        received_at=owed.received_at,
        owed_at=owed.created_at,
        gateway=owed.event.gateway,
        attempt=owed.attempts + 1,
        status=status,
        reason=reason,
        detail=detail[:DETAIL_CHARS] or None,
        facts=tried.outcome.facts,
        quality=_quality(tried.outcome),
        batch_id=batch.id,
        created_at=batch.at,
    )


def _quality(outcome: Outcome) -> Quality | None:
    return outcome.quality if isinstance(outcome, Accepted) else None


def _graded(tried: Tried) -> Graded | None:
    quality = _quality(tried.outcome)
    if quality is None:
        return None
    owed = tried.owed
    return Graded(
        owed.tenant_id,
        owed.destination_id,
        owed.event.event_name,
        quality.keys,
        quality.tenths,
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
    status, reason, next_at, settled_at = _end(tried.step, now)
    return Settlement(
        tenant_id=tried.owed.tenant_id,
        delivery_id=tried.owed.event.delivery_id,
        status=status,
        reason=reason,
        next_at=next_at,
        settled_at=settled_at,
        failed_tries=tried.failed_tries,
    )


def _end(
    step: Next, now: dt.datetime
) -> tuple[DeliveryStatus, str | None, dt.datetime | None, dt.datetime | None]:
    match step:
        case Done():
            return DeliveryStatus.ACCEPTED, None, None, now
        case RetryAt(at=at, reason=reason):
            return DeliveryStatus.PENDING, reason, at, None
        case DeadLetter(reason=reason):
            return DeliveryStatus.DEAD, reason, None, now
        case _:
            assert_never(step)


def _count(batch: Batch, tried: Sequence[Tried]) -> None:
    counted = Counter(_words(one.outcome)[:2] for one in tried)
    for (status, reason), number in counted.items():
        ATTEMPTS.labels(batch.kind, status, reason or "").inc(number)
    for one in tried:
        for stage, seconds in _stages(batch, one).items():
            STAGE_SECONDS.labels(stage).observe(max(seconds, 0.0))
        if isinstance(one.outcome, Accepted):
            whole_s = (batch.at - one.owed.received_at).total_seconds()
            WEBHOOK_TO_ACCEPTED_SECONDS.labels(one.owed.event.gateway).observe(whole_s)


def _stages(batch: Batch, tried: Tried) -> dict[str, float]:
    """Return stage -> seconds, as pages show them: of a try the call, of a success all the rest."""
    call_s = tried.outcome.facts.duration_ms / 1000
    if not isinstance(tried.outcome, Accepted):
        return {"call": call_s}
    owed = tried.owed
    return {
        "match": (owed.created_at - owed.received_at).total_seconds(),
        "wait": (batch.at - owed.created_at).total_seconds() - call_s,
        "call": call_s,
        "whole": (batch.at - owed.received_at).total_seconds(),
    }


def _report(batch: Batch, tried: Tried) -> None:
    status, reason, _ = _words(tried.outcome)
    owed, facts = tried.owed, tried.outcome.facts
    whole_s = (batch.at - owed.received_at).total_seconds()
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


def _trace(batch: Batch, tried: Sequence[Tried]) -> None:
    """Tell of each try below its delivery; of tries that went together also what carried them."""
    ended_ns = int(batch.at.timestamp() * 1e9)
    above = (batch.id, tracing.span_id_of(tracing.BATCH, batch.id)) if len(tried) > 1 else None
    links = []
    for one in tried:
        span = _attempt_span(batch, one, ended_ns, [above] if above else [])
        tracing.tell(span)
        if tracing.wanted(span.trace_id):
            links.append((span.trace_id, span.span_id))
    if above is None or not links:
        return
    began_ns = ended_ns - max(_call_ns(one) for one in tried)
    facts: dict[str, tracing.Value] = {"destination": batch.kind, "events": len(tried)}
    tracing.tell(tracing.Done(tracing.BATCH, *above, None, began_ns, ended_ns, facts, links=links))


def _attempt_span(
    batch: Batch, tried: Tried, ended_ns: int, links: Sequence[tuple[UUID, int]]
) -> tracing.Done:
    status, reason, _ = _words(tried.outcome)
    owed, facts = tried.owed, tried.outcome.facts
    delivery_id, number = owed.event.delivery_id, owed.attempts + 1
    return tracing.Done(
        tracing.ATTEMPT,
        owed.receipt_id,
        # Two workers may both try a delivery, when the first outlived its lease.
        tracing.span_id_of(f"{tracing.ATTEMPT} {number} {batch.id}", delivery_id),
        tracing.span_id_of(tracing.OWE, delivery_id),
        ended_ns - _call_ns(tried),
        ended_ns,
        {
            "delivery_id": delivery_id,
            "tenant_id": owed.tenant_id,
            "destination": batch.kind,
            "event_name": owed.event.event_name,
            "attempt": number,
            "outcome": status,
            "reason": reason,
            "next": type(tried.step).__name__,
            "http_status": facts.http_status,
            "batch_id": batch.id,
            "batch_size": facts.batch_size,
        },
        None if status == "accepted" else reason,
        links,
    )


def _call_ns(tried: Tried) -> int:
    return int(tried.outcome.facts.duration_ms * 1e6)
