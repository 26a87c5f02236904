"""Stripe: events around checkout sessions, charges, disputes and invoices; signed with a time.

The transaction is the payment intent. An approved card payment is told twice, by the session and
by its payment intent, as Stripe does.
"""

import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping

from trackai.sandbox.platforms.sale import JsonObject, Recipe, Sale, SaleStatus, SignedWebhook

_API_VERSION = "2024-06-20"
_METHODS = {"credit_card": "card", "pix": "pix", "boleto": "boleto"}


def word(sale: Sale, status: SaleStatus, at: dt.datetime) -> list[JsonObject]:
    """Return the notice, and what Stripe says beside it."""
    later = sale.payment != "credit_card"  # Pix and boleto are paid after the session ended
    told: list[tuple[str, JsonObject]] = []
    match status:
        case SaleStatus.PENDING:
            told = [("checkout.session.completed", _session(sale, payment_status="unpaid"))]
        case SaleStatus.APPROVED if sale.subscription is not None:
            told = [
                ("checkout.session.completed", _subscribed_session(sale)),
                ("invoice.paid", _invoice(sale, "subscription_create")),
            ]
        case SaleStatus.APPROVED:
            name = "async_payment_succeeded" if later else "completed"
            told = [
                (f"checkout.session.{name}", _session(sale)),
                ("payment_intent.succeeded", _intent(sale, "succeeded")),
            ]
        case SaleStatus.REFUSED if later:
            failed = _session(sale, payment_status="unpaid")
            told = [("checkout.session.async_payment_failed", failed)]
        case SaleStatus.ABANDONED:
            left = _session(sale, payment_status="unpaid", status="expired", payment_intent=None)
            told = [("checkout.session.expired", left)]
        case _:
            name, make = _OTHERS[status]
            told = [(name, make(sale))]
    return [_event(sale, name, made, at) for name, made in told]


def seal(document: JsonObject, secret: str, at: dt.datetime) -> SignedWebhook:
    """Sign time and body: the scheme v1, beside the v0 that receivers must ignore."""
    body = json.dumps(document, indent=2, ensure_ascii=False).encode()
    stamp = int(at.timestamp())
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return SignedWebhook(
        body,
        {
            "Stripe-Signature": f"t={stamp},v1={signature},v0={'0' * 64}",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        },
        content_type="application/json; charset=utf-8",
    )


def _event(sale: Sale, name: str, made: JsonObject, at: dt.datetime) -> JsonObject:
    data: JsonObject = {"object": made}
    if name == "charge.refunded":
        data["previous_attributes"] = {"amount_refunded": 0, "refunded": False}
    return {
        "id": f"evt_1{sale.made_id(name).hex[:23]}",
        "object": "event",
        "api_version": _API_VERSION,
        "created": int(at.timestamp()),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": name,
    }


def _address(sale: Sale) -> JsonObject:
    buyer = sale.buyer
    return {
        "city": buyer.city,
        "country": buyer.country,
        "line1": "Rua Exemplo 100",
        "line2": None,
        "postal_code": buyer.zip_code,
        "state": buyer.state,
    }


def _session(
    sale: Sale,
    *,
    payment_status: str = "paid",
    status: str = "complete",
    payment_intent: str | None = "",
) -> JsonObject:
    started = int(sale.sold_at.timestamp()) - 10
    return {
        "id": f"cs_test_{sale.made_id('session').hex}",
        "object": "checkout.session",
        "amount_subtotal": sale.amount_minor,
        "amount_total": sale.amount_minor,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "billing_address_collection": "required",
        "cancel_url": "https://example.com/cancel",
        "client_reference_id": sale.click_id,
        "created": started,
        "currency": sale.currency.lower(),
        "custom_fields": [],
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": {
            "address": _address(sale),
            "email": sale.buyer.email,
            "name": sale.buyer.full_name,
            "phone": f"+{sale.buyer.phone}",
            "tax_exempt": "none",
            "tax_ids": [{"type": "br_cpf", "value": sale.buyer.document}],
        },
        "customer_email": None,
        "expires_at": started + 86_400,
        "invoice": None,
        "livemode": False,
        "locale": "pt-BR",
        "metadata": {"utm_source": sale.utm_source} if sale.utm_source else {},
        "mode": "payment",
        "payment_intent": sale.transaction if payment_intent == "" else payment_intent,
        "payment_link": "plink_1Test",
        "payment_method_types": [_METHODS[sale.payment]],
        "payment_status": payment_status,
        "phone_number_collection": {"enabled": True},
        "status": status,
        "subscription": None,
        "success_url": "https://example.com/success",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted",
        "url": None,
    }


