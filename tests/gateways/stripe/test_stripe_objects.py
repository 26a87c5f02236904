"""Which of Stripe's several events of one sale counts, and what it says."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.port import InboundRequest, Parsed
from trackai.gateways.stripe.gateway import GATEWAY
from trackai.model.money import Money
from trackai.model.notice import NotASale, Notice, NoticeStatus, Product

HERE = Path(__file__).parent
NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)

SESSION = "checkout_session_completed_paid.json"
INTENT = "payment_intent_succeeded.json"
INVOICE = "invoice_paid_cycle.json"
REFUND = "charge_refunded_full.json"
DISPUTE = "charge_dispute_created.json"


def told(file: str, event: str | None = None, **changes: Any) -> Parsed:
    document = json.loads((HERE / file).read_bytes())
    document["type"] = event or document["type"]
    document["data"]["object"] |= changes
    return GATEWAY.parse(InboundRequest(json.dumps(document).encode(), {}, "", NOON))


def notice(file: str, event: str | None = None, **changes: Any) -> Notice:
    parsed = told(file, event, **changes)
    assert isinstance(parsed, tuple)
    return parsed[0]


# One payment


@pytest.mark.parametrize(
    ("event", "payment_status", "status"),
    [
        ("checkout.session.completed", "paid", NoticeStatus.APPROVED),
        ("checkout.session.completed", "no_payment_required", NoticeStatus.APPROVED),
        ("checkout.session.completed", "unpaid", NoticeStatus.PENDING),
        ("checkout.session.completed", None, NoticeStatus.PENDING),
        ("checkout.session.async_payment_succeeded", "paid", NoticeStatus.APPROVED),
        ("checkout.session.async_payment_failed", "unpaid", NoticeStatus.REFUSED),
        ("checkout.session.expired", "unpaid", NoticeStatus.ABANDONED),
    ],
)
def test_a_session_is_paid_when_it_says_so(
    event: str, payment_status: str | None, status: NoticeStatus
) -> None:
    assert notice(SESSION, event, payment_status=payment_status).status is status


def test_a_payment_and_its_session_and_refund_and_dispute_are_one_transaction() -> None:
    found = {
        notice(SESSION, payment_intent="pi_1").transaction,
        notice(INTENT, id="pi_1").transaction,
        notice(REFUND, payment_intent="pi_1").transaction,
        notice(DISPUTE, payment_intent={"id": "pi_1"}).transaction,
    }

    assert found == {"pi_1"}


def test_an_invoice_printed_after_a_payment_changes_nothing() -> None:
    reason = NotASale("invoice.paid", "payment_intent_is_the_money_event")

    assert notice(SESSION, payment_intent="pi_1", invoice="in_1").transaction == "pi_1"
    assert told(INVOICE, billing_reason="manual") == reason


def test_a_direct_payment_waits_for_its_session() -> None:
    paid = notice(INTENT, payment_details={"order_reference": "cs_test_1"})

    assert (paid.status, paid.provisional) == (NoticeStatus.APPROVED, True)
    assert not notice(SESSION).provisional
    assert not notice(INTENT, "payment_intent.canceled").provisional


def test_a_session_left_has_no_payment_and_is_known_by_itself() -> None:
    left = notice(SESSION, "checkout.session.expired", payment_intent=None, id="cs_1")

    assert (left.transaction, left.status) == ("cs_1", NoticeStatus.ABANDONED)


def test_a_session_that_only_saves_a_card_is_no_sale() -> None:
    assert told(SESSION, mode="setup") == NotASale("checkout.session.completed", "setup_only")


# Subscriptions


@pytest.mark.parametrize(
    "link",
    [
        {"invoice": "in_1", "description": "Subscription creation"},
        {"invoice": {"id": "in_1"}},
        {"payment_details": {"order_reference": "in_1"}, "description": "Subscription update"},
    ],
)
@pytest.mark.parametrize("event", ["payment_intent.succeeded", "payment_intent.payment_failed"])
def test_a_subscriptions_payment_leaves_the_word_to_its_invoice(
    link: dict[str, Any], event: str
) -> None:
    assert told(INTENT, event, **link) == NotASale(event, "invoice_is_the_money_event")


def test_a_subscriptions_session_and_first_invoice_are_one_transaction() -> None:
    session = notice(SESSION, mode="subscription", invoice="in_1", payment_intent=None)
    first = notice(INVOICE, id="in_1", billing_reason="subscription_create")

    assert session.transaction == first.transaction == "in_1"
    assert (session.recurrence, first.recurrence) == (1, 1)


def test_a_subscriptions_session_without_invoice_leaves_the_word_to_it() -> None:
    parsed = told(SESSION, mode="subscription", invoice=None, payment_intent=None)

    assert parsed == NotASale("checkout.session.completed", "invoice_is_the_money_event")


@pytest.mark.parametrize("reason", ["subscription_cycle", "subscription_update", "subscription"])
def test_later_invoices_are_renewals(reason: str) -> None:
    assert notice(INVOICE, billing_reason=reason).recurrence == 2


def test_an_old_versions_refund_of_a_subscription_finds_its_invoice() -> None:
    refund = notice(REFUND, invoice="in_1", description="Subscription creation")

    assert refund.transaction == "in_1"


@pytest.mark.parametrize(
    "link", [{"invoice": "in_1"}, {"payment_details": {"order_reference": "in_1"}}]
)
def test_an_invoice_without_subscription_is_told_by_its_payment(link: dict[str, Any]) -> None:
    paid = notice(INTENT, id="pi_1", description="Payment for Invoice", **link)
    refund = notice(REFUND, payment_intent="pi_1", description="Payment for Invoice", **link)

    assert (paid.transaction, paid.provisional) == ("pi_1", False)
    assert refund.transaction == "pi_1"


@pytest.mark.parametrize(
    "line",
    [{"price": {"product": "prod_1"}}, {"pricing": {"price_details": {"product": "prod_1"}}}],
)
def test_an_invoice_names_its_first_product(line: dict[str, Any]) -> None:
    found = notice(INVOICE, lines={"data": [line | {"description": "Curso"}, {}]})

    assert found.product == Product("prod_1", "Curso")


@pytest.mark.parametrize(
    "place",
    [
        {"metadata": {"click_id": "Clk-1"}},
        {"metadata": {"trackai_click_id": "Clk-1"}},
        {"subscription_details": {"metadata": {"click_id": "Clk-1"}}},
        {"parent": {"subscription_details": {"metadata": {"click_id": "Clk-1"}}}},
    ],
)
def test_an_invoice_finds_the_click_in_its_subscriptions_metadata(place: dict[str, Any]) -> None:
    assert notice(INVOICE, **place).tracking.click_ids == ("Clk-1",)


# Refunds and disputes


@pytest.mark.parametrize(
    ("returned", "flag", "status"),
    [
        (19_700, True, NoticeStatus.REFUNDED),
        (19_700, False, NoticeStatus.REFUNDED),
        (5_000, False, NoticeStatus.PARTIALLY_REFUNDED),
    ],
)
def test_a_refund_is_partial_while_money_stays(
    returned: int, flag: object, status: NoticeStatus
) -> None:
    refund = notice(REFUND, amount_refunded=returned, refunded=flag)

    assert refund.status is status
    assert refund.refunded == Money(returned, "BRL")
    assert refund.money == Money(19_700, "BRL")


@pytest.mark.parametrize(
    ("event", "word", "status"),
    [
        ("charge.dispute.created", "needs_response", NoticeStatus.CHARGED_BACK),
        ("charge.dispute.created", "warning_needs_response", NoticeStatus.REFUND_REQUESTED),
        ("charge.dispute.created", "framed", NoticeStatus.CHARGED_BACK),
        ("charge.dispute.closed", "won", NoticeStatus.DISPUTE_WON),
        ("charge.dispute.closed", "lost", NoticeStatus.CHARGED_BACK),
        ("charge.dispute.closed", "warning_closed", NoticeStatus.DISPUTE_WON),
    ],
)
def test_a_dispute_is_what_its_status_says(event: str, word: str, status: NoticeStatus) -> None:
    assert notice(DISPUTE, event, status=word).status is status


def test_a_dispute_closed_in_an_unknown_way_is_acknowledged() -> None:
    parsed = told(DISPUTE, "charge.dispute.closed", status="framed")

    assert parsed == NotASale("charge.dispute.closed", "unknown_event")


def test_a_dispute_without_payment_is_known_by_its_charge_or_not_at_all() -> None:
    assert notice(DISPUTE, payment_intent=None, charge="ch_1").transaction == "ch_1"
    with pytest.raises(PayloadNotUnderstood):
        told(DISPUTE, payment_intent=None, charge=None)


# Money


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("brl", 19_700, 19_700),
        ("jpy", 5_000, 5_000),
        ("krw", 5_000, 5_000),
        ("kwd", 5_120, 5_120),
        ("isk", 500, 5),  # whole units, told as cents
        ("ugx", 500, 5),  # the same
        ("mga", 5, 500),  # cents in ISO 4217, none in Stripe
        ("huf", 1_000, 1_000),
    ],
)
def test_amounts_follow_stripes_own_table_of_decimals(
    currency: str, amount: int, minor: int
) -> None:
    paid = notice(INTENT, currency=currency, amount_received=amount)

    assert paid.money == Money(minor, currency.upper())


def test_a_payment_is_what_was_received_and_a_refusal_what_was_asked() -> None:
    paid = notice(INTENT, amount=200, amount_received=100)
    refused = notice(INTENT, "payment_intent.payment_failed", amount=200, amount_received=0)

    assert paid.money == Money(100, "BRL")
    assert refused.money == Money(200, "BRL")


# The click


def test_the_reference_of_the_session_comes_before_metadata() -> None:
    found = notice(SESSION, client_reference_id="Ref-1", metadata={"click_id": "Meta-1"})

    assert found.tracking.click_ids == ("Ref-1", "Meta-1")
