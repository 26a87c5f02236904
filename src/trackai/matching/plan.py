"""Which destinations get an event of a sale, under which name and id, and when.

`event_id` is the gateway and the transaction, nothing else: the same on every retry and every
recomputation, and the buyer's browser can build it on the thank-you page, so that Meta can
discard the pixel's copy (deduplication by event name and event id).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from trackai.matching.lifecycle import REVERSED
from trackai.model.conversion import Conversion, ConversionStatus
from trackai.model.delivery import DeliveryStatus, PlannedDelivery, Trigger
from trackai.model.notice import Notice, NoticeStatus
from trackai.model.tenant import DestinationAccount


class WithheldReason(StrEnum):
    """Why an event that would be owed is never sent."""

    SALE_REVERSED = "sale_reversed"  # refund or chargeback was known before the approval came
    ERASED = "erased"  # the buyer asked to be erased


# Trigger -> event name where a destination does not say otherwise; absent or blank = no event.
# A renewal is no new customer and a trial no money: as "Purchase" they would teach the ad platform
# the wrong thing.
DEFAULT_EVENT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        Trigger.APPROVED: "Purchase",
        Trigger.TRIAL: "StartTrial",
        Trigger.RENEWED: "SubscriptionRenewal",
    }
)

# What an approval can set off.
_PAID = frozenset({Trigger.APPROVED, Trigger.TRIAL, Trigger.RENEWED})

# How long a provisional notice's events wait for the full notice of the same sale.
PROVISIONAL_WAIT = dt.timedelta(seconds=90)

# How long a sale that was approved without its amount waits for a notice that brings it; what is
# still without then is given up by the destination, with the reason.
AMOUNT_WAIT = dt.timedelta(days=1)

# Notice -> trigger, and the status the sale must have for the event to be still true. Approval
# counts whatever came after it; the others only while they are the last word.
_TRIGGERS: Mapping[NoticeStatus, tuple[Trigger, ConversionStatus | None]] = MappingProxyType(
    {
        NoticeStatus.APPROVED: (Trigger.APPROVED, None),
        NoticeStatus.PENDING: (Trigger.PENDING, ConversionStatus.PENDING),
        NoticeStatus.REFUSED: (Trigger.REFUSED, ConversionStatus.REFUSED),
        NoticeStatus.CANCELED: (Trigger.CANCELED, ConversionStatus.CANCELED),
        NoticeStatus.ABANDONED: (Trigger.ABANDONED, ConversionStatus.ABANDONED),
        NoticeStatus.REFUNDED: (Trigger.REFUNDED, ConversionStatus.REFUNDED),
        NoticeStatus.CHARGED_BACK: (Trigger.CHARGED_BACK, ConversionStatus.CHARGED_BACK),
    }
)


def plan_deliveries(
    conversion: Conversion,
    notice: Notice,
    accounts: Sequence[DestinationAccount],
    now: dt.datetime,
    *,
    erased: bool = False,
) -> list[PlannedDelivery]:
    """Return what a sale owes after this notice; planning again gives the same ids again.

    `erased`: its buyer was, so nothing of it is sent.
    """
    trigger = trigger_of(conversion, notice)
    if trigger is None:
        return []
    withheld = _why_withheld(conversion, trigger, erased=erased)
    return [
        PlannedDelivery(
            destination_id=account.id,
            event_name=name,
            event_id=event_id(conversion),
            event_time=_event_time(conversion, notice, trigger),
            status=DeliveryStatus.WITHHELD if withheld else DeliveryStatus.PENDING,
            reason=withheld,
            send_at=now + _wait(conversion, notice, trigger),
        )
        for account in accounts
        if (name := event_name(account, trigger))
    ]


def _why_withheld(
    conversion: Conversion, trigger: Trigger, *, erased: bool
) -> WithheldReason | None:
    if erased:
        return WithheldReason.ERASED
    reversed_ = trigger in _PAID and conversion.status in REVERSED
    return WithheldReason.SALE_REVERSED if reversed_ else None


def _wait(conversion: Conversion, notice: Notice, trigger: Trigger) -> dt.timedelta:
    if trigger in _PAID and conversion.money is None:
        return AMOUNT_WAIT
    return PROVISIONAL_WAIT if notice.provisional else dt.timedelta(0)


def trigger_of(conversion: Conversion, notice: Notice) -> Trigger | None:
    """Return what this notice sets off, given where the sale stands now."""
    trigger, still = _TRIGGERS.get(notice.status, (None, None))
    if still is not None and conversion.status is not still:
        return None
    if trigger is not Trigger.APPROVED:
        return trigger
    if conversion.money is not None and conversion.money.amount_minor == 0:
        return Trigger.TRIAL
    return Trigger.RENEWED if conversion.recurrence > 1 else Trigger.APPROVED


def event_name(account: DestinationAccount, trigger: Trigger) -> str:
    """Return the event's name at this destination; blank when it wants none."""
    return account.event_names.get(trigger, DEFAULT_EVENT_NAMES.get(trigger, ""))


def event_id(conversion: Conversion) -> str:
    """Return what destinations deduplicate by."""
    return f"{conversion.gateway}:{conversion.transaction}"


def _event_time(conversion: Conversion, notice: Notice, trigger: Trigger) -> dt.datetime:
    if trigger in _PAID:
        return conversion.sold_at
    return notice.occurred_at or conversion.sold_at
