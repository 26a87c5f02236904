"""What ads cost is read from the files that people export, in their language and numbers."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.accounts.ad_spend import summed
from trackai.analytics.ad_files import read_ad_file
from trackai.errors import InvalidField

DAY = dt.date(2026, 11, 3)
PORTUGUESE = """\
Dia,Nome da campanha,Identificação da campanha,Nome do conjunto de anúncios,Nome do anúncio,\
Valor usado (BRL),Impressões,Cliques no link
,,,,,"1.300,50",10000,300
2026-11-03,Lançamento,55,Frio,Vídeo 1,"1.234,56","9.000",270
2026-11-03,Lançamento,55,Frio,Vídeo 2,"65,94",1000,30
"""
ENGLISH = """\
Campaign name,Campaign ID,Ad set name,Ad set ID,Ad name,Ad ID,Day,Amount spent (USD),Impressions,\
Link clicks,Reporting starts,Reporting ends
Launch,c:55,Cold,as:77,Video 1,a:99,2026-11-03,"1,234.56",9000,270,2026-11-01,2026-11-30
"""
GOOGLE = """\
Relatório de campanhas
1 de novembro de 2026 - 30 de novembro de 2026
Dia;Campanha;Código da moeda;Custo;Impr.;Cliques
03/11/2026;Pesquisa;BRL;12,30;100;7
"""
OURS = "date,campaign,ad_set,ad,spend,currency\n2026-11-03,Launch,,,10,EUR\n"


def test_ads_manager_in_portuguese() -> None:
    found = read_ad_file(PORTUGUESE.encode(), currency="EUR")
    first, second = found.days

    assert (first.day, first.campaign, first.campaign_id) == (DAY, "Lançamento", "55")
    assert (first.ad_set, first.ad, first.currency) == ("Frio", "Vídeo 1", "BRL")
    assert (first.spent_minor, first.impressions, first.clicks) == (123_456, 9000, 270)
    assert second.spent_minor == 6_594
    # The line of sums names no campaign.
    assert (found.skipped, found.currency_said) == (1, True)


def test_ads_manager_in_english() -> None:
    (one,) = read_ad_file(ENGLISH.encode("utf-8-sig"), currency="BRL").days

    assert (one.campaign_id, one.ad_set_id, one.ad_id) == ("55", "77", "99")
    assert (one.day, one.spent_minor, one.currency) == (DAY, 123_456, "USD")


def test_google_ads_with_what_stands_above_the_names() -> None:
    (one,) = read_ad_file(GOOGLE.encode("cp1252"), currency="USD").days

    assert (one.day, one.campaign, one.spent_minor) == (DAY, "Pesquisa", 1_230)
    assert (one.currency, one.impressions, one.clicks) == ("BRL", 100, 7)


def test_ones_own() -> None:
    (one,) = read_ad_file(OURS.encode("utf-16"), currency="BRL").days

    assert (one.day, one.campaign, one.spent_minor, one.currency) == (DAY, "Launch", 1_000, "EUR")


@pytest.mark.parametrize(
    ("names", "days", "first"),
    [
        ("Dia,Campanha,Valor usado (BRL)", ["03/11/2026"], DAY),
        ("Day,Campaign,Amount spent (BRL)", ["11/03/2026"], DAY),
        # A number above twelve is no month, whatever the language.
        ("Day,Campaign,Amount spent (BRL)", ["03/11/2026", "25/11/2026"], DAY),
        ("Dia,Campanha,Valor usado (BRL)", ["11/03/2026", "11/25/2026"], DAY),
    ],
)
def test_days_are_told_from_months(names: str, days: list[str], first: dt.date) -> None:
    lines = "\n".join([names, *(f"{day},Lançamento,10" for day in days)])

    assert read_ad_file(lines.encode(), currency="BRL").days[0].day == first


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        *(("10", 1_000), ("10.5", 1_050), ('"10,5"', 1_050), ('"1.234,5"', 123_450)),
        *(('"1,234.50"', 123_450), ("R$ 10.50", 1_050), ("0", 0), ("12.345678", 1_235)),
    ],
)
def test_numbers_of_either_language(text: str, minor: int) -> None:
    line = f"day,campaign,spend\n2026-11-03,x,{text}\n"

    assert read_ad_file(line.encode(), currency="BRL").days[0].spent_minor == minor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *(("", "No column"), ("a,b\n1,2\n", "spent"), ("day,spend\n2026-11-03,1\n", "campaigns")),
        ("campaign,spend\nx,1\n", "by day"),
        ("campaign,spend,reporting starts,reporting ends\nx,1,2026-11-01,2026-11-30\n", "several"),
        ("day,campaign,spend\nsoon,x,1\n", "Row 1"),
        ("day,campaign,spend\n2026-11-03,x,1\n2026-13-03,x,1\n", "Row 2"),
        ("day,campaign,spend\n2026-11-03,x,many\n", "Row 1 .* no number"),
        ("day,campaign,spend\n2026-11-03,x,-5\n", "negative"),
        ("day,campaign,spend,currency\n2026-11-03,x,5,ABC\n", "Row 1"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, said: str) -> None:
    with pytest.raises(InvalidField, match=said):
        read_ad_file(text.encode(), currency="BRL")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(InvalidField):
        read_ad_file(content, currency="BRL")


@given(st.text(alphabet='0123456789.,;"\n-/ RxéÉ\t', max_size=200))
def test_any_lines_below_names_are_read_or_refused(lines: str) -> None:
    names = "Dia;Nome da campanha;Valor usado (BRL);Impressões\n"
    try:
        found = read_ad_file((names + lines).encode(), currency="BRL")
    except InvalidField:
        return
    assert all(one.spent_minor >= 0 for one in found.days)


def test_an_ad_broken_down_further_is_one() -> None:
    lines = "day,campaign,age,spend,clicks\n2026-11-03,x,18-24,1,3\n2026-11-03,x,25-34,2,\n"
    (one,) = summed(read_ad_file(lines.encode(), currency="BRL").days)

    assert (one.spent_minor, one.clicks) == (300, 3)
