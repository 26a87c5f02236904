"""Cakto: an event's name and its data; the webhook's secret stands in the body as its proof.

So it proves who sends, not that nothing was changed. Webhooks of version 2 send `data` as a list.
Facts from docs.cakto.com.br (webhooks) and from public captures, read 2026-11. Cakto sells in
reais alone and names no currency.
"""

import hashlib
from collections.abc import Mapping, Sequence

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.decode import Fields, distinct, read_object, to_money
from trackai.gateways.port import Gateway, InboundRequest, Parsed, ProofFailure
from trackai.gateways.signatures import prove_token_in_body
from trackai.model.notice import Buyer, NotASale, Notice, NoticeStatus, Product, Tracking

STATUSES: Mapping[str, NoticeStatus] = {
    "boleto_gerado": NoticeStatus.PENDING,
    "pix_gerado": NoticeStatus.PENDING,
    "picpay_gerado": NoticeStatus.PENDING,
    "purchase_approved": NoticeStatus.APPROVED,
    "subscription_renewed": NoticeStatus.APPROVED,  # a later charge, under an order of its own
    "purchase_refused": NoticeStatus.REFUSED,
    "refund": NoticeStatus.REFUNDED,
    "chargeback": NoticeStatus.CHARGED_BACK,
    "checkout_abandonment": NoticeStatus.ABANDONED,  # a flat shape of its own, without an id
}
NOT_SALES: Mapping[str, str] = {
    "subscription_canceled": "subscription_canceled",
    "initiate_checkout": "checkout_started",
}
_OCCURRED: Mapping[NoticeStatus, str] = {
    NoticeStatus.APPROVED: "paidAt",
    NoticeStatus.REFUNDED: "refundedAt",
    NoticeStatus.CHARGED_BACK: "chargedbackAt",
    NoticeStatus.PENDING: "createdAt",
    NoticeStatus.ABANDONED: "createdAt",
}
_CURRENCY = "BRL"


class Cakto:
    """The adapter."""

    name = "cakto"
    title = "Cakto"
    click_parameters = ("sck", "src")
    checkout_hosts = ("cakto.com.br",)
    checkout_url = "https://pay.cakto.com.br/"
    secret_prefix = ""

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Compare `secret` in the body."""
        return prove_token_in_body(request.body, "secret", secrets)

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate the event; a list in `data` gives as many notices."""
        body = read_object(request.body)
        event = body.required("event")
        status = STATUSES.get(event)
        if status is None:
            return NotASale(event, NOT_SALES.get(event, "unknown_event"))
        orders = list(body.each("data")) or [body.inner("data")]
        if status is NoticeStatus.ABANDONED:
            # The body's digest: the same when Cakto sends the same again.
            cart = hashlib.sha256(request.body).hexdigest()[:32]
            orders = [one or body for one in orders]
            return tuple(
                _cart(one, event, f"cart:{cart}-{number}") for number, one in enumerate(orders)
            )
        return tuple(_order(one, event, status) for one in orders)


def _order(data: Fields, event: str, status: NoticeStatus) -> Notice:
    transaction = data.identifier("id") or data.identifier("refId")
    if transaction is None:
        raise PayloadNotUnderstood("The body has no readable id.", field="id")
    return Notice(
        gateway=Cakto.name,
        transaction=transaction,
        status=status,
        event=event,
        occurred_at=data.time(_OCCURRED.get(status, "")),
        sold_at=data.time("paidAt") or data.time("createdAt"),
        money=to_money(data.raw("amount"), _CURRENCY, status),
        product=_product(data),
        buyer=_buyer(data.inner("customer")),
        tracking=_tracking(data),
        recurrence=_recurrence(data, event),
        subscription=data.inner("subscription").identifier("id"),
    )


def _cart(data: Fields, event: str, transaction: str) -> Notice:
    moment = data.time(_OCCURRED[NoticeStatus.ABANDONED])
    return Notice(
        gateway=Cakto.name,
        transaction=transaction,
        status=NoticeStatus.ABANDONED,
        event=event,
        occurred_at=moment,
        sold_at=moment,
        product=_product(data),
        buyer=Buyer(
            email=data.text("customerEmail"),
            phone=data.text("customerCellphone"),
            full_name=data.text("customerName"),
        ),
        tracking=_tracking(data),
    )


def _product(data: Fields) -> Product:
    product = data.inner("product")
    return Product(product.identifier("id"), product.text("name"))


def _buyer(customer: Fields) -> Buyer:
    return Buyer(
        email=customer.text("email"),
        phone=customer.text("phone"),
        full_name=customer.text("name"),
        birth_date=customer.text("birthDate"),
        document=customer.text("docNumber"),
    )


def _tracking(data: Fields) -> Tracking:
    src, sck = data.identifier("src"), data.identifier("sck")
    return Tracking(
        click_ids=distinct(sck, src),
        fbc=data.text("fbc"),
        fbp=data.text("fbp"),
        src=src,
        sck=sck,
        utm_source=data.text("utm_source"),
        utm_medium=data.text("utm_medium"),
        utm_campaign=data.text("utm_campaign"),
        utm_content=data.text("utm_content"),
        utm_term=data.text("utm_term"),
    )


def _recurrence(data: Fields, event: str) -> int:
    """Return which charge this is: the order's own period, else where the subscription stands."""
    number = data.count("subscription_period")
    if number is None:
        number = data.inner("subscription").count("current_period")
    return max(2 if event == "subscription_renewed" else 1, number or 1)


GATEWAY: Gateway = Cakto()
