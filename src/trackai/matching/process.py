"""Job: one receipt, one transaction, from stored bytes to owed deliveries.

1. Claim the next receipt and open it. Whose gateway is off for the tenant: held, until released.
2. Let its gateway parse it. Not understood: kept as failed, for reprocessing. Not a sale: ignored.
3. Take each notice into its sale: conversion, match, deliveries (sale.py).
4. Mark the receipt, emptied where it speaks of somebody who was erased; commit all or nothing.

Anything unexpected rolls back and is tried again later; after many tries the receipt is kept as
failed. Doing it again with the same bytes changes nothing that is there.
"""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from trackai.errors import InvariantBroken, PayloadNotUnderstood, StorageUnavailable, TrackaiError
from trackai.flags.catalogue import gateway_flag
from trackai.flags.switches import Board, Switches
from trackai.gateways.port import Gateway, InboundRequest
from trackai.matching.sale import Taken, Tools, take_notice
from trackai.model.notice import NotASale, Notice
from trackai.privacy.guard import Guard
from trackai.storage import receipts
from trackai.storage.held import SWITCHED_OFF, hold_receipt
from trackai.storage.pool import Database, Tx
from trackai.storage.receipts import Receipt, ReceiptState, SealedReceipt
from trackai.telemetry import tracing
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import RECEIPTS
from trackai.telemetry.tracing import Span

# Unexpected failures: pause after the first, doubled each time up to the longest; after the last
# the receipt is kept as failed (visible, can be reprocessed).
FIRST_PAUSE = dt.timedelta(seconds=2)
LONGEST_PAUSE = dt.timedelta(minutes=15)
MOST_ATTEMPTS = 12
# Sales in one body. Platforms send one, or the items of one basket; each takes a lock and a while.
MOST_NOTICES = 100


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a receipt."""

    state: ReceiptState
    reason: str | None
    event: str | None = None
    taken: tuple[Taken, ...] = ()


class ReceiptProcessor:
    """Works receipts off, one at a time; several may run side by side."""

    def __init__(
        self,
        database: Database,
        tools: Tools,
        gateways: Mapping[str, Gateway],
        switches: Switches | None = None,
    ) -> None:
        self._database = database
        self._tools = tools
        self._gateways = gateways
        self._switches = switches  # None: everything is on

    async def step(self) -> bool:
        """Work one receipt off; False when none was due. StorageUnavailable: try again later."""
        with tracing.span(tracing.RECEIPT) as span:
            return await self._step(span)

    async def _step(self, span: Span) -> bool:
        claimed: SealedReceipt | None = None
        started = time.perf_counter()
        board = await self._switches.board() if self._switches else None
        try:
            async with self._database.transaction() as tx:
                now = self._tools.clock.now()
                claimed = await receipts.claim_receipt_all_tenants(tx, now=now)
                if claimed is None:
                    return False
                span.joins(claimed.id)
                if _is_off(board, claimed):
                    await hold_receipt(tx, claimed)
                    _report_held(claimed)
                    return True
                receipt = await receipts.open_receipt(tx, self._tools.envelope, claimed)
                guard = await Guard.stand(tx, self._tools.envelope, receipt)
                result = await self._work(tx, receipt, guard)
                await receipts.finish_receipt(
                    tx, claimed, result.state, reason=result.reason, event=result.event, now=now
                )
                await guard.empty(
                    self._tools.clock,
                    taken=any(one.erased for one in result.taken),
                    again=claimed.attempts > 0,
                )
        except StorageUnavailable:
            raise
        except Exception as error:  # one receipt's trouble must not stop the others
            if claimed is None:
                raise
            result = await self._set_aside(claimed, error)
            span.fails(result.reason or "")
        _note(span, claimed, result)
        _report(claimed, result, time.perf_counter() - started)
        return True

    async def _work(self, tx: Tx, receipt: Receipt, guard: Guard) -> Result:
        adapter = self._gateways.get(receipt.gateway)
        if adapter is None:
            raise InvariantBroken("The receipt's gateway is not installed.")
        request = InboundRequest(
            receipt.body, receipt.request.headers, receipt.request.query, receipt.received_at
        )
        try:
            with tracing.span(tracing.PARSE):
                parsed = adapter.parse(request)
        except PayloadNotUnderstood as error:
            return Result(ReceiptState.FAILED, str(error))
        if isinstance(parsed, NotASale):
            return Result(ReceiptState.IGNORED, parsed.reason, parsed.event)
        if len(parsed) > MOST_NOTICES:
            return Result(ReceiptState.FAILED, f"The body holds more than {MOST_NOTICES} sales.")
        notices = [_with_address(notice, adapter.checkout_url) for notice in parsed]
        # One order for all workers: two receipts about the same sales cannot deadlock.
        ordered = sorted(enumerate(notices), key=lambda item: item[1].transaction)
        taken = [
            await take_notice(tx, self._tools, guard, position, notice)
            for position, notice in ordered
        ]
        return Result(
            ReceiptState.PROCESSED,
            None,
            ", ".join(dict.fromkeys(notice.event for notice in parsed)),
            tuple(taken),
        )

    async def _set_aside(self, claimed: SealedReceipt, error: Exception) -> Result:
        """Record the failure in a transaction of its own: the work's was rolled back."""
        code = error.code if isinstance(error, TrackaiError) else type(error).__name__
        get_logger().error(
            "receipt.failed", receipt_id=str(claimed.id), reason=code, exc_info=error
        )
        now = self._tools.clock.now()
        async with self._database.transaction() as tx:
            if claimed.attempts + 1 >= MOST_ATTEMPTS:
                result = Result(ReceiptState.FAILED, code)
                await receipts.finish_receipt(tx, claimed, result.state, reason=code, now=now)
                await self._empty(tx, claimed)
                return result
            pause = min(FIRST_PAUSE * 2**claimed.attempts, LONGEST_PAUSE)
            await receipts.postpone_receipt(tx, claimed, reason=code, run_at=now + pause)
        return Result(ReceiptState.RECEIVED, code)

    async def _empty(self, tx: Tx, claimed: SealedReceipt) -> None:
        """Keep nothing of somebody who was erased in a receipt that nobody works on any more."""
        try:
            receipt = await receipts.open_receipt(tx, self._tools.envelope, claimed)
        except InvariantBroken:  # does not open: it may be why the receipt failed
            return
        guard = await Guard.stand(tx, self._tools.envelope, receipt)
        await guard.empty(self._tools.clock, taken=False, again=True)


