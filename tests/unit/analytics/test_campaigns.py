"""What a sale cost, where money is of several currencies."""

from trackai.analytics.campaigns import Brought, Kind, Known, Money
from trackai.analytics.spend import Names


def brought(*, sales: int = 4, **spent: int) -> Brought:
    money = {code: Money(sales=sales, spent_minor=minor) for code, minor in spent.items()}
    return Brought(Kind.NAMED, Names(), sales=9, money=money)


def test_what_a_sale_cost_is_of_the_sales_of_its_currency() -> None:
    found = brought(USD=1_000, BRL=5_000)

    assert (found.cpa_minor("USD"), found.cpa_minor("BRL")) == (250, 1_250)


def test_a_currency_that_sold_nothing_has_no_cost_of_a_sale() -> None:
    assert brought(sales=0, USD=1_000).cpa_minor("USD") is None


def test_nothing_spent_has_none() -> None:
    assert brought(BRL=0).cpa_minor("BRL") is None


def test_what_is_not_known_to_be_spent_is_none() -> None:
    found = Brought(Kind.NAMED, Names(), known=Known(spend=False))
    found.in_currency("BRL").gross_minor = 100
    found.spend("BRL", 100)

    assert (found.money["BRL"].spent_minor, found.money["BRL"].roas) == (None, None)
    assert found.cpa_minor("BRL") is None
