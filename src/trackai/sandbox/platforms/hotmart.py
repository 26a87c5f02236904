"""Hotmart, webhook 2.0.0: an envelope with the event's name; a static token in a header."""

import datetime as dt
import json
import uuid
from collections.abc import Mapping

from trackai.sandbox.platforms.sale import (
    JsonObject,
    Recipe,
    Sale,
    SaleStatus,
    SignedWebhook,
    millis,
)

# event and purchase.status, spelt as in real bodies
_EVENTS: Mapping[SaleStatus, tuple[str, str]] = {
    SaleStatus.PENDING: ("PURCHASE_BILLET_PRINTED", "BILLET_PRINTED"),
    SaleStatus.APPROVED: ("PURCHASE_APPROVED", "APPROVED"),
    SaleStatus.RENEWAL: ("PURCHASE_APPROVED", "APPROVED"),
    SaleStatus.COMPLETED: ("PURCHASE_COMPLETE", "COMPLETED"),
    SaleStatus.REFUSED: ("PURCHASE_CANCELED", "CANCELED"),
    SaleStatus.CANCELED: ("PURCHASE_EXPIRED", "EXPIRED"),
    SaleStatus.DISPUTED: ("PURCHASE_PROTEST", "DISPUTE"),
    SaleStatus.REFUNDED: ("PURCHASE_REFUNDED", "REFUNDED"),
    SaleStatus.CHARGED_BACK: ("PURCHASE_CHARGEBACK", "CHARGEBACK"),
    SaleStatus.ABANDONED: ("PURCHASE_OUT_OF_SHOPPING_CART", ""),
}
_UNPAID = frozenset({SaleStatus.PENDING, SaleStatus.REFUSED, SaleStatus.CANCELED})
_PAYMENTS = {"credit_card": "CREDIT_CARD", "pix": "PIX", "boleto": "BILLET"}


def word(sale: Sale, status: SaleStatus, at: dt.datetime) -> list[JsonObject]:
    """Return the notice."""
    event, _ = _EVENTS[status]
    data = _cart(sale) if status is SaleStatus.ABANDONED else _data(sale, status)
    document: JsonObject = {
        "id": str(sale.made_id(event)),
        "creation_date": millis(at),
        "event": event,
        "version": "2.0.0",
        "data": data,
    }
    return [document]


def seal(document: JsonObject, secret: str, _at: dt.datetime) -> SignedWebhook:
    """Send the account's token along: all the proof there is."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return SignedWebhook(body.encode(), {"X-HOTMART-HOTTOK": secret})


def _data(sale: Sale, status: SaleStatus) -> JsonObject:
    data: JsonObject = {
        "product": {
            "id": int(sale.product_id) if sale.product_id.isdigit() else 0,
            "ucode": str(sale.made_id("ucode")),
            "name": sale.product,
            "warranty_date": f"{sale.sold_at + dt.timedelta(days=7):%Y-%m-%dT00:00:00Z}",
            "has_co_production": False,
            "is_physical_product": False,
        },
        "affiliates": [{"affiliate_code": "", "name": ""}],
        "buyer": _buyer(sale),
        "producer": {
            "name": "Produtor Teste",
            "document": "12345678909",
            "legal_nature": "Pessoa Física",
        },
        "commissions": [
            {"value": sale.share(10), "source": "MARKETPLACE", "currency_value": sale.currency},
            {"value": sale.share(90), "source": "PRODUCER", "currency_value": sale.currency},
        ],
        "purchase": _purchase(sale, status),
    }
    if sale.is_charged_again(status):
        data["subscription"] = {
            "status": "ACTIVE",
            "plan": {"id": 12345, "name": "Plano Mensal"},
            "subscriber": {"code": sale.subscription_id},
        }
    return data


def _buyer(sale: Sale) -> JsonObject:
    buyer = sale.buyer
    return {
        "email": buyer.email,
        "name": buyer.full_name,
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "checkout_phone_code": buyer.phone[2:4],
        "checkout_phone": buyer.phone,
        "address": {
            "city": buyer.city,
            "country": "Brasil" if buyer.country == "BR" else buyer.country,
            "country_iso": buyer.country,
            "state": buyer.state,
            "neighborhood": "Centro",
            "zipcode": buyer.zip_code.replace("-", ""),
            "address": "Rua Exemplo",
            "number": "100",
            "complement": "",
        },
        "document": buyer.document,
        "document_type": "CPF",
    }


def _purchase(sale: Sale, status: SaleStatus) -> JsonObject:
    price = {"value": sale.major(), "currency_value": sale.currency}
    purchase: JsonObject = {
        "approved_date": millis(sale.sold_at),
        "full_price": price,
        "price": price,
        "checkout_country": {"name": "Brasil", "iso": "BR"},
        "order_bump": {"is_order_bump": False},
        "origin": {"sck": "HOTMART_PRODUCT_PAGE", "xcod": sale.click_id},
        "original_offer_price": price,
        "order_date": millis(sale.sold_at - dt.timedelta(seconds=3)),
        "status": _EVENTS[status][1],
        "transaction": sale.transaction,
        "payment": {"installments_number": 1, "type": _PAYMENTS[sale.payment]},
        "offer": {"code": "a8wswzvg"},
        "invoice_by": "SELLER",
        "subscription_anticipation_purchase": False,
        "is_funnel": False,
        "business_model": "I",
    }
    if status in _UNPAID:
        del purchase["approved_date"]
    if sale.click_id is None:
        del purchase["origin"]["xcod"]
    if status is SaleStatus.RENEWAL:
        purchase |= {"recurrence_number": sale.charge, "business_model": "S"}
    return purchase


def _cart(sale: Sale) -> JsonObject:
    """Word the cart event: neither transaction nor origin."""
    return {
        "affiliate": False,
        "product": {"id": 123456, "name": sale.product},
        "buyer_ip": sale.buyer.client_ip,
        "buyer": {
            "name": sale.buyer.full_name,
            "email": sale.buyer.email,
            "phone": sale.buyer.phone,
        },
        "offer": {"code": "n82b9jqz"},
        "checkout_country": {"name": "Brasil", "iso": "BR"},
    }


def _transaction(made_of: uuid.UUID) -> str:
    return f"HP{made_of.int % 10**10:010d}"


RECIPE = Recipe("hotmart", frozenset(_EVENTS), word, seal, _transaction)
