"""Numbers as people of a language write them."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from trackai.dashboard.charts import card
from trackai.dashboard.formats import Formats

PT, EN = (Formats(one, ZoneInfo("America/Sao_Paulo")) for one in ("pt", "en"))


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (340.0, "340 ms"),
        (1_200.0, "1,2 s"),
        (119_000.0, "119,0 s"),
        (300_000.0, "5 min"),
        (10_800_000.0, "3 h"),
        (604_800_000.0, "7 d"),
    ],
)
def test_a_time_is_told_in_the_unit_that_people_think_in(ms: float, told: str) -> None:
    assert PT.duration(ms) == told


def test_what_is_too_small_or_too_large_to_write_is_said_to_be() -> None:
    assert [PT.rate(one) for one in (0.0, 0.004, 0.25)] == ["0,00", "< 0,01", "0,25"]
    assert [EN.change(one) for one in (-0.5, 0.0, 0.125, 10.0, 99.0)] == [
        *("-50%", "0%", "+12%", "+1000%", "> +1000%"),
    ]


def test_money_is_told_in_its_currency() -> None:
    assert PT.money(123_450, "BRL") == "R$\xa01.234,50"
    assert EN.money(-500.4, "JPY") == "-¥500"
    assert (PT.currency("BRL"), EN.currency("USD")) == ("Real brasileiro (BRL)", "US Dollar (USD)")


@pytest.mark.parametrize(
    ("now", "before", "change", "better"),
    [
        (150, 100, "+50%", True),
        (50, 100, "-50%", False),
        (100, 100, "0%", None),
        (999, 1000, "0%", None),
        (0, 0, "0%", None),
        # There is no share of nothing, nor where more was given back than sold.
        (100, 0, "+R$1.00", True),
        (100, -100, "+R$2.00", True),
        (-300, -100, "-R$2.00", False),
        (0, 100, "-100%", False),
        (None, 100, None, None),
        (100, None, None, None),
    ],
)
def test_a_change_is_told_where_there_is_one(
    now: float | None, before: float | None, change: str | None, *, better: bool | None
) -> None:
    told = card("net", "money:BRL", (now, before), EN, more_is_better=True)

    assert (told.change, told.better) == (change, better)


def test_what_there_was_none_of_before_is_told_by_how_much_it_is() -> None:
    letters = card("dead_letters", "number", (3, 0), PT, more_is_better=False)
    sent = card("throughput", "rate", (0.004, 0), PT, more_is_better=None)

    assert (letters.change, letters.better) == ("+3", False)
    assert (sent.change, sent.better) == ("< 0,01", None)


@pytest.mark.parametrize(
    ("now", "before", "change", "better"),
    [
        (0.75, 0, "+75,0 pontos", True),
        (0.981, 0.993, "-1,2 pontos", False),
        (0.5004, 0.5, "0,0 pontos", None),
        (0.5, 0.5, "0,0 pontos", None),
        (None, 0.5, None, None),
    ],
)
def test_of_shares_points_are_told(
    now: float | None, before: float | None, change: str | None, *, better: bool | None
) -> None:
    told = card("match_rate", "percent", (now, before), PT, more_is_better=True)

    assert (told.change, told.better) == (change, better)


@pytest.mark.parametrize(
    ("hours", "pt", "en"),
    [(24, "1 dia", "1 day"), (168, "7 dias", "7 days"), (36, "36 horas", "36 hours")],
)
def test_a_length_is_told_in_whole_days_or_hours(hours: int, pt: str, en: str) -> None:
    length = dt.timedelta(hours=hours)

    assert (PT.span(length), EN.span(length)) == (pt, en)
    assert PT.span(dt.timedelta(minutes=90)) == "90 minutos"
