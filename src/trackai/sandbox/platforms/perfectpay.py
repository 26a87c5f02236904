"""PerfectPay: a flat document with numbered statuses; the account's token stands inside it."""

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
    iso_z,
)

# sale_status_enum, its key, and the free text beside it
_STATUSES: Mapping[SaleStatus, tuple[int, str, str]] = {
    SaleStatus.PENDING: (1, "pending", "pending_waiting_payment"),
    SaleStatus.APPROVED: (2, "approved", "approved"),
    SaleStatus.DISPUTED: (4, "in_mediation", "in_mediation"),
    SaleStatus.REFUSED: (5, "rejected", "cc_rejected_other_reason"),
    SaleStatus.REFUNDED: (7, "refunded", "refunded"),
    SaleStatus.CHARGED_BACK: (9, "charged_back", "charged_back"),
    SaleStatus.COMPLETED: (10, "completed", "completed"),
    SaleStatus.ABANDONED: (12, "precheckout", "precheckout"),
    SaleStatus.CANCELED: (13, "expired", "expired"),
    SaleStatus.RENEWAL: (2, "approved", "approved"),
}
_UNPAID = frozenset(
    {SaleStatus.PENDING, SaleStatus.REFUSED, SaleStatus.ABANDONED, SaleStatus.CANCELED}
)
_CURRENCIES = {"BRL": 1, "USD": 2, "EUR": 3}
# payment_method_enum and key, payment_type_enum and key
_PAYMENTS: Mapping[str, tuple[int, str, int, str]] = {
    "credit_card": (6, "master", 1, "credit_card"),
    "boleto": (2, "bolbradesco", 2, "ticket"),
    "pix": (21, "pix", 7, "pix"),
}


def word(sale: Sale, status: SaleStatus, _at: dt.datetime) -> list[JsonObject]:
    """Return the notice."""
    number, key, detail = _STATUSES[status]
    ordered = f"{sale.sold_at.astimezone(SAO_PAULO):%Y-%m-%d %H:%M:%S}"
    document = {
        "token": "",
        "code": sale.transaction,
        **_money(sale),
        "quantity": 1,
        "sale_status_enum": number,
        "sale_status_enum_key": key,
        "sale_status_detail": detail,
        "date_created": ordered,
        "date_approved": None if status in _UNPAID else ordered,
        "tracking": None,
        "url_tracking": None,
        "checkout_type_enum": "regular",
        "academy_access_url": None,
        "product": {
            "code": "PPPBCSMJ",
            "name": sale.product,
            "external_reference": None,
            "guarantee": 7,
        },
        "plan": {"code": "PPLQQN42A", "name": "Plano único", "quantity": 1, "tax_code": None},
        "plan_itens": [],
        "customer": _customer(sale),
        "metadata": _metadata(sale),
        "webhook_owner": "PPA22P40",
        "commission": [_commission(sale)],
        "url_send_webhook_pay": "https://hooks.example.com/perfectpay",
    }
    if sale.is_charged_again(status):
        later = status is SaleStatus.RENEWAL
        document["subscription"] = {
            "code": sale.subscription_id,
            "charges_made": sale.charge if later else 1,
            "next_charge_date": iso_z(sale.sold_at + dt.timedelta(days=30)),
            "subscription_status_enum": 2,
            "status": "active",
            "status_event": "subscription_renewed" if later else "subscription_started",
        }
    return [document]


def seal(document: JsonObject, secret: str, _at: dt.datetime) -> SignedWebhook:
    """Put the token into the document: all the proof there is."""
    body = json.dumps(document | {"token": secret}, separators=(",", ":"))
    return SignedWebhook(body.encode(), {"user-agent": "GuzzleHttp/7"})


def _money(sale: Sale) -> JsonObject:
    method, method_key, kind, kind_key = _PAYMENTS[sale.payment]
    return {
        "sale_amount": sale.major(),
        "currency_enum": _CURRENCIES[sale.currency],
        "currency_enum_key": sale.currency,
        "coupon_code": None,
        "installments": 1,
        "installment_amount": sale.major(),
        "shipping_type_enum": None,
        "shipping_type_enum_key": None,
        "shipping_amount": None,
        "payment_method_enum": method,
        "payment_method_enum_key": method_key,
        "payment_type_enum": kind,
        "payment_type_enum_key": kind_key,
        "payment_format_enum": 1,
        "payment_format_enum_key": "regular",
        "original_code": None,
        "billet_url": "",
        "billet_number": None,
        "billet_expiration": None,
    }


def _customer(sale: Sale) -> JsonObject:
    buyer = sale.buyer
    country, area, number = buyer.phone[:2], buyer.phone[2:4], buyer.phone[4:]
    return {
        "customer_type_enum": 1,
        "customer_type_enum_key": "percent",
        "full_name": buyer.full_name,
        "email": buyer.email,
        "identification_type": "CPF",
        "identification_number": buyer.document,
        "birthday": None,
        "date_birth": None,
        "phone_extension": country,
        "phone_area_code": area,
        "phone_number": number,
        "phone_formated": f"({area}) {number}",
        "phone_formated_ddi": f"+{country}({area}) {number}",
        "ip": buyer.client_ip,
        "user_agent": buyer.user_agent,
        "street_name": "",
        "street_number": "",
        "district": "",
        "complement": "",
        "zip_code": buyer.zip_code,
        "city": buyer.city,
        "state": buyer.state,
        "country": buyer.country,
    }


def _metadata(sale: Sale) -> JsonObject:
    found: JsonObject = {
        "src": None,
        "sck": None,
        "utm_source": sale.utm_source,
        "utm_medium": sale.utm_medium,
        "utm_campaign": sale.utm_campaign,
        "utm_content": sale.utm_content,
        "utm_term": sale.utm_term,
        "ttclid": None,
        "_fbp": sale.fbp,
        "_fbc": sale.fbc,
        "utm_perfect": sale.click_id,
        "ref": "PPA22P40",  # the producer's affiliate code, never a click
    }
    return {key: value for key, value in found.items() if key not in ("_fbp", "_fbc") or value}


def _commission(sale: Sale) -> JsonObject:
    return {
        "affiliation_code": "PPA22P40",
        "affiliation_type_enum": 1,
        "affiliation_type_enum_key": "producer",
        "name": "Produtor Teste",
        "email": "produtor@example.com",
        "identification_number": "",
        "commission_amount": sale.share(90),
        "currency_enum": _CURRENCIES[sale.currency],
        "currency_enum_key": sale.currency,
    }


def _transaction(made_of: uuid.UUID) -> str:
    return f"PPCPMTB{made_of.hex[-9:].upper()}"


RECIPE = Recipe("perfectpay", frozenset(_STATUSES), word, seal, _transaction)
