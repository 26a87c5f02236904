"""Kiwify: a document with capitals in its keys; HMAC-SHA1 of the raw bytes is its proof.

The signature is lower-case hexadecimal in the query; its key is the webhook's token, which never
travels. Some receivers got {"url", "signature", "order"}, signed over the bytes of `order`. Facts
from docs.kiwify.com.br (receiving webhooks) and from captured vectors, recomputed 2026-11.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.decode import Fields, distinct, read_object, to_money
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.signatures import prove_hmac, usable
from trackai.model.notice import Buyer, NotASale, Notice, NoticeStatus, Product, Tracking

# webhook_event_type; the panel's names (compra_aprovada, ...) are not in the body.
STATUSES: Mapping[str, NoticeStatus] = {
    "billet_created": NoticeStatus.PENDING,
    "pix_created": NoticeStatus.PENDING,
    "order_approved": NoticeStatus.APPROVED,
    "subscription_renewed": NoticeStatus.APPROVED,  # a later charge, under an order of its own
    "order_rejected": NoticeStatus.REFUSED,
    "order_refunded": NoticeStatus.REFUNDED,
    "chargeback": NoticeStatus.CHARGED_BACK,
}
NOT_SALES: Mapping[str, str] = {
    "subscription_canceled": "subscription_canceled",
    "subscription_late": "subscription_overdue",
}
# `order_status`, for bodies without an event; the last one is a cart's `status`.
STATUSES_WITHOUT_EVENT: Mapping[str, NoticeStatus] = {
    "waiting_payment": NoticeStatus.PENDING,
    "paid": NoticeStatus.APPROVED,
    "refused": NoticeStatus.REFUSED,
    "refunded": NoticeStatus.REFUNDED,
    "chargedback": NoticeStatus.CHARGED_BACK,
    "abandoned": NoticeStatus.ABANDONED,
}
# When this status came about; the others are dated by the order's last change.
_OCCURRED: Mapping[NoticeStatus, str] = {
    NoticeStatus.APPROVED: "approved_date",
    NoticeStatus.REFUNDED: "refunded_at",
}

_HEX_SHA1 = re.compile(r"[0-9a-f]{40}")
_CENTS = 2


class _Wrapped(msgspec.Struct):
    order: msgspec.Raw = msgspec.Raw()  # the very bytes: what is signed
    signature: object = None
    order_id: object = None  # at the root of a body that is not wrapped


class Kiwify:
    """The adapter."""

    name = "kiwify"
    title = "Kiwify"
    click_parameters = ("s1", "s2", "s3", "sck", "src")
    checkout_hosts = ("kiwify.com.br", "kiwify.com")
    checkout_url = "https://pay.kiwify.com.br/"
    secret_prefix = ""

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Compare the HMAC of the raw body, or of the order wrapped in it."""
        if not usable(secrets):
            return ProofFailure.NO_SECRET
        messages, given = [request.body], _signatures(request.query)
        wrapped = _unwrap(request.body)
        if wrapped is not None:
            messages.append(bytes(wrapped.order))
            if isinstance(wrapped.signature, str):
                given.append(wrapped.signature)
        if not given:
            return ProofFailure.MISSING
        readable = [one for one in given if _HEX_SHA1.fullmatch(one)]
        if not readable:
            return ProofFailure.MALFORMED
        return prove_hmac("sha1", messages, readable, secrets)

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate an order, wrapped or not, or an abandoned cart."""
        wrapped = _unwrap(request.body)
        # The signature may cover the wrapped order alone: nothing around it is believed.
        body = read_object(request.body if wrapped is None else bytes(wrapped.order))
        event = body.identifier("webhook_event_type")
        if event is None:
            word = body.identifier("order_status") or body.required("status")
            event, status = word, STATUSES_WITHOUT_EVENT.get(word)
        else:
            status = STATUSES.get(event)
        if status is None:
            return NotASale(event, NOT_SALES.get(event, "unknown_event"))
        if status is NoticeStatus.ABANDONED:
            return (_cart(body, event),)
        return (_order(body, event, status),)


def _order(body: Fields, event: str, status: NoticeStatus) -> Notice:
    commissions, product = body.inner("Commissions"), body.inner("Product")
    transaction = body.required("order_id")
    return Notice(
        gateway=Kiwify.name,
        transaction=transaction,
        status=status,
        event=event,
        occurred_at=body.time(_OCCURRED.get(status, "updated_at")) or body.time("updated_at"),
        sold_at=body.time("approved_date") or body.time("created_at"),
        # What was charged, with the interest of instalments; `product_base_price` is without.
        money=to_money(
            commissions.raw("charge_amount"),
            commissions.text("currency") or "BRL",
            status,
            decimals=_CENTS,
        ),
        product=Product(product.identifier("product_id"), product.text("product_name")),
        buyer=_buyer(body.inner("Customer")),
        tracking=_tracking(body.inner("TrackingParameters")),
        recurrence=_recurrence(body.inner("Subscription"), transaction, event),
        subscription=body.identifier("subscription_id"),
    )


def _cart(body: Fields, event: str) -> Notice:
    """Read the flat body of an abandoned cart; it brings no tracking."""
    moment = body.time("created_at")
    return Notice(
        gateway=Kiwify.name,
        transaction=f"cart:{body.required('id')}",
        status=NoticeStatus.ABANDONED,
        event=event,
        occurred_at=moment,
        sold_at=moment,
        product=Product(body.identifier("product_id"), body.text("product_name")),
        buyer=Buyer(
            email=body.text("email"),
            phone=body.text("phone"),
            full_name=body.text("name"),
            country=body.text("country"),
            document=body.text("cpf") or body.text("cnpj"),
        ),
    )


def _buyer(customer: Fields) -> Buyer:
    return Buyer(
        email=customer.text("email"),
        phone=customer.text("mobile"),
        full_name=customer.text("full_name"),
        first_name=customer.text("first_name"),
        city=customer.text("city"),
        state=customer.text("state"),
        zip_code=customer.text("zipcode"),
        country=customer.text("country"),
        document=customer.text("CPF") or customer.text("cnpj"),
        client_ip=customer.text("ip"),
    )


def _tracking(parameters: Fields) -> Tracking:
    src, sck = parameters.identifier("src"), parameters.identifier("sck")
    own = [parameters.identifier(name) for name in ("s1", "s2", "s3")]  # old bodies lack them
    return Tracking(
        click_ids=distinct(*own, sck, src),
        src=src,
        sck=sck,
        utm_source=parameters.text("utm_source"),
        utm_medium=parameters.text("utm_medium"),
        utm_campaign=parameters.text("utm_campaign"),
        utm_content=parameters.text("utm_content"),
        utm_term=parameters.text("utm_term"),
    )


def _recurrence(subscription: Fields, transaction: str, event: str) -> int:
    """Return which charge this order is: its place among those made, else how many were made."""
    made = [one.identifier("order_id") for one in subscription.inner("charges").each("completed")]
    number = made.index(transaction) + 1 if transaction in made else len(made)
    return max(2 if event == "subscription_renewed" else 1, number)


def _unwrap(body: bytes) -> _Wrapped | None:
    try:
        wrapped = msgspec.json.decode(body, type=_Wrapped)
        read_object(bytes(wrapped.order))
    except (ValueError, RecursionError, PayloadNotUnderstood):
        return None
    return wrapped if wrapped.order_id is None else None


def _signatures(query: str) -> list[str]:
    """Find `signature`, also in "token=X?signature=Y": a seller's address with its own query."""
    parts = query.replace("?", "&").split("&")
    return [part.removeprefix("signature=") for part in parts if part.startswith("signature=")]


GATEWAY: Gateway = Kiwify()
