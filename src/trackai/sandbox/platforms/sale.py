"""A sale as the stand-ins tell it, and what one of their webhooks is made of."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from trackai.model.money import Money

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
_NAMES = uuid.UUID("5f0c8a52-8a5c-5c70-9d55-3a4f5b7e1c11")  # for ids made from a sale

JsonObject = dict[str, Any]


class SaleStatus(StrEnum):
    """What a platform can be asked to say of a sale."""

    PENDING = "pending"  # boleto or Pix code shown
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELED = "canceled"  # expired before payment
    REFUNDED = "refunded"
    CHARGED_BACK = "charged_back"
    DISPUTED = "disputed"  # the buyer asked for the money
    COMPLETED = "completed"  # warranty over
    ABANDONED = "abandoned"  # left the checkout
    RENEWAL = "renewal"  # a later charge of a subscription


class NoSuchNotice(ValueError):
    """The platform has no notice for this status."""


@dataclass(frozen=True, slots=True)
class Person:
    """An invented buyer; addresses are of example.com and of networks for documentation."""

    full_name: str = "Maria da Conceição"
    email: str = "maria@example.com"
    phone: str = "5511999990000"  # country, area, number: digits
    document: str = "12345678909"
    city: str = "São Paulo"
    state: str = "SP"
    zip_code: str = "01001-000"
    country: str = "BR"
    client_ip: str = "203.0.113.7"
    user_agent: str = "Mozilla/5.0 (Linux; Android 10; K)"

    @property
    def first_name(self) -> str:
        """The first word of the name."""
        return self.full_name.partition(" ")[0]

    @property
    def last_name(self) -> str:
        """The rest of the name."""
        return self.full_name.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale: the same through all its notices."""

    transaction: str  # in the platform's own form; Platform.transaction makes one
    sold_at: dt.datetime
    amount_minor: int = 19_700
    currency: str = "BRL"
    buyer: Person = field(default_factory=Person)
    product: str = "Curso Café de Especialidade"
    product_id: str = "1234567"
    payment: str = "credit_card"  # or "pix", "boleto"
    click_id: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_content: str | None = None
    utm_term: str | None = None
    fbp: str | None = None
    fbc: str | None = None
    recurrence: int = 1  # 2 and up with SaleStatus.RENEWAL
    subscription: str | None = None  # the same for all charges of one; None: sold once

    @property
    def subscription_id(self) -> str:
        """The subscription's id; a renewal that names none has one of its own."""
        return self.subscription or f"SUB{self.made_id('subscription').hex[:12].upper()}"

    def is_charged_again(self, status: SaleStatus) -> bool:
        """Whether this notice is about a subscription's charge."""
        return status is SaleStatus.RENEWAL or self.subscription is not None

    @property
    def charge(self) -> int:
        """Which charge of a subscription a renewal is: 2 or more."""
        return max(2, self.recurrence)

    def major(self) -> int | float:
        """Return the amount in major units as these platforms print it: 5, 39.9."""
        amount = Money(self.amount_minor, self.currency).major()
        return int(amount) if amount == amount.to_integral_value() else float(amount)

    def share(self, of_hundred: int) -> float:
        """Return this many per cent of the amount, rounded to cents: a fee or a commission."""
        amount = Money(self.amount_minor, self.currency).major() * of_hundred / 100
        return float(amount.quantize(Decimal("0.01")))

    def made_id(self, purpose: str) -> uuid.UUID:
        """Make an identifier that is the same whenever this sale is told again."""
        return uuid.uuid5(_NAMES, f"{self.transaction}:{purpose}")


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    """A webhook ready to be posted; `query` is appended to the seller's address."""

    body: bytes
    headers: Mapping[str, str]
    query: str = ""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one platform words and signs. `word` returns the main notice first."""

    name: str
    statuses: frozenset[SaleStatus]
    word: Callable[[Sale, SaleStatus, dt.datetime], list[JsonObject]]
    seal: Callable[[JsonObject, str, dt.datetime], SignedWebhook]
    transaction: Callable[[uuid.UUID], str]  # a transaction in the platform's form


def millis(moment: dt.datetime) -> int:
    """Return Unix milliseconds."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def iso_z(moment: dt.datetime) -> str:
    """Return the moment as JavaScript prints it."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
