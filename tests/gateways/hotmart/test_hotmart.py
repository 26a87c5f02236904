"""Hotmart beyond the contract: where the token may be, spellings, fillers, version 1."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.hotmart.gateway import GATEWAY, NOT_SALES, STATUSES
from trackai.gateways.port import InboundRequest, ProofFailure
from trackai.model.notice import NotASale, Notice, NoticeStatus

HERE = Path(__file__).parent
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
TOKEN = "TEST_TOKEN_0123456789abcdef0123456789"
FORM = b"hottok=TEST_TOKEN_0123456789abcdef0123456789&status=approved&transaction=HP1&prod=7"


def request(body: bytes, **headers: str) -> InboundRequest:
    return InboundRequest(body, headers, "", NOON)


def notice(event: str = "PURCHASE_APPROVED", **purchase: Any) -> Notice:
    document = json.loads((HERE / "approved_origin_subscription.json").read_bytes())
    document["event"] = event
    document["data"]["purchase"] |= purchase
    parsed = GATEWAY.parse(request(json.dumps(document).encode()))
    assert isinstance(parsed, tuple)
    return parsed[0]


def test_early_bodies_carry_the_token_at_their_root() -> None:
    body = (HERE / "es_update_subscription_charge_date.json").read_bytes()

    assert GATEWAY.verify(request(body), [TOKEN]) is None
    assert GATEWAY.verify(request(body), ["another"]) is ProofFailure.MISMATCH


def test_a_wrong_header_is_not_saved_by_the_body() -> None:
    body = (HERE / "es_update_subscription_charge_date.json").read_bytes()
    forged = InboundRequest(body, {"x-hotmart-hottok": "another"}, "", NOON)

    assert GATEWAY.verify(forged, [TOKEN]) is ProofFailure.MISMATCH


def test_a_form_of_version_1_is_proved_and_kept_but_not_understood() -> None:
    assert GATEWAY.verify(request(FORM), [TOKEN]) is None
    assert GATEWAY.verify(request(FORM), ["another"]) is ProofFailure.MISMATCH
    assert GATEWAY.verify(request(b"status=approved"), [TOKEN]) is ProofFailure.MISSING
    with pytest.raises(PayloadNotUnderstood, match=r"2\.0\.0"):
        GATEWAY.parse(request(FORM))


@pytest.mark.parametrize("event", sorted(NOT_SALES))
def test_events_that_move_no_money_are_named(event: str) -> None:
    body = json.dumps({"event": event, "data": {}}).encode()

    assert GATEWAY.parse(request(body)) == NotASale(event, NOT_SALES[event])


def test_no_event_is_both_a_sale_and_not() -> None:
    assert set(STATUSES) & set(NOT_SALES) == set()


@pytest.mark.parametrize("spelling", ["CANCELED", "CANCELLED", "COMPLETE", "COMPLETED", None])
def test_the_event_decides_however_the_status_is_spelt(spelling: str | None) -> None:
    assert notice("PURCHASE_COMPLETE", status=spelling).status is NoticeStatus.COMPLETED


def test_a_partial_refund_is_told_by_the_status() -> None:
    partial = notice("PURCHASE_REFUNDED", status="PARTIALLY_REFUNDED")

    assert partial.status is NoticeStatus.PARTIALLY_REFUNDED
    assert notice("PURCHASE_REFUNDED", status="REFUNDED").status is NoticeStatus.REFUNDED


def test_later_charges_are_renewals() -> None:
    assert notice(recurrence_number=4).recurrence == 4
    assert notice(recurrence_number=None).recurrence == 1


def test_the_price_is_taken_without_the_interest_of_instalments() -> None:
    found = notice(full_price={"value": 612.34, "currency_value": "BRL"})

    assert found.money is not None
    assert found.money.amount_minor == 54_000


def test_hotmarts_own_filler_is_no_click() -> None:
    found = notice(origin={"sck": "HOTMART_PRODUCT_PAGE", "src": "Src-1"})

    assert found.tracking.click_ids == ("Src-1",)
    assert found.tracking.sck is None
