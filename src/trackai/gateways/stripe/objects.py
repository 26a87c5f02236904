"""Stripe's objects as notices, and which of the several events of one sale is the one that counts.

- One payment: the payment intent is the transaction. Its own event is provisional, for the
  session, which has buyer and click, follows. An invoice printed after such a payment is skipped.
- A subscription's charge: the invoice is the transaction, of the session and of `invoice.paid`
  alike; its payment intent is skipped.
- An invoice without subscription: its payment intent counts, since Stripe prints such invoices
  after one-time payments too.

Versions from 2025-03-31.basil on took `invoice` from payment intents and charges, and
`payment_intent` from invoices. A payment intent then names its invoice in `payment_details`, as
`order_reference` (seen in public captures, 2026-11); a charge does not. So in these versions the
refund of a subscription's charge is known by its payment intent and does not find its sale, and
neither does any version's dispute of one.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.decode import Fields, distinct, to_money
from trackai.gateways.port import Parsed
from trackai.model.money import Money
from trackai.model.notice import Buyer, NotASale, Notice, NoticeStatus, Product, Tracking

# Decimals of Stripe's amounts that are not 2 (docs.stripe.com/currencies, read 2026-11). Not
# ISO 4217's: MGA has none here, and ISK and UGX, which have none, are told with two.
DECIMALS: Mapping[str, int] = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}

# A dispute's `status`; "warning" is an inquiry, which takes no money yet.
DISPUTE_STATUSES: Mapping[str, NoticeStatus] = {
    "warning_needs_response": NoticeStatus.REFUND_REQUESTED,
    "warning_under_review": NoticeStatus.REFUND_REQUESTED,
    "warning_closed": NoticeStatus.DISPUTE_WON,  # no chargeback came of it
    "needs_response": NoticeStatus.CHARGED_BACK,
    "under_review": NoticeStatus.CHARGED_BACK,
    "won": NoticeStatus.DISPUTE_WON,
    "lost": NoticeStatus.CHARGED_BACK,
}

# `description` that Stripe gives to the payment of an invoice without subscription.
_SINGLE_INVOICE = "Payment for Invoice"
_CLICK_KEYS = ("click_id", "trackai_click_id")


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope's part of a notice, and the object it is about."""

    name: str
    created_at: dt.datetime | None
    about: Fields


def session(event: Event, status: NoticeStatus) -> Parsed:
    """Read a checkout session: the one object that carries client_reference_id."""
    about = event.about
    if about.text("mode") == "setup":
        return NotASale(event.name, "setup_only")
    paid = about.text("payment_status") in ("paid", "no_payment_required")
    if event.name == "checkout.session.completed" and not paid:
        status = NoticeStatus.PENDING
    transaction = _identifier(about, "payment_intent")
    if about.text("mode") == "subscription":
        transaction = _identifier(about, "invoice")
        if transaction is None and status is not NoticeStatus.ABANDONED:
            return NotASale(event.name, "invoice_is_the_money_event")
    details, metadata = about.inner("customer_details"), about.inner("metadata")
    return (
        Notice(
            gateway="stripe",
            transaction=transaction or about.required("id"),
            status=status,
            event=event.name,
            occurred_at=event.created_at,
            sold_at=event.created_at,
            money=_money(about, "amount_total", status),
            buyer=_buyer(details, fallback_email=about.text("customer_email")),
            tracking=_tracking(metadata, click_id=about.identifier("client_reference_id")),
            subscription=_identifier(about, "subscription"),
        ),
    )


def payment_intent(event: Event, status: NoticeStatus) -> Parsed:
    """Read a payment intent, unless a subscription's invoice tells the same."""
    about = event.about
    invoiced = _invoice_of(about) is not None
    if invoiced and not _is_single(about):
        return NotASale(event.name, "invoice_is_the_money_event")
    approved = status is NoticeStatus.APPROVED
    shipping = about.inner("shipping")
    return (
        Notice(
            gateway="stripe",
            transaction=about.required("id"),
            status=status,
            event=event.name,
            occurred_at=event.created_at,
            sold_at=event.created_at,
            money=_money(about, "amount_received" if approved else "amount", status),
            buyer=_buyer(shipping, fallback_email=about.text("receipt_email")),
            tracking=_tracking(about.inner("metadata")),
            provisional=approved and not invoiced,  # no session follows an invoice's payment
        ),
    )


def charge(event: Event, status: NoticeStatus) -> Parsed:
    """Read a charge of which all or a part was given back."""
    about = event.about
    amount, returned = about.whole("amount"), about.whole("amount_refunded")
    complete = about.raw("refunded") is True or (returned or 0) >= (amount or 0)
    if not complete:
        status = NoticeStatus.PARTIALLY_REFUNDED
    invoice_id = None if _is_single(about) else _identifier(about, "invoice")
    return (
        Notice(
            gateway="stripe",
            transaction=invoice_id or _identifier(about, "payment_intent") or about.required("id"),
            status=status,
            event=event.name,
            occurred_at=event.created_at,
            sold_at=about.epoch("created", _SECOND),
            money=_money(about, "amount", status),
            refunded=_money(about, "amount_refunded", status),
            buyer=_buyer(
                about.inner("billing_details"), fallback_email=about.text("receipt_email")
            ),
            tracking=_tracking(about.inner("metadata")),
        ),
    )


