"""What the stand-ins of the platforms send is proved and understood: two readings of one source."""

import datetime as dt
import uuid

import pytest

from trackai.gateways.port import Gateway, InboundRequest, ProofFailure
from trackai.gateways.registry import gateways
from trackai.model.money import Money
from trackai.model.notice import Notice, NoticeStatus
from trackai.sandbox.platforms import PLATFORMS, Sale, SaleStatus, SignedWebhook, platform

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
SECRET = "segredo-de-teste"
CLICK = "clk_019ab000Z"
# Everything else is called the same on both sides.
MEANING = {
    SaleStatus.DISPUTED: NoticeStatus.REFUND_REQUESTED,
    SaleStatus.RENEWAL: NoticeStatus.APPROVED,
}
EVERY = [
    pytest.param(name, status, payment, id=f"{name}-{status}-{payment}")
    for name in gateways()
    for status in sorted(PLATFORMS[name].statuses)
    for payment in ("credit_card", "pix", "boleto")
]


def _understood(gateway: Gateway, request: InboundRequest) -> Notice:
    parsed = gateway.parse(request)
    assert isinstance(parsed, tuple)
    (found,) = parsed
    return found


def _received(webhook: SignedWebhook) -> InboundRequest:
    headers = {name.lower(): value for name, value in webhook.headers.items()}
    return InboundRequest(webhook.body, headers, webhook.query, NOON)


@pytest.mark.parametrize(("name", "status", "payment"), EVERY)
def test_what_is_told_is_understood(name: str, status: SaleStatus, payment: str) -> None:
    sender, gateway = platform(name, SECRET), gateways()[name]
    sale = Sale(
        transaction=sender.transaction(uuid.UUID("019ab000-0000-7000-8000-000000000001")),
        sold_at=NOON,
        amount_minor=19_790,
        payment=payment,
        click_id=CLICK,
    )
    request = _received(sender.notice(sale, status))
    forged = _received(sender.notice(sale, status, forge=True))
    found = _understood(gateway, request)

    assert gateway.verify(request, [SECRET]) is None
    assert gateway.verify(forged, [SECRET]) is ProofFailure.MISMATCH
    assert found.status is (MEANING.get(status) or NoticeStatus(status.value))
    assert found.recurrence == (2 if status is SaleStatus.RENEWAL else 1)


@pytest.mark.parametrize("name", list(gateways()))
def test_an_approved_sale_arrives_whole(name: str) -> None:
    sender, gateway = platform(name, SECRET), gateways()[name]
    transaction = sender.transaction(uuid.UUID("019ab000-0000-7000-8000-000000000001"))
    sale = Sale(transaction=transaction, sold_at=NOON, amount_minor=19_790, click_id=CLICK)
    found = _understood(gateway, _received(sender.notice(sale, SaleStatus.APPROVED)))

    assert (found.gateway, found.transaction) == (name, transaction)
    assert found.money == Money(19_790, "BRL")
    assert found.sold_at == NOON
    assert found.buyer.email == sale.buyer.email
    assert found.buyer.full_name == sale.buyer.full_name
    assert (found.buyer.phone or "").removeprefix("+") == sale.buyer.phone
    assert found.buyer.document == sale.buyer.document
    assert found.tracking.click_ids == (CLICK,)
