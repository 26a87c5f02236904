from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.model.money import (
    CURRENCIES,
    EXPONENTS,
    MAX_MINOR,
    Money,
    exponent,
    from_major,
    from_minor,
    parse_currency,
)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("197.00", "BRL", 19700),
        ("19.9", "brl", 1990),
        (5, "BRL", 500),
        (Decimal("19.995"), "BRL", 2000),  # half a centavo rounds up
        ("1500", "JPY", 1500),
        ("1.234", "KWD", 1234),
        (" -3.50 ", "USD", -350),
    ],
)
def test_major_units_become_minor_units(
    amount: Decimal | int | str, currency: str, expected: int
) -> None:
    assert Money(expected, currency.upper()) == from_major(amount, currency)


@pytest.mark.parametrize(
    "amount", ["1,99", "1e3", "", "NaN", "Infinity", "R$ 5", "\u0661", Decimal("NaN"), "9" * 16]
)
def test_what_is_no_plain_amount_is_refused(amount: Decimal | str) -> None:
    with pytest.raises(ValueError, match="amount"):
        from_major(amount, "BRL")


@pytest.mark.parametrize("currency", ["XYZ", "R$", "", "BRLL"])
def test_unknown_currency_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        parse_currency(currency)


@pytest.mark.parametrize("amount", [MAX_MINOR + 1, -MAX_MINOR - 1, True])
def test_minor_units_out_of_bounds_are_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="bounds"):
        from_minor(amount, "BRL")


def test_more_digits_than_decimal_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="amount"):
        from_major(Decimal("1E+999999"), "BRL")


def test_every_exception_to_two_decimals_is_a_known_currency() -> None:
    assert EXPONENTS.keys() <= CURRENCIES


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(CURRENCIES)))
def test_major_units_are_exact_and_lead_back(amount: int, currency: str) -> None:
    major = Money(amount, currency).major()

    assert -exponent(currency) == major.as_tuple().exponent
    assert Money(amount, currency) == from_major(major, currency)
