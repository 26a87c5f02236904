"""What ads cost is read from the files that people export, in their language and numbers."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.accounts.ad_spend import summed
from trackai.analytics.ad_files import MOST_LINES, read_ad_file
from trackai.analytics.notation import DateOrder, DecimalSign
from trackai.errors import InvalidField

DAY = dt.date(2026, 11, 3)
LONGEST = "\N{ROCKET}" * 400
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


def spent(*values: str, decimal: DecimalSign | None = None, name: str = "spend") -> list[int]:
    """Return the minor units that a column of these values says."""
    lines = "".join(f"2026-11-03,x{row},{value}\n" for row, value in enumerate(values))
    found = read_ad_file(f"day,campaign,{name}\n{lines}".encode(), currency="BRL", decimal=decimal)
    return [one.spent_minor for one in found.days]


def days(*values: str, dates: DateOrder | None = None, name: str = "day") -> list[dt.date]:
    """Return the days that a column of these values says."""
    lines = "".join(f"{value},x{row},1\n" for row, value in enumerate(values))
    found = read_ad_file(f"{name},campaign,spend\n{lines}".encode(), currency="BRL", dates=dates)
    return [one.day for one in found.days]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Dia", ["03/11/2026"]),
        ("day", ["2026-11-03"]),
        ("day", ["2026-11-03T00:00:00-0300"]),
        ("day", ["2026/11/3 00:00"]),
        # A number above twelve is no month, whatever the language.
        ("day", ["03/11/2026", "25/11/2026"]),
        ("Dia", ["11/03/2026", "11/25/2026"]),
        ("day", ["3.11.2026", "30.11.2026"]),
    ],
)
def test_days_are_told_from_months(name: str, values: list[str]) -> None:
    assert days(*values, name=name)[0] == DAY


def test_a_day_that_may_be_another_is_refused_until_somebody_says() -> None:
    with pytest.raises(InvalidField, match=r'Row 1 .* "01/11/2026" .* --dates day-first'):
        days("01/11/2026", "02/11/2026")
    with pytest.raises(InvalidField, match=r'"25/11/2026" in row 1 .* "11/25/2026" in row 2'):
        days("25/11/2026", "11/25/2026", name="Dia")
    with pytest.raises(InvalidField, match="no day with month first"):
        days("25/11/2026", dates=DateOrder.MONTH_FIRST)

    assert days("01/11/2026", dates=DateOrder.DAY_FIRST) == [dt.date(2026, 11, 1)]
    assert days("01/11/2026", dates=DateOrder.MONTH_FIRST) == [dt.date(2026, 1, 11)]
    assert days("11/11/2026") == [dt.date(2026, 11, 11)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20-11-26", "no year of four digits"),
        ("99999999999-11-20", "no day such as"),
        ("1999-12-31", "not of the years 2000 to 2100"),
        ("2101-01-01", "not of the years 2000 to 2100"),
        ("2026-02-30", "is no day"),
        ("2026-11-01 - 2026-11-30", "no day such as"),
        ("Nov 3 2026", "no day such as"),
        ("2026-11/03", "no day such as"),
        ("\u0662026-11-03", "no day such as"),
    ],
)
def test_what_is_no_day_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidField, match=said) as refused:
        days("2026-11-03", text)

    assert "Row 2" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        *(("10", 1_000), ("10.5", 1_050), ('"10,5"', 1_050), ('"1.234,5"', 123_450)),
        *(('"1,234.50"', 123_450), ("R$ 10.50", 1_050), ("0", 0), ("12.345678", 1_235)),
        *(("10.50 BRL", 1_050), ('"R$\u00a01.234,50"', 123_450), ('"1 234,5"', 123_450)),
        # What comes twice groups thousands, and groups have three digits and begin with no zero.
        *(("1.234.567", 123_456_700), ("1234.567", 123_457), ("0.123", 12), ("-0.00", 0)),
        *(('"12,34,567"', 123_456_700), (".5", 50)),
    ],
)
def test_amounts_of_either_language(text: str, minor: int) -> None:
    assert spent(text) == [minor]


@pytest.mark.parametrize(
    ("values", "minor"),
    [
        (['"1,234.56"', '"2,500"'], [123_456, 250_000]),
        (['"1.234,56"', "2.500"], [123_456, 250_000]),
        (["2.500", '"0,5"'], [250_000, 50]),
        (['"2,500"', "10.5"], [250_000, 1_050]),
        (['"2,500"', '"10,5"'], [250, 1_050]),
    ],
)
def test_the_other_values_tell_decimals_from_thousands(values: list[str], minor: list[int]) -> None:
    assert spent(*values) == minor


@pytest.mark.parametrize("text", ['"1,234"', "1.234"])
def test_an_amount_that_may_be_another_is_refused_until_somebody_says(text: str) -> None:
    with pytest.raises(InvalidField, match=r'Row 2 .* "1.234" .* --decimal comma or --decimal p'):
        spent("7", text)

    assert {*spent(text, decimal=DecimalSign.POINT), *spent(text, decimal=DecimalSign.COMMA)} == {
        *(123_400, 123)
    }


def test_a_portuguese_column_has_decimal_commas_unless_it_says_otherwise() -> None:
    assert spent("1.234", name="Valor usado") == [123_400]
    assert spent("1.234", "10.5", name="Custo") == [123, 1_050]
    # Three decimals are no money of Brazil: these may be thousands of the other language.
    with pytest.raises(InvalidField, match="--decimal comma"):
        spent('"1,234"', name="Valor usado")
    assert spent('"1,234"', name="Valor usado", decimal=DecimalSign.POINT) == [123_400]


def test_decimals_in_two_ways_are_refused() -> None:
    with pytest.raises(InvalidField, match=r'"10.5" in row 1 .* "10,5" in row 2'):
        spent("10.5", '"10,5"')
    with pytest.raises(InvalidField, match=r'Row 1 .* "10.5" is no number with a decimal comma'):
        spent("10.5", decimal=DecimalSign.COMMA)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *(("many", "no number"), ("1e5", "no number"), ('"1,23.4"', "no number")),
        *(("10%", "no number"), ("5.", "no number"), ("1.2.3", "no number"), ("(5", "no number")),
        *(
            ("(5.00)", "negative"),
            ("-5", "negative"),
            ("R$ -5", "negative"),
            ("\u22125", "negative"),
        ),
        *(("9" * 30, "more than"), ("\u0663", "no number")),
    ],
)
def test_what_is_no_cost_is_refused_with_its_row(text: str, said: str) -> None:
    with pytest.raises(InvalidField, match=f"Row 2 .*{said}"):
        spent("1", text)


@pytest.mark.parametrize(
    ("names", "line", "currency"),
    [
        ("spend", "10", "USD"),
        ("spend", "R$ 10", "BRL"),
        ("Valor usado (R$)", "10", "BRL"),
        ("Amount spent (eur)", "10", "EUR"),
        ("Amount spent (EUR),currency", "10,eur", "EUR"),
        ("spend,currency", "10,", "USD"),
    ],
)
def test_the_currency_is_what_the_file_says(names: str, line: str, currency: str) -> None:
    content = f"day,campaign,{names}\n2026-11-03,x,{line}\n"
    found = read_ad_file(content.encode(), currency="USD")

    assert [one.currency for one in found.days] == [currency]
    assert found.currency_said == (currency != "USD")


def test_a_row_of_two_currencies_is_refused() -> None:
    content = "day,campaign,Amount spent (EUR),currency\n2026-11-03,x,R$ 10,USD\n"
    with pytest.raises(InvalidField, match="several currencies: BRL, EUR, USD"):
        read_ad_file(content.encode(), currency="BRL")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *(("", "No column"), ("a,b\n1,2\n", "spent"), ("day,spend\n2026-11-03,1\n", "campaigns")),
        ("campaign,spend\nx,1\n", "by day"),
        ("campaign,spend,reporting starts,reporting ends\nx,1,2026-11-01,2026-11-30\n", "several"),
        ("day,campaign,spend\nsoon,x,1\n", "Row 1"),
        ("day,campaign,spend\n2026-11-03,x,1\n2026-13-03,x,1\n", "Row 2"),
        # A quote that nobody closes takes all that follows into itself.
        (
            'day,campaign,spend\n2026-11-03,x,1\n2026-11-03,"y,2\n2026-11-03,z,3\n',
            "line 3 .* quote",
        ),
        ('day,campaign,spend\n2026-11-03,"x\n2026-11-03,y",3\n', "quote is not closed|quote not"),
        ('day,campaign,spend\n2026-11-03,"x"y,1\n', "line 2 .* quote"),
        ("day,campaign,spend\n2026-11-03,x,12,50\n", "Row 1 .* more values"),
        ("day,campaign,spend,clicks\n2026-11-03,x\n", "Row 1 .* fewer values"),
        ("day,campaign,spend\n", "No row of the file"),
        ("day,campaign,spend\n,,12\n", "No row of the file"),
        ("day,campaign,spend,cost\n2026-11-03,x,1,2\n", "Several columns"),
        (f"day,campaign,spend\n2026-11-03,{'x' * 20_000},1\n", "Row 1 .* more than 400 letters"),
        (
            f"day,campaign,ad set,ad,spend\n2026-11-03,{LONGEST},x,{LONGEST},1\n",
            "too long together",
        ),
        ("day,campaign,campaign id,spend\n2026-11-03,x,1.2E+17,1\n", "spreadsheet rounded"),
        ("day,campaign,spend,clicks\n2026-11-03,x,1,1e5\n", "Row 1 .* no count"),
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


@given(st.text(alphabet='0123456789.,;"\n-/(): RxeéÉ\t', max_size=200))
def test_any_lines_below_names_are_read_or_refused(lines: str) -> None:
    names = "Dia;Nome da campanha;Valor usado (BRL);Impressões\n"
    try:
        found = read_ad_file((names + lines).encode(), currency="BRL")
    except InvalidField:
        return
    assert all(one.spent_minor >= 0 for one in found.days)


def test_lines_without_numbers_and_remarks_are_skipped_and_counted() -> None:
    content = (
        "day,campaign,spend,clicks\n2026-11-03,x,1.50,--\n\nTotal\n,,1.50,\n2026-11-03,y,--,0\n"
    )
    found = read_ad_file(content.encode(), currency="BRL")

    assert [(one.campaign, one.clicks) for one in found.days] == [("x", None)]
    assert found.skipped == 3


def test_commas_in_names_do_not_part_what_semicolons_do() -> None:
    content = 'Dia;Campanha;Custo\n03/11/2026;a, b, c, d, e;"12,50"\n'
    (one,) = read_ad_file(content.encode(), currency="BRL").days

    assert (one.campaign, one.spent_minor) == ("a, b, c, d, e", 1_250)


def test_an_ad_broken_down_further_is_one() -> None:
    lines = "day,campaign,age,spend,clicks\n2026-11-03,x,18-24,1,3\n2026-11-03,x,25-34,2,\n"
    (one,) = summed(read_ad_file(lines.encode(), currency="BRL").days)

    assert (one.spent_minor, one.clicks) == (300, 3)


def test_a_file_of_too_many_lines_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidField, match="300,000 lines"):
        read_ad_file(b"day,campaign,spend\n" + b"x\n" * MOST_LINES, currency="BRL")