def _subscribed_session(sale: Sale) -> JsonObject:
    """Word the session that began a subscription: an invoice is paid, not an intent."""
    return _session(sale, payment_intent=None) | {
        "mode": "subscription",
        "subscription": sale.subscription_id,
        "invoice": _invoice_id(sale),
    }


def _intent(sale: Sale, status: str) -> JsonObject:
    """Word a payment intent: it knows neither the click nor, mostly, the buyer."""
    paid = status == "succeeded"
    return {
        "id": sale.transaction,
        "object": "payment_intent",
        "amount": sale.amount_minor,
        "amount_capturable": 0,
        "amount_received": sale.amount_minor if paid else 0,
        "automatic_payment_methods": {"enabled": True},
        "canceled_at": None,
        "cancellation_reason": "expired" if status == "canceled" else None,
        "capture_method": "automatic",
        "created": int(sale.sold_at.timestamp()),
        "currency": sale.currency.lower(),
        "customer": None,
        "description": None,
        "invoice": None,
        "last_payment_error": None,
        "latest_charge": _charge_id(sale) if paid else None,
        "livemode": False,
        "metadata": {},
        "payment_method_types": [_METHODS[sale.payment]],
        "receipt_email": sale.buyer.email if paid else None,
        "status": status,
    }


def _failed_intent(sale: Sale) -> JsonObject:
    error = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
    }
    return _intent(sale, "requires_payment_method") | {"last_payment_error": error}


def _canceled_intent(sale: Sale) -> JsonObject:
    return _intent(sale, "canceled") | {"canceled_at": int(sale.sold_at.timestamp())}


def _refunded_charge(sale: Sale) -> JsonObject:
    return {
        "id": _charge_id(sale),
        "object": "charge",
        "amount": sale.amount_minor,
        "amount_captured": sale.amount_minor,
        "amount_refunded": sale.amount_minor,
        "billing_details": {
            "address": _address(sale),
            "email": sale.buyer.email,
            "name": sale.buyer.full_name,
            "phone": None,
        },
        "captured": True,
        "created": int(sale.sold_at.timestamp()),
        "currency": sale.currency.lower(),
        "customer": None,
        "disputed": False,
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": sale.transaction,
        "receipt_email": None,
        "refunded": True,
        "status": "succeeded",
    }


def _dispute(sale: Sale) -> JsonObject:
    return {
        "id": f"dp_1{sale.made_id('dispute').hex[:23]}",
        "object": "dispute",
        "amount": sale.amount_minor,
        "balance_transactions": [],
        "charge": _charge_id(sale),
        "created": int(sale.sold_at.timestamp()),
        "currency": sale.currency.lower(),
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": sale.transaction,
        "reason": "fraudulent",
        "status": "needs_response",
    }


def _renewal_invoice(sale: Sale) -> JsonObject:
    return _invoice(sale, "subscription_cycle")


def _invoice_id(sale: Sale) -> str:
    return f"in_1{sale.made_id('invoice').hex[:23]}"


def _invoice(sale: Sale, reason: str) -> JsonObject:
    return {
        "id": _invoice_id(sale),
        "object": "invoice",
        "amount_due": sale.amount_minor,
        "amount_paid": sale.amount_minor,
        "amount_remaining": 0,
        "attempt_count": 1,
        "attempted": True,
        "billing_reason": reason,
        "charge": _charge_id(sale),
        "collection_method": "charge_automatically",
        "created": int(sale.sold_at.timestamp()),
        "currency": sale.currency.lower(),
        "customer": "cus_QTest",
        "customer_address": _address(sale),
        "customer_email": sale.buyer.email,
        "customer_name": sale.buyer.full_name,
        "customer_phone": f"+{sale.buyer.phone}",
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": sale.transaction,
        "status": "paid",
        "subscription": sale.subscription_id,
        "total": sale.amount_minor,
    }


def _charge_id(sale: Sale) -> str:
    return f"ch_1{sale.made_id('charge').hex[:23]}"


def _transaction(made_of: uuid.UUID) -> str:
    return f"pi_3{made_of.hex[-23:]}"


_OTHERS: Mapping[SaleStatus, tuple[str, Callable[[Sale], JsonObject]]] = {
    SaleStatus.REFUSED: ("payment_intent.payment_failed", _failed_intent),
    SaleStatus.CANCELED: ("payment_intent.canceled", _canceled_intent),
    SaleStatus.REFUNDED: ("charge.refunded", _refunded_charge),
    SaleStatus.CHARGED_BACK: ("charge.dispute.created", _dispute),
    SaleStatus.RENEWAL: ("invoice.paid", _renewal_invoice),
}

RECIPE = Recipe(
    "stripe",
    frozenset(_OTHERS) | {SaleStatus.PENDING, SaleStatus.APPROVED, SaleStatus.ABANDONED},
    word,
    seal,
    _transaction,
)
