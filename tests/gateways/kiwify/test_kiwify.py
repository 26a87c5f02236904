"""Kiwify beyond the contract: captured vectors, wrapped bodies, crooked addresses."""

import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.gateways.kiwify.gateway import GATEWAY
from trackai.gateways.port import InboundRequest, ProofFailure
from trackai.model.money import Money
from trackai.model.notice import NotASale, Notice, NoticeStatus

HERE = Path(__file__).parent
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
TOKEN = "kiwify-test-token"
WRAPPED = (HERE / "wrapped_order_approved.json").read_bytes()
PAID = (HERE / "real_order_approved_subscription_sanitised.json").read_bytes()


def request(body: bytes, query: str = "") -> InboundRequest:
    return InboundRequest(body, {}, query, NOON)


def sign(body: bytes) -> str:
    return hmac.new(TOKEN.encode(), body, hashlib.sha1).hexdigest()


def notice(**changes: Any) -> Notice:
    (found,) = told(**changes)
    assert isinstance(found, Notice)
    return found


def told(**changes: Any) -> Any:
    return GATEWAY.parse(request(json.dumps(json.loads(PAID) | changes).encode()))


@pytest.mark.parametrize("vector", json.loads((HERE / "_signature_vectors.json").read_bytes()))
def test_captured_signatures_pass(vector: dict[str, str]) -> None:
    body = (HERE / Path(vector["file"]).name).read_bytes()

    assert GATEWAY.verify(request(body, vector["query"]), [vector["key"]]) is None
    assert not body.endswith(b"\n")


@pytest.mark.parametrize(
    "query", ["token=X?signature={}", "token=X&signature={}", "a=1&signature={}&b=2"]
)
def test_the_signature_is_found_behind_the_sellers_own_query(query: str) -> None:
    assert GATEWAY.verify(request(PAID, query.format(sign(PAID))), [TOKEN]) is None


@pytest.mark.parametrize(
    ("query", "failure"),
    [
        ("", ProofFailure.MISSING),
        ("Signature=" + "0" * 40, ProofFailure.MISSING),
        ("signature=", ProofFailure.MALFORMED),
        ("signature=" + "0" * 39, ProofFailure.MALFORMED),
        ("signature=" + "G" * 40, ProofFailure.MALFORMED),
        ("signature=" + "0" * 40, ProofFailure.MISMATCH),
    ],
)
def test_each_wrong_proof_has_its_reason(query: str, failure: ProofFailure) -> None:
    assert GATEWAY.verify(request(PAID, query), [TOKEN]) is failure


def test_a_wrapped_order_is_proved_by_its_own_bytes() -> None:
    assert GATEWAY.verify(request(WRAPPED), [TOKEN]) is None
    assert GATEWAY.verify(request(WRAPPED), ["another"]) is ProofFailure.MISMATCH
    assert GATEWAY.parse(request(WRAPPED)) == GATEWAY.parse(request(PAID))


def test_each_flipped_byte_of_a_wrapped_order_fails() -> None:
    start = WRAPPED.index(PAID)
    passing = []
    for place in range(start, start + len(PAID)):
        changed = bytearray(WRAPPED)
        changed[place] ^= 1
        if GATEWAY.verify(request(bytes(changed)), [TOKEN]) is None:
            passing.append(place)

    assert passing == []


def test_nothing_around_a_signed_order_is_believed() -> None:
    around = b'{"signature":"' + sign(PAID).encode() + b'","order":' + PAID
    more = around + b',"webhook_event_type":"chargeback","Commissions":{"charge_amount":1}}'
    own_order = around + b',"order_id":"forged","webhook_event_type":"chargeback"}'

    assert GATEWAY.verify(request(more), [TOKEN]) is None
    assert GATEWAY.parse(request(more)) == GATEWAY.parse(request(PAID))
    assert GATEWAY.verify(request(own_order), [TOKEN]) is not None


def test_a_second_order_in_the_same_body_is_the_one_that_is_checked_and_read() -> None:
    signature = sign(PAID).encode()
    forged = PAID.replace(b"8000-000000000001", b"8000-000000000009")
    signed_last = b'{"signature":"' + signature + b'","order":' + forged + b',"order":' + PAID
    forged_last = b'{"signature":"' + signature + b'","order":' + PAID + b',"\\u006frder":' + forged

    assert forged != PAID
    assert GATEWAY.parse(request(signed_last + b"}")) == GATEWAY.parse(request(PAID))
    assert GATEWAY.verify(request(forged_last + b"}"), [TOKEN]) is ProofFailure.MISMATCH


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("subscription_canceled", "subscription_canceled"),
        ("subscription_late", "subscription_overdue"),
        ("order_framed", "unknown_event"),
    ],
)
def test_events_that_move_no_money_are_named(event: str, reason: str) -> None:
    assert told(webhook_event_type=event) == NotASale(event, reason)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("paid", NoticeStatus.APPROVED),
        ("waiting_payment", NoticeStatus.PENDING),
        ("refused", NoticeStatus.REFUSED),
        ("refunded", NoticeStatus.REFUNDED),
        ("chargedback", NoticeStatus.CHARGED_BACK),
    ],
)
def test_a_body_without_event_is_known_by_its_status(word: str, status: NoticeStatus) -> None:
    found = notice(webhook_event_type=None, order_status=word)

    assert (found.status, found.event) == (status, word)


def test_the_amount_is_what_was_charged_with_interest() -> None:
    commissions = {"charge_amount": 12345, "product_base_price": 9900, "currency": "BRL"}

    assert notice(Commissions=commissions).money == Money(12345, "BRL")


@pytest.mark.parametrize(
    ("event", "made", "recurrence"),
    [
        ("order_approved", ["mine"], 1),
        ("order_approved", ["first", "mine"], 2),
        ("order_refunded", ["mine", "second", "third"], 1),
        ("order_approved", ["first", "second"], 2),
        ("subscription_renewed", [], 2),
    ],
)
def test_a_charge_is_counted_by_its_place_among_those_made(
    event: str, made: list[str], recurrence: int
) -> None:
    charges = {"completed": [{"order_id": one} for one in made]}
    found = notice(order_id="mine", webhook_event_type=event, Subscription={"charges": charges})

    assert found.recurrence == recurrence


def test_old_bodies_without_s1_use_the_sellers_parameters() -> None:
    found = notice(TrackingParameters={"src": "from-src", "sck": "from-sck"})

    assert found.tracking.click_ids == ("from-sck", "from-src")
