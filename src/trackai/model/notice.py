"""A notice: one webhook receipt in our words, after its gateway's `parse`."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from trackai.model.money import Money


class NoticeStatus(StrEnum):
    """What a notice says of its transaction. The values are stored and shown."""

    PENDING = "pending"  # payment slip or Pix code shown, card in review: no money yet
    APPROVED = "approved"  # paid
    REFUSED = "refused"  # the charge failed
    CANCELED = "canceled"  # expired or withdrawn before payment
    ABANDONED = "abandoned"  # left the checkout without an attempt to pay
    REFUND_REQUESTED = "refund_requested"  # the buyer asked; money not back yet
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"  # the card's bank or Pix's MED took the money back
    DISPUTE_WON = "dispute_won"  # a chargeback or dispute ended in the seller's favour
    COMPLETED = "completed"  # warranty over, weeks later: the same sale again, never a new one


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, as the platform wrote it: raw, not normalized, None where absent.

    Personal data: stored only inside an envelope, never logged.
    """

    email: str | None = None
    phone: str | None = None  # with country code where the platform gives one apart
    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2 where the platform gives a code
    birth_date: str | None = None
    document: str | None = None  # CPF or CNPJ
    client_ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """What came back through the checkout, exactly as received (case preserved)."""

    click_ids: tuple[str, ...] = ()  # candidates for our click id, most trusted parameter first
    fbc: str | None = None
    fbp: str | None = None
    fbclid: str | None = None
    src: str | None = None
    sck: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    checkout_url: str | None = None  # the platform's page where the sale was made, without query


@dataclass(frozen=True, slots=True)
class Product:
    """What was sold; the identifiers are the platform's own text."""

    product_id: str | None = None
    name: str | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """One statement of a platform about one transaction.

    `transaction` is the platform's own text, the same over the transaction's life; a renewal that
    a platform reports under its first code gets `code#n`. `occurred_at` is when this status came
    about by the platform's word, None where it does not say. `sold_at` is when the sale was paid
    (or ordered, before payment). `event` is the platform's own word for what happened.
    """

    gateway: str
    transaction: str
    status: NoticeStatus
    event: str
    occurred_at: dt.datetime | None = None
    sold_at: dt.datetime | None = None
    money: Money | None = None
    refunded: Money | None = None  # total given back so far, where the platform says
    product: Product = field(default_factory=Product)
    buyer: Buyer = field(default_factory=Buyer)
    tracking: Tracking = field(default_factory=Tracking)
    recurrence: int = 1  # 1 = first or only charge; 2 and up = a subscription's renewal
    subscription: str | None = None  # the platform's own id of the subscription
    # Payment is certain but a richer notice of the same sale (with buyer and click id) is on its
    # way: hold the sale's events back for a short while so that they go out complete.
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class NotASale:
    """An authentic notice that moves no money: stored, acknowledged, not processed further."""

    event: str  # the platform's own word
    reason: str  # stable and short, a metric label: "subscription_canceled", "unknown_event", ...


@dataclass(frozen=True, slots=True)
class Said:
    """One notice and where it came from."""

    notice: Notice
    receipt_id: uuid.UUID
    position: int  # in the receipt, for platforms that send several at once
    received_at: dt.datetime

    @property
    def occurred_at(self) -> dt.datetime:
        """When this was so by the platform's word, or by our receipt."""
        return self.notice.occurred_at or self.received_at
