"""The printed report of ads: the same columns in every row, and nothing that adds up twice."""

import pytest

from trackai.analytics.campaigns import Brought, Kind, Level, Money, Report
from trackai.analytics.spend import Names
from trackai.cli.ad_report import rows_of
from trackai.cli.output import show

NOTHING = Brought(Kind.NAMED, Names(campaign="Frio"), clicks=3)
SOLD = Brought(
    Kind.NAMED,
    Names(campaign="Lançamento"),
    clicks=10,
    sales=3,
    returning_sales=1,
    money={
        "BRL": Money(sales=2, gross_minor=10_000, spent_minor=4_000),
        "USD": Money(sales=1, gross_minor=500),
    },
)
OTHERS = Brought(Kind.OTHERS, Names(), clicks=1)


def reported(*rows: Brought) -> Report:
    return Report(rows, Brought(Kind.NAMED, Names()), (None, None))


@pytest.mark.parametrize("level", Level)
def test_rows_with_money_and_without_have_the_same_columns(
    level: Level, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_of(reported(NOTHING, SOLD, OTHERS), level)
    show(rows, json=False, empty="")

    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert rows[-1][level.value] == "others"


def test_what_is_of_all_currencies_is_told_once() -> None:
    brl, usd = rows_of(reported(SOLD), Level.CAMPAIGN)

    assert (brl["clicks"], brl["sales"], brl["returning"]) == (10, 3, 1)
    assert (usd["clicks"], usd["sales"], usd["returning"]) == (None, None, None)
    assert (brl["cpa"], brl["roas"], usd["net"]) == ("20.00 BRL", 2.5, "5.00 USD")
    assert (usd["cpa"], usd["roas"]) == (None, None)