def dispute(event: Event, status: NoticeStatus) -> Parsed:
    """Read a dispute. Its amount is what is disputed, not what was sold."""
    about = event.about
    known = DISPUTE_STATUSES.get(about.text("status") or "")
    if known is None and event.name == "charge.dispute.closed":
        return NotASale(event.name, "unknown_event")
    transaction = _identifier(about, "payment_intent") or _identifier(about, "charge")
    if transaction is None:
        raise PayloadNotUnderstood("The dispute names no payment.", field="payment_intent")
    return (
        Notice(
            gateway="stripe",
            transaction=transaction,
            status=known or status,
            event=event.name,
            occurred_at=event.created_at,
        ),
    )


def invoice(event: Event, status: NoticeStatus) -> Parsed:
    """Read a subscription's invoice. Stripe does not say which renewal it is: all are the second.

    A trial begins with an invoice of nothing, so its first real charge counts as a renewal.
    """
    about = event.about
    reason = about.text("billing_reason") or ""
    if not reason.startswith("subscription"):
        return NotASale(event.name, "payment_intent_is_the_money_event")
    paid_at = about.inner("status_transitions").epoch("paid_at", _SECOND)
    approved = status is NoticeStatus.APPROVED
    metadata = (
        about.inner("metadata"),
        about.inner("subscription_details").inner("metadata"),
        about.inner("parent").inner("subscription_details").inner("metadata"),
    )
    return (
        Notice(
            gateway="stripe",
            transaction=about.required("id"),
            status=status,
            event=event.name,
            occurred_at=event.created_at,
            sold_at=paid_at or event.created_at,
            money=_money(about, "amount_paid" if approved else "amount_due", status),
            product=_product(about),
            buyer=_customer(about),
            tracking=_tracking(*metadata),
            recurrence=1 if reason == "subscription_create" else 2,
            subscription=_identifier(about, "subscription")
            or _identifier(about.inner("parent").inner("subscription_details"), "subscription"),
        ),
    )


_SECOND = dt.timedelta(seconds=1)


def _identifier(about: Fields, name: str) -> str | None:
    """Return the id at this place, also of an object that stands there whole."""
    return about.identifier(name) or about.inner(name).identifier("id")


def _invoice_of(intent: Fields) -> str | None:
    """Return the invoice that a payment intent pays; in newer versions a reference names it."""
    reference = intent.inner("payment_details").identifier("order_reference") or ""
    return _identifier(intent, "invoice") or (reference if reference.startswith("in_") else None)


def _is_single(about: Fields) -> bool:
    return about.text("description") == _SINGLE_INVOICE


def _money(about: Fields, name: str, status: NoticeStatus) -> Money | None:
    currency = (about.text("currency") or "").upper()
    return to_money(about.raw(name), currency, status, decimals=DECIMALS.get(currency, 2))


def _buyer(details: Fields, *, fallback_email: str | None) -> Buyer:
    address = details.inner("address")
    return Buyer(
        email=details.text("email") or fallback_email,
        phone=details.text("phone"),
        full_name=details.text("name"),
        city=address.text("city"),
        state=address.text("state"),
        zip_code=address.text("postal_code"),
        country=address.text("country"),
        document=_document(details, "tax_ids"),
    )


def _customer(invoiced: Fields) -> Buyer:
    address = invoiced.inner("customer_address")
    return Buyer(
        email=invoiced.text("customer_email"),
        phone=invoiced.text("customer_phone"),
        full_name=invoiced.text("customer_name"),
        city=address.text("city"),
        state=address.text("state"),
        zip_code=address.text("postal_code"),
        country=address.text("country"),
        document=_document(invoiced, "customer_tax_ids"),
    )


def _product(invoiced: Fields) -> Product:
    line = next(invoiced.inner("lines").each("data"), Fields(None))
    priced = line.inner("pricing").inner("price_details")  # where newer versions keep it
    product_id = _identifier(line.inner("price"), "product") or priced.identifier("product")
    return Product(product_id, line.text("description"))


def _document(details: Fields, name: str) -> str | None:
    numbers = (
        one.text("value") for one in details.each(name) if one.text("type") in ("br_cpf", "br_cnpj")
    )
    return next(numbers, None)


def _tracking(*metadata: Fields, click_id: str | None = None) -> Tracking:
    """Read what the seller's program put into metadata; the first that has a key counts."""

    def found(name: str) -> str | None:
        return next(filter(None, (one.identifier(name) for one in metadata)), None)

    clicks = (one.identifier(key) for one in metadata for key in _CLICK_KEYS)
    return Tracking(
        click_ids=distinct(click_id, *clicks),
        fbc=found("fbc"),
        fbp=found("fbp"),
        fbclid=found("fbclid"),
        src=found("src"),
        sck=found("sck"),
        utm_source=found("utm_source"),
        utm_medium=found("utm_medium"),
        utm_campaign=found("utm_campaign"),
        utm_content=found("utm_content"),
        utm_term=found("utm_term"),
    )
