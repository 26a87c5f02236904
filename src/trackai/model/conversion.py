"""A conversion: what happened to one sale, one row per tenant, gateway and transaction."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking


class ConversionStatus(StrEnum):
    """Where a sale stands, whatever the order its notices came in."""

    ABANDONED = "abandoned"
    PENDING = "pending"
    REFUSED = "refused"
    CANCELED = "canceled"
    APPROVED = "approved"
    DISPUTED = "disputed"  # refund asked or mediation open; the money is still the seller's
    PARTIALLY_REFUNDED = "partially_refunded"
    CHARGED_BACK = "charged_back"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Conversion:
    """The sum of all notices of one transaction."""

    tenant_id: uuid.UUID
    id: uuid.UUID
    gateway: str
    transaction: str
    connection_id: uuid.UUID
    funnel_id: uuid.UUID
    status: ConversionStatus
    recurrence: int
    money: Money | None
    refunded: Money | None
    product: Product
    buyer: Buyer
    tracking: Tracking
    sold_at: dt.datetime  # the platform's time of payment, or of order, or our receipt's time
    first_seen_at: dt.datetime
    subscription: str | None = None  # the platform's own id, the same for all its charges
