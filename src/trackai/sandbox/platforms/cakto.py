"""Cakto: event and data; the seller's secret stands inside the document."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping

from trackai.sandbox.platforms.sale import (
    SAO_PAULO,
    JsonObject,
    Recipe,
    Sale,
    SaleStatus,
    SignedWebhook,
)

# event and data.status; the pending one depends on how it is paid
_EVENTS: Mapping[SaleStatus, tuple[str, str]] = {
    SaleStatus.PENDING: ("pix_gerado", "waiting_payment"),
    SaleStatus.APPROVED: ("purchase_approved", "paid"),
    SaleStatus.REFUSED: ("purchase_refused", "refused"),
    SaleStatus.REFUNDED: ("refund", "refunded"),
    SaleStatus.CHARGED_BACK: ("chargeback", "chargedback"),
    SaleStatus.RENEWAL: ("subscription_renewed", "paid"),
    SaleStatus.ABANDONED: ("checkout_abandonment", ""),
}
_UNPAID = frozenset({SaleStatus.PENDING, SaleStatus.REFUSED})
_METHOD_NAMES = {"credit_card": "Cartão de Crédito", "pix": "Pix", "boleto": "Boleto"}


def word(sale: Sale, status: SaleStatus, at: dt.datetime) -> list[JsonObject]:
    """Return the notice."""
    event = _EVENTS[status][0]
    if status is SaleStatus.PENDING and sale.payment == "boleto":
        event = "boleto_gerado"
    data = _cart(sale) if status is SaleStatus.ABANDONED else _data(sale, status, at)
    return [{"secret": "", "event": event, "data": data}]


def seal(document: JsonObject, secret: str, _at: dt.datetime) -> SignedWebhook:
    """Put the secret into the document: all the proof there is."""
    return SignedWebhook(json.dumps(document | {"secret": secret}).encode(), {})


def _data(sale: Sale, status: SaleStatus, at: dt.datetime) -> JsonObject:
    sold, now = _local(sale.sold_at), _local(at)
    method = "pix" if status is SaleStatus.PENDING and sale.payment != "boleto" else sale.payment
    data: JsonObject = {
        "id": sale.transaction,
        "refId": sale.made_id("ref").hex[:7],
        "customer": _customer(sale),
        "affiliate": "",
        "offer": {"id": "B8BcHrY", "name": sale.product, "price": sale.major()},
        "offer_type": "main",
        "product": {
            "name": sale.product,
            "id": str(sale.made_id("product")),
            "short_id": "49bruPi",
            "supportEmail": "suporte@example.com",
            "type": "subscription" if status is SaleStatus.RENEWAL else "unique",
            "invoiceDescription": "",
        },
        "parent_order": "",
        "checkoutUrl": "https://pay.example.com/B8BcHrY",
        "status": _EVENTS[status][1],
        "baseAmount": sale.major(),
        "discount": "0.00",
        "amount": sale.major(),
        "commissions": [
            {
                "user": "produtor@example.com",
                "totalAmount": sale.share(90),
                "percentage": 100.0,
                "type": "producer",
            }
        ],
        "fees": sale.share(10),
        "couponCode": None,
        "reason": "Saldo insuficiente" if status is SaleStatus.REFUSED else None,
        "refund_reason": None,
        "paymentMethod": method,
        "paymentMethodName": _METHOD_NAMES[method],
        "installments": 1,
        **_tracking(sale),
        "paidAt": None if status in _UNPAID else sold,
        "createdAt": sold,
        "refundedAt": now if status is SaleStatus.REFUNDED else None,
        "chargedbackAt": now if status is SaleStatus.CHARGED_BACK else None,
    }
    if sale.is_charged_again(status):
        data["subscription"] = _subscription(sale, sale.charge if _is_later(status) else 1)
    return data


def _customer(sale: Sale) -> JsonObject:
    return {
        "name": sale.buyer.full_name,
        "birthDate": None,
        "email": sale.buyer.email,
        "phone": sale.buyer.phone,
        "docNumber": sale.buyer.document,
        "docType": "cpf",
    }


def _tracking(sale: Sale) -> JsonObject:
    return {
        "utm_source": sale.utm_source,
        "utm_medium": sale.utm_medium,
        "utm_campaign": sale.utm_campaign,
        "utm_term": sale.utm_term,
        "utm_content": sale.utm_content,
        "sck": sale.click_id,
        "fbc": sale.fbc,
        "fbp": sale.fbp,
    }


def _is_later(status: SaleStatus) -> bool:
    return status is SaleStatus.RENEWAL


def _subscription(sale: Sale, charge: int) -> JsonObject:
    return {
        "id": sale.subscription_id,
        "status": "active",
        "current_period": charge,
        "recurrence_period": 30,
        "quantity_recurrences": -1,
        "trial_days": 0,
        "max_retries": 3,
        "amount": f"{sale.major():.2f}",
        "retry_interval": 1,
        "paid_payments_quantity": sale.charge,
        "parent_order": str(sale.made_id("charge 1")),
        "paymentMethod": "credit_card",
        "next_payment_date": _local(sale.sold_at + dt.timedelta(days=30)),
        "createdAt": _local(sale.sold_at - dt.timedelta(days=30 * (sale.charge - 1))),
        "canceledAt": None,
    }


def _cart(sale: Sale) -> JsonObject:
    """Word an abandoned checkout: its own flat shape."""
    return {
        "customerName": sale.buyer.full_name,
        "customerEmail": sale.buyer.email,
        "customerCellphone": sale.buyer.phone,
        "offer": {"id": "B8BcHrY", "name": sale.product, "price": sale.major()},
        "product": {"id": str(sale.made_id("product")), "name": sale.product},
        "checkoutUrl": "https://pay.example.com/B8BcHrY",
        "createdAt": _local(sale.sold_at),
    }


def _local(moment: dt.datetime) -> str:
    return moment.astimezone(SAO_PAULO).isoformat(timespec="microseconds")


def _transaction(made_of: uuid.UUID) -> str:
    return str(made_of)


RECIPE = Recipe("cakto", frozenset(_EVENTS), word, seal, _transaction)
