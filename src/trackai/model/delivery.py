"""A delivery: one event owed to one destination; and what became of each try."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from trackai.model.match import ClickCandidate
from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking


class Trigger(StrEnum):
    """What can make a destination owed an event; the keys of `event_names`."""

    APPROVED = "approved"  # a sale was paid
    RENEWED = "renewed"  # a subscription's later charge was paid
    TRIAL = "trial"  # a sale of 0: the trial of a subscription, or a gift
    PENDING = "pending"  # payment slip or Pix code shown
    REFUSED = "refused"
    CANCELED = "canceled"
    ABANDONED = "abandoned"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"  # waiting for its first or next try
    ACCEPTED = "accepted"  # the destination acknowledged it
    DEAD = "dead"  # given up, with a reason; can be replayed
    DISCARDED = "discarded"  # a dead letter that somebody gave up for good
    WITHHELD = "withheld"  # never to be sent, with a reason (the sale was already reversed)


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """An event that a sale owes to a destination; a withheld one carries its reason."""

    destination_id: uuid.UUID
    event_name: str
    event_id: str
    event_time: dt.datetime
    status: DeliveryStatus
    reason: str | None
    send_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """All that a destination may use to build its own event. Personal data, never logged."""

    delivery_id: uuid.UUID
    event_name: str
    event_id: str
    event_time: dt.datetime
    gateway: str
    transaction: str
    money: Money | None
    product: Product
    buyer: Buyer
    tracking: Tracking
    click: ClickCandidate | None
    recurrence: int = 1


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of the request that carried an event; None where there was no answer."""

    http_status: int | None = None
    error_code: int | None = None
    error_subcode: int | None = None
    trace_id: str | None = None
    batch_size: int = 1
    duration_ms: float = 0.0
    # How long the account asks to be left alone though it took this: its limit is near.
    ease_s: float = 0.0


class ErrorClass(StrEnum):
    """What kind of failure a try met: it decides who waits, and whose try it was."""

    TRANSIENT = "transient"  # nothing was answered, or that nothing can be taken now
    THROTTLED = "throttled"  # too many requests; the platform says how long to wait
    AUTH = "auth"  # the account is refused until a person does something
    INVALID_EVENT = "invalid_event"  # this event will never be taken
    INVALID_BATCH = "invalid_batch"  # too much at once; the events may be good
    PERMANENT = "permanent"  # the request itself is wrong
    UNROUTABLE = "unroutable"  # no request was made: the account cannot be sent with


@dataclass(frozen=True, slots=True)
class Quality:
    """How well an event can be matched to a person, as far as can be told from its keys."""

    tenths: int  # 0 to 100: ten times the score that people see
    keys: str  # names of the identifying keys that it carried, sorted, with blanks between


@dataclass(frozen=True, slots=True)
class Accepted:
    """The destination acknowledged the event."""

    facts: CallFacts
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The destination will never take this event as it is; sending it again is pointless."""

    reason: str  # stable, a metric label
    facts: CallFacts
    detail: str = ""  # the destination's own words, without personal data
    error_class: ErrorClass = ErrorClass.INVALID_EVENT


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: unreachable, throttled, no permission, or not understood; try again later."""

    reason: str
    facts: CallFacts
    retry_after_s: float | None = None
    detail: str = ""
    error_class: ErrorClass = ErrorClass.TRANSIENT


Outcome = Accepted | Rejected | Deferred
