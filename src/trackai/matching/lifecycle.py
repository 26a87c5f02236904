"""Where a sale stands, computed from everything that was ever said of it.

The status is a function of the set of notices, so it does not depend on their order or on how
often each came. Details (amount, buyer, product) are those of the weightiest notice; lighter ones
only fill what it left open.
"""

import datetime as dt
from dataclasses import dataclass, fields, replace
from typing import TypeVar
from uuid import UUID

from trackai.model.conversion import Conversion, ConversionStatus
from trackai.model.money import Money
from trackai.model.notice import Buyer, Notice, NoticeStatus, Product, Tracking

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

_Details = TypeVar("_Details", Buyer, Product, Tracking)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a conversion's first notice came in."""

    tenant_id: UUID
    connection_id: UUID
    funnel_id: UUID
    received_at: dt.datetime


def status_of(said: frozenset[NoticeStatus]) -> ConversionStatus:
    """Return where a sale stands when exactly this was said of it, in whatever order."""
    for status, veto, result in _PRECEDENCE:
        if status in said and veto not in said:
            return result
    raise ValueError("nothing was said")


def begin(notice: Notice, origin: Origin, conversion_id: UUID) -> Conversion:
    """Return the conversion that a first notice opens."""
    return Conversion(
        tenant_id=origin.tenant_id,
        id=conversion_id,
        gateway=notice.gateway,
        transaction=notice.transaction,
        connection_id=origin.connection_id,
        funnel_id=origin.funnel_id,
        status=status_of(frozenset({notice.status})),
        recurrence=notice.recurrence,
        money=notice.money,
        refunded=notice.refunded,
        product=notice.product,
        buyer=notice.buyer,
        tracking=notice.tracking,
        sold_at=_sold_at(notice, origin.received_at),
        detail_rank=detail_rank(notice),
        first_seen_at=origin.received_at,
    )


def absorb(
    conversion: Conversion,
    notice: Notice,
    said: frozenset[NoticeStatus],
    received_at: dt.datetime,
) -> Conversion:
    """Return the conversion after one more notice; `said` includes that notice's status."""
    rank = detail_rank(notice)
    prefer_new = rank > conversion.detail_rank
    return replace(
        conversion,
        status=status_of(said),
        recurrence=max(conversion.recurrence, notice.recurrence),
        money=_first(notice.money, conversion.money, prefer_new),
        refunded=_larger(conversion.refunded, notice.refunded),
        product=_filled(conversion.product, notice.product, prefer_new=prefer_new),
        buyer=_filled(conversion.buyer, notice.buyer, prefer_new=prefer_new),
        tracking=_filled(conversion.tracking, notice.tracking, prefer_new=prefer_new),
        sold_at=_sold_at(notice, received_at) if prefer_new else conversion.sold_at,
        detail_rank=max(rank, conversion.detail_rank),
        first_seen_at=min(conversion.first_seen_at, received_at),
    )


def detail_rank(notice: Notice) -> int:
    """Return the weight of a notice's details."""
    return PROVISIONAL_RANK if notice.provisional else DETAIL_RANK[notice.status]


def _sold_at(notice: Notice, received_at: dt.datetime) -> dt.datetime:
    # A platform's local time without zone can only be guessed; the future is certainly wrong.
    return min(notice.sold_at or notice.occurred_at or received_at, received_at)


def _first(new: Money | None, old: Money | None, prefer_new: bool) -> Money | None:  # noqa: FBT001
    return (new or old) if prefer_new else (old or new)


def _larger(old: Money | None, new: Money | None) -> Money | None:
    if old is None or new is None:
        return old or new
    return max(old, new, key=lambda money: (money.amount_minor, money.currency))


def _filled(old: _Details, new: _Details, *, prefer_new: bool) -> _Details:
    """Return the preferred one's fields, with the other's where it has none."""
    strong, weak = (new, old) if prefer_new else (old, new)
    gaps = {
        field.name: getattr(weak, field.name)
        for field in fields(strong)
        if getattr(strong, field.name) in (None, ())
    }
    return replace(strong, **gaps)
