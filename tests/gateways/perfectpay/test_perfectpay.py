"""PerfectPay beyond the contract: every number, phones, renewals."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.gateways.perfectpay.gateway import GATEWAY
from trackai.gateways.port import InboundRequest
from trackai.model.money import Money
from trackai.model.notice import NotASale, Notice, NoticeStatus

HERE = Path(__file__).parent
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def told(**changes: Any) -> Any:
    document = json.loads((HERE / "approved_one_off.json").read_bytes()) | changes
    return GATEWAY.parse(InboundRequest(json.dumps(document).encode(), {}, "", NOON))


def notice(**changes: Any) -> Notice:
    (found,) = told(**changes)
    assert isinstance(found, Notice)
    return found


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (1, NoticeStatus.PENDING),
        (2, NoticeStatus.APPROVED),
        (3, NoticeStatus.PENDING),
        (4, NoticeStatus.REFUND_REQUESTED),
        (5, NoticeStatus.REFUSED),
        (6, NoticeStatus.CANCELED),
        (7, NoticeStatus.REFUNDED),
        (8, NoticeStatus.PENDING),
        (9, NoticeStatus.CHARGED_BACK),
        (10, NoticeStatus.COMPLETED),
        (11, NoticeStatus.REFUSED),
        (12, NoticeStatus.ABANDONED),
        (13, NoticeStatus.CANCELED),
        (15, NoticeStatus.CANCELED),
        (16, NoticeStatus.PENDING),
        (17, NoticeStatus.REFUND_REQUESTED),
        (18, NoticeStatus.REFUND_REQUESTED),
        (19, NoticeStatus.REFUNDED),
        (20, NoticeStatus.REFUND_REQUESTED),
    ],
)
def test_every_documented_number_has_its_meaning(number: int, status: NoticeStatus) -> None:
    assert notice(sale_status_enum=number).status is status
    assert notice(sale_status_enum=str(number)).status is status


def test_the_number_zero_says_nothing() -> None:
    said = told(sale_status_enum=0, sale_status_enum_key="none")

    assert said == NotASale("none", "no_status")


def test_a_body_without_key_is_called_by_the_numbers_own_name() -> None:
    assert notice(sale_status_enum=7, sale_status_enum_key=None).event == "refunded"


def test_the_amount_may_be_text() -> None:
    assert notice(sale_amount="19.90").money == Money(1990, "BRL")


def test_dollars_and_euros_have_numbers_too() -> None:
    assert notice(currency_enum=2).money == Money(3990, "USD")
    assert notice(currency_enum="3").money == Money(3990, "EUR")
    assert notice(currency_enum=None, currency_enum_key="USD").money == Money(3990, "USD")


@pytest.mark.parametrize(
    ("customer", "phone"),
    [
        ({"phone_extension": "55", "phone_area_code": "43", "phone_number": "9"}, "+55439"),
        ({"phone_extension": "+1", "phone_area_code": "", "phone_number": 7}, "+17"),
        (
            {"phone_area_code": "43", "phone_number": "9", "phone_formated_ddi": "+55(43) 9"},
            "+55(43) 9",
        ),
        ({"phone_area_code": "43", "phone_number": "9"}, "439"),
        ({"phone_formated_ddi": "+55(43) 9", "phone_formated": "(43) 9"}, "+55(43) 9"),
        ({"phone_formated": "(43) 9"}, "(43) 9"),
        ({}, None),
    ],
)
def test_a_phone_has_its_countrys_code_wherever_that_is_told(
    customer: dict[str, Any], phone: str | None
) -> None:
    assert notice(customer=customer).buyer.phone == phone


@pytest.mark.parametrize(
    ("subscription", "recurrence"),
    [
        (None, 1),
        ({"charges_made": 1, "status_event": "subscription_started"}, 1),
        ({"charges_made": 5, "status_event": "subscription_renewed"}, 5),
        ({"charges_made": None, "status_event": "subscription_renewed"}, 2),
        ({"charges_made": "3"}, 3),
    ],
)
def test_later_charges_are_renewals(subscription: object, recurrence: int) -> None:
    assert notice(subscription=subscription).recurrence == recurrence


def test_an_affiliates_code_is_no_click() -> None:
    found = notice(metadata={"ref": "PPA22P40", "src": "from-src", "sck": "from-sck"})

    assert found.tracking.click_ids == ("from-src", "from-sck")
