"""Cakto beyond the contract: lists of version 2, checkouts left, which charge it is."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.cakto.gateway import GATEWAY
from trackai.gateways.port import InboundRequest
from trackai.model.money import Money
from trackai.model.notice import NotASale, Notice, NoticeStatus

HERE = Path(__file__).parent
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
ORDER = json.loads((HERE / "purchase_approved_pix.json").read_bytes())["data"]
CART = {
    "customerName": "Maria da Conceição",
    "customerEmail": "maria@example.com",
    "customerCellphone": "5511999999999",
    "product": {"id": "p1", "name": "Curso"},
    "createdAt": "2026-11-23T09:00:00-03:00",
}


def told(event: str, data: object, **root: Any) -> Any:
    body = json.dumps({"secret": "s", "event": event, "data": data} | root).encode()
    return GATEWAY.parse(InboundRequest(body, {}, "", NOON))


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("boleto_gerado", NoticeStatus.PENDING),
        ("pix_gerado", NoticeStatus.PENDING),
        ("picpay_gerado", NoticeStatus.PENDING),
        ("purchase_approved", NoticeStatus.APPROVED),
        ("subscription_renewed", NoticeStatus.APPROVED),
        ("purchase_refused", NoticeStatus.REFUSED),
        ("refund", NoticeStatus.REFUNDED),
        ("chargeback", NoticeStatus.CHARGED_BACK),
    ],
)
def test_every_documented_event_has_its_meaning(event: str, status: NoticeStatus) -> None:
    (found,) = told(event, ORDER)

    assert (found.status, found.money) == (status, Money(555, "BRL"))


def test_events_that_move_no_money_are_named() -> None:
    assert told("subscription_canceled", ORDER) == NotASale(
        "subscription_canceled", "subscription_canceled"
    )
    assert told("initiate_checkout", {}) == NotASale("initiate_checkout", "checkout_started")


def test_a_list_gives_a_notice_for_each_order() -> None:
    bump = ORDER | {"id": "bump-1", "amount": "1.50", "product": {"id": "b", "name": "Bump"}}
    found = told("purchase_approved", [ORDER, bump])

    assert [one.transaction for one in found] == [ORDER["id"], "bump-1"]
    assert [one.money for one in found] == [Money(555, "BRL"), Money(150, "BRL")]


def test_a_list_with_an_order_that_has_no_id_is_not_understood_as_a_whole() -> None:
    nameless: tuple[object, ...] = ({}, None, "text", ORDER | {"id": None, "refId": None})
    for broken in nameless:
        with pytest.raises(PayloadNotUnderstood):
            told("purchase_approved", [ORDER, broken])


def test_an_empty_list_is_not_understood() -> None:
    with pytest.raises(PayloadNotUnderstood):
        told("purchase_approved", [])


def test_a_checkout_left_is_known_by_its_body_and_the_same_when_sent_again() -> None:
    (first,), (again,) = told("checkout_abandonment", CART), told("checkout_abandonment", CART)
    (other,) = told("checkout_abandonment", CART | {"customerEmail": "ana@example.com"})

    assert isinstance(first, Notice)
    assert first == again
    assert first.transaction.startswith("cart:")
    assert first.transaction != other.transaction
    assert first.status is NoticeStatus.ABANDONED
    assert (first.buyer.email, first.buyer.phone) == ("maria@example.com", "5511999999999")
    assert first.occurred_at == NOON


def test_a_checkout_left_may_stand_at_the_root() -> None:
    (found,) = told("checkout_abandonment", None, **CART)

    assert found.buyer.full_name == "Maria da Conceição"


@pytest.mark.parametrize(
    ("event", "changes", "recurrence"),
    [
        ("purchase_approved", {}, 1),
        ("purchase_approved", {"subscription_period": 3}, 3),
        ("purchase_approved", {"subscription": {"current_period": 4}}, 4),
        ("purchase_approved", {"subscription_period": 2, "subscription": {"current_period": 8}}, 2),
        ("subscription_renewed", {}, 2),
    ],
)
def test_a_charge_is_counted_by_the_orders_own_period(
    event: str, changes: dict[str, Any], recurrence: int
) -> None:
    (found,) = told(event, ORDER | changes)

    assert found.recurrence == recurrence
