"""Kiwify: compact JSON with capitals in its keys; HMAC-SHA1 of the raw body in the query."""

import datetime as dt
import hashlib
import hmac
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
    iso_z,
)

# webhook_event_type and order_status; the pending ones depend on how it is paid
_EVENTS: Mapping[SaleStatus, tuple[str, str]] = {
    SaleStatus.PENDING: ("pix_created", "waiting_payment"),
    SaleStatus.APPROVED: ("order_approved", "paid"),
    SaleStatus.REFUSED: ("order_rejected", "refused"),
    SaleStatus.REFUNDED: ("order_refunded", "refunded"),
    SaleStatus.CHARGED_BACK: ("chargeback", "chargedback"),
    SaleStatus.RENEWAL: ("subscription_renewed", "paid"),
    SaleStatus.ABANDONED: ("", "abandoned"),
}
_UNPAID = frozenset({SaleStatus.PENDING, SaleStatus.REFUSED})
_GIVEN_BACK = frozenset({SaleStatus.REFUNDED, SaleStatus.CHARGED_BACK})


def word(sale: Sale, status: SaleStatus, at: dt.datetime) -> list[JsonObject]:
    """Return the notice."""
    if status is SaleStatus.ABANDONED:
        return [_cart(sale)]
    event, order_status = _EVENTS[status]
    if status is SaleStatus.PENDING and sale.payment == "boleto":
        event = "billet_created"
    document = {
        "order_id": sale.transaction,
        "order_ref": sale.made_id("ref").hex[:7],
        "order_status": order_status,
        "product_type": "membership",
        **_payment(sale, status),
        "sale_type": "producer",
        **_times(sale, status, at),
        "webhook_event_type": event,
        "Product": {"product_id": str(sale.made_id("product")), "product_name": sale.product},
        "Customer": _customer(sale),
        "Commissions": _commissions(sale),
        "TrackingParameters": _tracking(sale),
        "checkout_link": "AbCdEf1",
    }
    if status is SaleStatus.RENEWAL:
        document["Subscription"] = _subscription(sale)
    if sale.is_charged_again(status):
        document["subscription_id"] = sale.subscription_id
    document["access_url"] = None
    return [document]


def seal(document: JsonObject, secret: str, _at: dt.datetime) -> SignedWebhook:
    """Sign the very bytes that are sent, as JSON.stringify writes them."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return SignedWebhook(body, {}, query=f"signature={signature}")


def _payment(sale: Sale, status: SaleStatus) -> JsonObject:
    card = sale.payment == "credit_card"
    method = "pix" if card and status is SaleStatus.PENDING else sale.payment
    card = method == "credit_card"
    return {
        "payment_method": method,
        "store_id": "TestStore000001",
        "payment_merchant_id": "10492606081149370000",
        "installments": 1,
        "card_type": "visa" if card else "",
        "card_last4digits": "4242" if card else "",
        "card_rejection_reason": "refused_by_bank" if status is SaleStatus.REFUSED else None,
        "boleto_URL": "https://boleto.example.com/1" if method == "boleto" else None,
        "boleto_barcode": None,
        "boleto_expiry_date": _day(sale) if method == "boleto" else None,
        "pix_code": "00020126" if method == "pix" else None,
        "pix_expiration": f"{_day(sale)} 23:59" if method == "pix" else None,
    }


def _times(sale: Sale, status: SaleStatus, at: dt.datetime) -> JsonObject:
    sold = _minute(sale.sold_at)
    return {
        "created_at": sold,
        "updated_at": _minute(at),
        "approved_date": None if status in _UNPAID else sold,
        "refunded_at": _minute(at) if status in _GIVEN_BACK else None,
    }


def _customer(sale: Sale) -> JsonObject:
    buyer = sale.buyer
    return {
        "full_name": buyer.full_name,
        "first_name": buyer.first_name,
        "email": buyer.email,
        "mobile": f"+{buyer.phone}",
        "CPF": buyer.document,
        "ip": buyer.client_ip,
        "street": "Rua Exemplo",
        "number": "100",
        "complement": "",
        "neighborhood": "Centro",
        "city": buyer.city,
        "state": buyer.state,
        "zipcode": buyer.zip_code,
        "country": buyer.country.lower(),
    }


def _commissions(sale: Sale) -> JsonObject:
    fee = sale.amount_minor // 10
    return {
        "charge_amount": sale.amount_minor,
        "product_base_price": sale.amount_minor,
        "product_base_price_currency": sale.currency,
        "kiwify_fee": fee,
        "kiwify_fee_currency": sale.currency,
        "commissioned_stores": [
            {
                "id": str(sale.made_id("store")),
                "type": "producer",
                "custom_name": "Produtor Teste",
                "email": "produtor@example.com",
                "value": str(sale.amount_minor - fee),
            }
        ],
        "currency": sale.currency,
        "my_commission": sale.amount_minor - fee,
        "funds_status": "waiting",
        "estimated_deposit_date": None,
        "deposit_date": None,
    }


def _tracking(sale: Sale) -> JsonObject:
    return {
        "src": None,
        "sck": None,
        "utm_source": sale.utm_source,
        "utm_medium": sale.utm_medium,
        "utm_campaign": sale.utm_campaign,
        "utm_content": sale.utm_content,
        "utm_term": sale.utm_term,
        "s1": sale.click_id,
        "s2": None,
        "s3": None,
    }


def _subscription(sale: Sale) -> JsonObject:
    month = dt.timedelta(days=30)
    charges = [
        {
            "order_id": sale.transaction
            if back == 0
            else str(sale.made_id(f"charge {sale.charge - back}")),
            "amount": sale.amount_minor,
            "status": "paid",
            "installments": 1,
            "card_type": "visa",
            "card_last_digits": "4242",
            "card_first_digits": "424242",
            "created_at": iso_z(sale.sold_at - back * month),
        }
        for back in reversed(range(sale.charge))
    ]
    return {
        "start_date": charges[0]["created_at"],
        "next_payment": iso_z(sale.sold_at + month),
        "status": "active",
        "plan": {
            "id": str(sale.made_id("plan")),
            "name": "Mensal",
            "frequency": "monthly",
            "qty_charges": 0,
        },
        "charges": {"completed": charges, "future": [{"charge_date": iso_z(sale.sold_at + month)}]},
    }


def _cart(sale: Sale) -> JsonObject:
    """Word an abandoned cart: a flat body without an event's name or tracking."""
    return {
        "id": sale.made_id("cart").hex[:18],
        "status": "abandoned",
        "checkout_link": "IDhfYNV",
        "country": sale.buyer.country.lower(),
        "cpf": sale.buyer.document,
        "created_at": iso_z(sale.sold_at),
        "email": sale.buyer.email,
        "name": sale.buyer.full_name,
        "offer_name": None,
        "phone": sale.buyer.phone[2:],
        "product_id": str(sale.made_id("product")),
        "product_name": sale.product,
        "store_id": "TestStore000001",
        "subscription_plan": None,
    }


def _minute(moment: dt.datetime) -> str:
    return f"{moment.astimezone(SAO_PAULO):%Y-%m-%d %H:%M}"


def _day(sale: Sale) -> str:
    return f"{(sale.sold_at + dt.timedelta(days=3)).astimezone(SAO_PAULO):%d/%m/%Y}"


def _transaction(made_of: uuid.UUID) -> str:
    return str(made_of)


RECIPE = Recipe("kiwify", frozenset(_EVENTS), word, seal, _transaction)
