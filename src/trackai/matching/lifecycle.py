"""A sale as the sum of its notices: status and details, the same in whatever order they came.

The status is a function of the set of things said. Details (amount, buyer, product) are those of
the weightiest notice; lighter ones only fill what it left open.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar
from uuid import UUID

from trackai.model.conversion import Conversion, ConversionStatus
from trackai.model.notice import Buyer, NoticeStatus, Product, Said, Tracking

# Weight of a notice's details. The approved notice tells what was really paid and by whom.
DETAIL_RANK = {
    NoticeStatus.APPROVED: 50,
    NoticeStatus.COMPLETED: 40,
    NoticeStatus.PENDING: 30,
    NoticeStatus.DISPUTE_WON: 20,
    NoticeStatus.REFUND_REQUESTED: 19,
    NoticeStatus.CHARGED_BACK: 18,
    NoticeStatus.REFUNDED: 17,
    NoticeStatus.PARTIALLY_REFUNDED: 16,
    NoticeStatus.REFUSED: 12,
    NoticeStatus.CANCELED: 11,
    NoticeStatus.ABANDONED: 10,
}
# A provisional notice (payment certain, details to follow) weighs less than the full one.
PROVISIONAL_RANK = 45

# First row whose statuses were all said decides; a `None` veto is never said.
_PRECEDENCE: tuple[tuple[NoticeStatus, NoticeStatus | None, ConversionStatus], ...] = (
    # said, unless this was said too, gives
    (NoticeStatus.REFUNDED, None, ConversionStatus.REFUNDED),
    (NoticeStatus.CHARGED_BACK, NoticeStatus.DISPUTE_WON, ConversionStatus.CHARGED_BACK),
    (NoticeStatus.PARTIALLY_REFUNDED, None, ConversionStatus.PARTIALLY_REFUNDED),
    (NoticeStatus.REFUND_REQUESTED, NoticeStatus.DISPUTE_WON, ConversionStatus.DISPUTED),
    (NoticeStatus.APPROVED, None, ConversionStatus.APPROVED),
    (NoticeStatus.COMPLETED, None, ConversionStatus.APPROVED),
    (NoticeStatus.DISPUTE_WON, None, ConversionStatus.APPROVED),
    (NoticeStatus.CANCELED, None, ConversionStatus.CANCELED),
    (NoticeStatus.REFUSED, None, ConversionStatus.REFUSED),
    (NoticeStatus.PENDING, None, ConversionStatus.PENDING),
    (NoticeStatus.ABANDONED, None, ConversionStatus.ABANDONED),
)

# The money went back, or is with the bank: no event that says "sold" may go out any more.
REVERSED = frozenset({ConversionStatus.REFUNDED, ConversionStatus.CHARGED_BACK})

_EMPTY: tuple[object, ...] = (None, ())

_Details = TypeVar("_Details", Buyer, Product, Tracking)


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose sale it is; settled by the first receipt."""

    tenant_id: UUID
    conversion_id: UUID
    connection_id: UUID
    funnel_id: UUID


def status_of(said: frozenset[NoticeStatus]) -> ConversionStatus:
    """Return where a sale stands when exactly this was said of it, in whatever order."""
    for status, veto, result in _PRECEDENCE:
        if status in said and veto not in said:
            return result
    raise ValueError("nothing was said")


def sum_up(said: Sequence[Said], belonging: Belonging) -> Conversion:
    """Return the sale that these notices describe; their order here does not matter."""
    ordered = sorted(said, key=_weightiest_first)
    notices = [one.notice for one in ordered]
    first = ordered[0]
    return Conversion(
        tenant_id=belonging.tenant_id,
        id=belonging.conversion_id,
        gateway=first.notice.gateway,
        transaction=first.notice.transaction,
        connection_id=belonging.connection_id,
        funnel_id=belonging.funnel_id,
        status=status_of(frozenset(notice.status for notice in notices)),
        recurrence=max(notice.recurrence for notice in notices),
        money=next((notice.money for notice in notices if notice.money), None),
        refunded=max(
            (notice.refunded for notice in notices if notice.refunded),
            key=lambda money: (money.amount_minor, money.currency),
            default=None,
        ),
        product=_filled([notice.product for notice in notices]),
        buyer=_filled([notice.buyer for notice in notices]),
        tracking=_filled([notice.tracking for notice in notices]),
        # A local time without zone can only be guessed; a time in the future is certainly wrong.
        sold_at=min(first.notice.sold_at or first.occurred_at, first.received_at),
        first_seen_at=min(one.received_at for one in ordered),
        subscription=next((one.subscription for one in notices if one.subscription), None),
    )


def _weightiest_first(said: Said) -> tuple[int, dt.datetime, UUID, int]:
    notice = said.notice
    rank = PROVISIONAL_RANK if notice.provisional else DETAIL_RANK[notice.status]
    return -rank, said.occurred_at, said.receipt_id, said.position


def _filled(details: Sequence[_Details]) -> _Details:
    """Return the first one's fields, each gap filled by the first of the others that has it."""
    first, *others = details
    gaps = {
        field.name: value
        for field in fields(first)
        if getattr(first, field.name) in _EMPTY
        for value in [next(filter(None, (getattr(one, field.name) for one in others)), None)]
        if value is not None
    }
    return replace(first, **gaps) if gaps else first