def _is_off(board: Board | None, claimed: SealedReceipt) -> bool:
    return board is not None and not board.of(gateway_flag(claimed.gateway), claimed.tenant_id).on


def _report_held(claimed: SealedReceipt) -> None:
    get_logger().info(
        "receipt.held",
        receipt_id=str(claimed.id),
        tenant_id=str(claimed.tenant_id),
        gateway=claimed.gateway,
        reason=SWITCHED_OFF,
    )


def _with_address(notice: Notice, checkout_url: str) -> Notice:
    """Return the notice with the platform's own address where it names no page."""
    if notice.tracking.checkout_url is not None:
        return notice
    return replace(notice, tracking=replace(notice.tracking, checkout_url=checkout_url))


def _note(span: Span, claimed: SealedReceipt, result: Result) -> None:
    span.note(
        receipt_id=claimed.id,
        tenant_id=claimed.tenant_id,
        gateway=claimed.gateway,
        attempt=claimed.attempts + 1,
        outcome=result.state.value,
        owed=sum(one.owed for one in result.taken),
    )


def _report(claimed: SealedReceipt, result: Result, seconds: float) -> None:
    RECEIPTS.labels(claimed.gateway, result.state.value).inc()
    get_logger().info(
        "receipt.processed",
        receipt_id=str(claimed.id),
        tenant_id=str(claimed.tenant_id),
        gateway=claimed.gateway,
        outcome=result.state.value,
        reason=result.reason,
        platform_event=result.event,
        transactions=[one.conversion.transaction for one in result.taken],
        statuses=[one.conversion.status.value for one in result.taken],
        matches=[one.strategy.value for one in result.taken],
        fresh=sum(one.fresh for one in result.taken),
        owed=sum(one.owed for one in result.taken),
        work_ms=round(seconds * 1000, 1),
    )
