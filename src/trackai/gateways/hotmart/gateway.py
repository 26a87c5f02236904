"""Hotmart, webhook 2.0.0: an envelope with the event's name; a static token is its proof.

The account's "hottok" comes in the header X-HOTMART-HOTTOK (early 2.0 bodies: in the root), so it
proves who sends, not that nothing was changed. Facts from developers.hotmart.com (webhook 2.0.0)
and from public captures, read 2026-11. Version 1.0.0, a flat form, is verified and not understood:
no capture of one was at hand, and an amount must not be guessed.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.decode import Fields, distinct, read_object, to_money
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.signatures import (
    header_text,
    prove_token,
    prove_token_in_body,
)
from trackai.model.notice import Buyer, NotASale, Notice, NoticeStatus, Product, Tracking

HEADER = "x-hotmart-hottok"

# `event` decides. `purchase.status` is spelt differently in documents and in bodies (CANCELLED and
# CANCELED, COMPLETE and COMPLETED), so it is asked only where the event says too little.
STATUSES: Mapping[str, NoticeStatus] = {
    "PURCHASE_APPROVED": NoticeStatus.APPROVED,  # renewals too: purchase.recurrence_number
    "PURCHASE_COMPLETE": NoticeStatus.COMPLETED,  # warranty over: the same sale again
    "PURCHASE_BILLET_PRINTED": NoticeStatus.PENDING,
    "PURCHASE_DELAYED": NoticeStatus.PENDING,  # overdue
    "PURCHASE_CANCELED": NoticeStatus.REFUSED,  # "cancelada" is mostly a card that was declined
    "PURCHASE_EXPIRED": NoticeStatus.CANCELED,
    "PURCHASE_PROTEST": NoticeStatus.REFUND_REQUESTED,  # status DISPUTE: asked for the money back
    "PURCHASE_REFUNDED": NoticeStatus.REFUNDED,
    "PURCHASE_CHARGEBACK": NoticeStatus.CHARGED_BACK,
    "PURCHASE_OUT_OF_SHOPPING_CART": NoticeStatus.ABANDONED,  # has no transaction
}
NOT_SALES: Mapping[str, str] = {
    "SUBSCRIPTION_CANCELLATION": "subscription_canceled",
    "SWITCH_PLAN": "plan_switched",
    "UPDATE_SUBSCRIPTION_CHARGE_DATE": "charge_date_changed",
    "CLUB_FIRST_ACCESS": "member_area",
    "CLUB_MODULE_COMPLETED": "member_area",
    "ORDER_FULFILLMENT": "fulfillment",
}

_MILLISECOND = dt.timedelta(milliseconds=1)
# What Hotmart writes into an unset sck, such as HOTMART_PRODUCT_PAGE.
_FILLER = re.compile(r"HOTMART_[A-Z_]+")


class Hotmart:
    """The adapter."""

    name = "hotmart"
    title = "Hotmart"
    click_parameters = ("xcod", "sck", "src")
    checkout_hosts = ("hotmart.com",)
    checkout_url = "https://pay.hotmart.com/"
    secret_prefix = ""

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Compare the token of the header, else that of the body."""
        given = request.headers.get(HEADER)
        if given:
            return prove_token(header_text(given), secrets)
        if _is_json(request.body):
            return prove_token_in_body(request.body, "hottok", secrets)
        return prove_token(_token_of_form(request.body), secrets)

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate the envelope; the cart event is known by the envelope's id."""
        if not _is_json(request.body):
            raise PayloadNotUnderstood("A form is version 1.0.0; set the webhook to 2.0.0.")
        body = read_object(request.body)
        event = body.required("event")
        status = STATUSES.get(event)
        if status is None:
            return NotASale(event, NOT_SALES.get(event, "unknown_event"))
        if status is NoticeStatus.ABANDONED:
            transaction = f"cart:{body.required('id')}"
        else:
            transaction = body.inner("data").inner("purchase").required("transaction")
        return (_notice(body, event, status, transaction),)


def _notice(body: Fields, event: str, status: NoticeStatus, transaction: str) -> Notice:
    data = body.inner("data")
    purchase, product = data.inner("purchase"), data.inner("product")
    if purchase.text("status") == "PARTIALLY_REFUNDED" and status is NoticeStatus.REFUNDED:
        status = NoticeStatus.PARTIALLY_REFUNDED
    price = purchase.inner("price")  # `full_price` may hold the interest of instalments
    approved_at = purchase.epoch("approved_date", _MILLISECOND)
    return Notice(
        gateway=Hotmart.name,
        transaction=transaction,
        status=status,
        event=event,
        occurred_at=body.epoch("creation_date", _MILLISECOND),
        sold_at=approved_at or purchase.epoch("order_date", _MILLISECOND),
        money=to_money(price.raw("value"), price.text("currency_value"), status),
        product=Product(product.identifier("id"), product.text("name")),
        buyer=_buyer(data),
        tracking=_tracking(purchase.inner("origin")),
        recurrence=purchase.count("recurrence_number") or 1,
        subscription=data.inner("subscription").inner("subscriber").identifier("code"),
    )


def _buyer(data: Fields) -> Buyer:
    buyer = data.inner("buyer")
    address = buyer.inner("address")
    return Buyer(
        email=buyer.text("email"),
        # checkout_phone_code is left aside: country's or area's code, or nonsense, by the body.
        phone=buyer.text("checkout_phone") or buyer.text("phone"),
        full_name=buyer.text("name"),
        first_name=buyer.text("first_name"),
        last_name=buyer.text("last_name"),
        city=address.text("city"),
        state=address.text("state"),
        zip_code=address.text("zipcode"),
        country=address.text("country_iso")
        or data.inner("purchase").inner("checkout_country").text("iso")
        or data.inner("checkout_country").text("iso"),
        document=buyer.text("document"),
        client_ip=data.text("buyer_ip"),  # of the cart event alone
    )


def _tracking(origin: Fields) -> Tracking:
    """Read what came back through the checkout; Hotmart keeps no utm parameters."""
    src, sck = origin.identifier("src"), origin.identifier("sck")
    if sck is not None and _FILLER.fullmatch(sck):
        sck = None
    return Tracking(click_ids=distinct(origin.identifier("xcod"), sck, src), src=src, sck=sck)


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] == b"{"


def _token_of_form(body: bytes) -> str | None:
    try:
        return parse_qs(body.decode(), max_num_fields=200).get("hottok", [None])[0]
    except ValueError:
        return None


GATEWAY: Gateway = Hotmart()
