"""One notice into its sale: conversion, match and owed deliveries, inside the caller's transaction.

Every step is idempotent: the same notice again leaves everything as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trackai.errors import InvariantBroken
from trackai.matching import lifecycle
from trackai.matching.ladder import climb, improves
from trackai.matching.lookup import StoredClicks, remember_buyer
from trackai.matching.plan import plan_deliveries
from trackai.matching.window import look_again_at
from trackai.model.clock import Clock, NewId
from trackai.model.conversion import Conversion
from trackai.model.delivery import DeliveryStatus, PlannedDelivery
from trackai.model.match import FINAL, MatchStrategy
from trackai.model.notice import Notice, Said
from trackai.privacy.guard import Guard
from trackai.privacy.remains import said_by_nobody, sale_of_nobody
from trackai.queue.port import Queue
from trackai.storage import (
    conversions,
    deliveries,
    destinations,
    erasing,
    gateway_connections,
    matches,
    tenants,
)
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.queue_messages import QueuedDelivery
from trackai.storage.receipts import Receipt
from trackai.telemetry import tracing
from trackai.telemetry.metrics import MATCHES


@dataclass(frozen=True, slots=True)
class Tools:
    """What taking a notice needs besides the transaction."""

    envelope: Envelope
    queue: Queue
    clock: Clock
    new_id: NewId


@dataclass(frozen=True, slots=True)
class Taken:
    """What a notice changed: `fresh` when it said something not said before.

    `erased`: the buyer was, at their request.
    """

    conversion: Conversion
    strategy: MatchStrategy
    fresh: bool
    owed: int
    erased: bool = False


async def take_notice(tx: Tx, tools: Tools, guard: Guard, position: int, notice: Notice) -> Taken:
    """Take one notice of the guarded receipt into its sale and owe what follows from it.

    The sale of somebody who was erased is stored of nobody, and owes nothing.
    """
    receipt = guard.receipt
    said = Said(notice, receipt.id, position, receipt.received_at)
    conversion, fresh, erased = await _sum_up(tx, tools, guard, said)
    with tracing.span(tracing.MATCH) as span:
        strategy = await match_conversion(tx, tools, conversion)
        span.note(conversion_id=conversion.id, match=strategy.value)
    accounts = await destinations.list_destinations_of_funnel(
        tx, tools.envelope, tenant_id=conversion.tenant_id, funnel_id=conversion.funnel_id
    )
    plans = plan_deliveries(conversion, notice, accounts, tools.clock.now(), erased=erased)
    owed = await _owe(tx, tools, receipt, conversion, plans)
    if not notice.provisional and conversion.money is not None:
        await _hasten(tx, tools, conversion)
    return Taken(conversion, strategy, fresh, owed, erased)


async def _sum_up(tx: Tx, tools: Tools, guard: Guard, said: Said) -> tuple[Conversion, bool, bool]:
    """Store what was said and what it makes of the sale; whether it is new, and of nobody."""
    belonging, before, erased = await _find(tx, tools, guard.receipt, said)
    others = [
        one for one in before if (one.receipt_id, one.position) != (guard.receipt.id, said.position)
    ]
    conversion = lifecycle.sum_up([*others, said], belonging)
    if erased or await guard.is_erased(said.notice.buyer, conversion.buyer):
        erased, said, conversion = True, said_by_nobody(said), sale_of_nobody(conversion)
    now = tools.clock.now()
    await conversions.save_conversion(tx, tools.envelope, conversion, now=now, erased=erased)
    if erased:
        await erasing.end_deliveries(
            tx, tenant_id=belonging.tenant_id, conversion_id=conversion.id, now=now
        )
    await conversions.save_notice(
        tx,
        tools.envelope,
        said,
        tenant_id=belonging.tenant_id,
        conversion_id=belonging.conversion_id,
    )
    fresh = said.notice.status not in {one.notice.status for one in before}
    return conversion, fresh, erased


async def _find(
    tx: Tx, tools: Tools, receipt: Receipt, said: Said
) -> tuple[lifecycle.Belonging, list[Said], bool]:
    """Return whose sale it is, what was said before, and whether its buyer was erased.

    Nobody else looks at it meanwhile.
    """
    tenant_id, notice = receipt.tenant_id, said.notice
    sale = {"gateway": notice.gateway, "transaction": notice.transaction}
    await conversions.lock_transaction(tx, tenant_id=tenant_id, **sale)
    known = await conversions.find_sale(tx, tenant_id=tenant_id, **sale)
    if known is None:
        funnel_id = await gateway_connections.find_funnel_id(
            tx, tenant_id=tenant_id, connection_id=receipt.connection_id
        )
        if funnel_id is None:
            raise InvariantBroken("The receipt's gateway connection is gone.")
        belonging = lifecycle.Belonging(tenant_id, tools.new_id(), receipt.connection_id, funnel_id)
        return belonging, [], False
    belonging = lifecycle.Belonging(tenant_id, known.id, known.connection_id, known.funnel_id)
    before = await conversions.list_notices(
        tx, tools.envelope, tenant_id=tenant_id, conversion_id=known.id
    )
    return belonging, before, known.erased


async def match_conversion(tx: Tx, tools: Tools, conversion: Conversion) -> MatchStrategy:
    """Match a sale, or better than before; what was sent of it is not sent again."""
    tenant_id = conversion.tenant_id
    before = await matches.find_decision(tx, tenant_id=tenant_id, conversion_id=conversion.id)
    if before is not None and before.strategy in FINAL:
        return before.strategy
    funnel = await tenants.find_funnel(tx, tenant_id=tenant_id, funnel_id=conversion.funnel_id)
    if funnel is None:
        raise InvariantBroken("The conversion's funnel is gone.")
    match = await climb(conversion, funnel, StoredClicks(tx, tools.envelope, conversion))
    now, strategy = tools.clock.now(), match.strategy
    if before is not None and not improves(match, before):
        strategy = before.strategy
    else:
        await matches.save_match(
            tx, match, tenant_id=tenant_id, conversion_id=conversion.id, now=now
        )
        await remember_buyer(tx, tools.envelope, conversion, match)
        MATCHES.labels(conversion.gateway, strategy.value).inc()
    at = None if strategy in FINAL else look_again_at(conversion, funnel, now)
    await matches.set_look_again(tx, tenant_id=tenant_id, conversion_id=conversion.id, at=at)
    return strategy


async def _owe(
    tx: Tx,
    tools: Tools,
    receipt: Receipt,
    conversion: Conversion,
    plans: Sequence[PlannedDelivery],
) -> int:
    queued = []
    for plan in plans:
        delivery_id = tools.new_id()
        delivery = deliveries.NewDelivery(
            tenant_id=conversion.tenant_id,
            id=delivery_id,
            conversion_id=conversion.id,
            funnel_id=conversion.funnel_id,
            gateway=conversion.gateway,
            receipt_id=receipt.id,
            received_at=receipt.received_at,
            plan=plan,
        )
        with tracing.span(tracing.OWE) as span:
            fresh = await deliveries.insert_delivery(tx, delivery, now=tools.clock.now())
            span.is_about(delivery_id)
            span.note(delivery_id=delivery_id, event_name=plan.event_name, status=plan.status.value)
            if not fresh:
                span.drop()
        if fresh and plan.status is DeliveryStatus.PENDING:
            queued.append(
                QueuedDelivery(conversion.tenant_id, delivery_id, plan.destination_id, plan.send_at)
            )
    if queued:
        await tools.queue.enqueue(tx, queued)
    return len(queued)


async def _hasten(tx: Tx, tools: Tools, conversion: Conversion) -> None:
    """Send now what waited for a full notice or for the amount: the sale is complete."""
    tenant_id, now = conversion.tenant_id, tools.clock.now()
    held = await deliveries.hasten_of_conversion(
        tx, tenant_id=tenant_id, conversion_id=conversion.id, now=now
    )
    if held:
        await tools.queue.hasten(tx, tenant_id=tenant_id, delivery_ids=held, now=now)
