"""What a sale cost, where money is of several currencies."""

from trackai.analytics.campaigns import Brought, Kind, Money
from trackai.analytics.spend import Names


def brought(**spent: int) -> Brought:
    money = {code: Money(spent_minor=minor) for code, minor in spent.items()}
    return Brought(Kind.NAMED, Names(), sales=4, money=money)


def test_all_sales_share_what_was_spent_in_one_currency() -> None:
    assert brought(USD=1_000, BRL=0).cpa_minor("USD") == 250


def test_what_was_spent_in_two_currencies_has_no_cost_of_a_sale() -> None:
    found = brought(USD=1_000, BRL=5_000)

    assert (found.cpa_minor("USD"), found.cpa_minor("BRL")) == (None, None)


def test_nothing_spent_has_none() -> None:
    assert brought(BRL=0).cpa_minor("BRL") is None
