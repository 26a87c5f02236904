"""Lenient reading: what becomes text, number, time and money, and what becomes nothing."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from trackai.errors import PayloadNotUnderstood
from trackai.gateways.decode import Fields, distinct, read_object, to_money
from trackai.model.money import Money
from trackai.model.notice import NoticeStatus

MILLISECOND = dt.timedelta(milliseconds=1)


def read(value: str) -> Fields:
    return read_object(b'{"x":' + value.encode() + b"}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"  Ana "', "Ana"),
        ("19431960", "19431960"),
        ("10492606081149370000", "10492606081149370000"),  # more than a double holds
        ("1234567890123456789012345", "1234567890123456789012345"),
        ("1.50", "1.50"),
        ('""', None),
        ('"  "', None),
        ("null", None),
        ("true", None),
        ("[]", None),
        ("{}", None),
        ('"a\\u0000b"', None),
        ('"{{user_email}}"', None),
        ('"order-{{$timestamp}}"', "order-{{$timestamp}}"),
        ("1" * 60, None),
        ("1e999999", None),
        (json.dumps("x" * 1001), None),
    ],
)
def test_texts_and_numbers_become_text(written: str, expected: str | None) -> None:
    assert expected == read(written).text("x")


def test_an_identifier_is_bounded_more_tightly() -> None:
    assert read(json.dumps("x" * 200)).identifier("x") == "x" * 200
    assert read(json.dumps("x" * 201)).identifier("x") is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [("7", 7), ('"7"', 7), ("7.0", 7), ('"7.5"', None), ("7.5", None), ("true", None)],
)
def test_whole_numbers_may_be_text(written: str, expected: int | None) -> None:
    assert expected == read(written).whole("x")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-06-08 11:53", "2026-06-08T14:53:00+00:00"),
        ("2025-08-06 19:30:05", "2025-08-06T22:30:05+00:00"),
        ("2018-12-01 12:00:00", "2018-12-01T14:00:00+00:00"),  # Brazil still had summer time
        ("2026-06-08T14:53:19.679Z", "2026-06-08T14:53:19.679000+00:00"),
        ("2024-08-22T11:39:57.113068-03:00", "2024-08-22T14:39:57.113068+00:00"),
        ("", None),
        ("12/06/2026", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("1999-12-31T23:59:59Z", None),
    ],
)
def test_times_without_zone_are_sao_paulos(written: str, expected: str | None) -> None:
    found = read(json.dumps(written)).time("x")

    assert expected == (found and found.isoformat())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1712345678123", "2024-04-05T19:34:38.123000+00:00"),
        ('"1712345678123"', "2024-04-05T19:34:38.123000+00:00"),
        ("0", None),
        ("-1", None),
        ("999999999999999999", None),
        ("[]", None),
    ],
)
def test_unix_times_are_exact_to_their_unit(written: str, expected: str | None) -> None:
    found = read(written).epoch("x", MILLISECOND)

    assert expected == (found and found.isoformat())


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("39.9", 3990),
        ("1.10", 110),
        ("0.29", 29),  # 28.999999999999996 cents as a float
        ("1234567890.12", 123456789012),
        ('"19.90"', 1990),
        ("5", 500),
        ("0", 0),
        ("1E+2", 10000),
    ],
)
def test_amounts_in_reais_never_pass_through_a_float(written: str, minor: int) -> None:
    amount = read(written).raw("x")

    assert to_money(amount, "BRL", NoticeStatus.APPROVED) == Money(minor, "BRL")


def test_amounts_in_centavos_are_whole() -> None:
    assert to_money(1840, "BRL", NoticeStatus.APPROVED, decimals=2) == Money(1840, "BRL")
    assert to_money("1840", "BRL", NoticeStatus.APPROVED, decimals=2) == Money(1840, "BRL")
    with pytest.raises(PayloadNotUnderstood):
        to_money(Decimal("18.4"), "BRL", NoticeStatus.APPROVED, decimals=2)


@pytest.mark.parametrize("status", [NoticeStatus.APPROVED, NoticeStatus.COMPLETED])
def test_a_paid_sale_in_an_unknown_currency_is_not_understood(status: NoticeStatus) -> None:
    for currency in (None, "", "XXX", "R$"):
        with pytest.raises(PayloadNotUnderstood):
            to_money(10, currency, status)


def test_another_notice_only_loses_an_unreadable_amount() -> None:
    assert to_money("R$ 10", "BRL", NoticeStatus.REFUNDED) is None
    assert to_money(10, "R$", NoticeStatus.PENDING) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":\x00}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"1" * 5000 + b"}",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_what_is_no_json_object_is_not_understood(body: bytes) -> None:
    with pytest.raises(PayloadNotUnderstood):
        read_object(body)


def test_a_number_of_endless_exponent_costs_its_field_alone() -> None:
    body = read_object(b'{"a":1e99999999999999999999999,"b":0e-99999999999999999999,"c":"ok"}')

    assert (body.text("a"), body.whole("b"), body.text("c")) == (None, None, "ok")


def test_candidates_keep_order_and_case_and_come_once() -> None:
    assert distinct("B", None, "a", "B", "b") == ("B", "a", "b")


def test_what_is_no_object_reads_as_an_empty_one() -> None:
    body = read_object(b'{"a":[{"b":1},2,null],"c":"text"}')

    assert [one.whole("b") for one in body.each("a")] == [1, None, None]
    assert not body.inner("c")
    assert list(body.each("c")) == []
