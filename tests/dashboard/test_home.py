"""The first page: its numbers are those of the counts, in words and formats of the reader."""

import json
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from trackai.model.access import MemberRole
from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    from tests.dashboard.conftest import House


# The heading of a card, and where it leads.
LINKED = re.compile(r'<h2><a href="([^"]+)">([^<]+)</a></h2>')


async def sell(house: "House", number: int) -> None:
    for each in range(number):
        click = f"c{each}"
        if each:
            await house.world.click(click)
        sale = house.world.sale("kiwify", click_id=click, amount_minor=123_450)
        await house.world.tell("kiwify", sale, SaleStatus.APPROVED)


async def test_numbers_are_formatted_for_who_reads_them(house: "House") -> None:
    await sell(house, 4)
    browser = await house.browser_of()
    page = unescape((await browser.get("/?period=30d")).text)

    assert "R$\xa04.938,00" in page
    assert ">75,0%<" in page
    assert ">4<" in page
    assert 'aria-current="true">30 dias' in page


async def test_a_number_leads_to_a_page_that_tells_of_it_in_the_same_period(
    house: "House",
) -> None:
    browser = await house.browser_of()
    page = (await browser.get("/?period=30d")).text
    told = {name: unescape(to) for to, name in LINKED.findall(page)}
    pages = {name: (await browser.get(to)).text for name, to in told.items()}

    assert len(told) == 7
    assert [name for name, found in pages.items() if name not in unescape(found)] == []
    assert {name for name, to in told.items() if "period=30d" in to} == {
        name for name, found in pages.items() if 'aria-current="true">30 dias' in found
    }


async def test_the_accounts_own_currency_comes_first(house: "House") -> None:
    for currency in ("BRL", "EUR", "USD"):
        sale = house.world.sale("hotmart", amount_minor=1_000, currency=currency)
        await house.world.tell("hotmart", sale, SaleStatus.APPROVED)
    browser = await house.browser_of()
    before = unescape((await browser.get("/?period=30d")).text)
    await browser.submit("/settings", "/settings/account", name="Curso", currency="USD")
    after = unescape((await browser.get("/?period=30d")).text)

    assert before.index("R$\xa010,00") < before.index("€\xa010,00") < before.index("US$\xa010,00")
    assert after.index("US$\xa010,00") < after.index("R$\xa010,00") < after.index("€\xa010,00")


async def test_a_part_is_asked_for_alone(house: "House") -> None:
    await sell(house, 1)
    browser = await house.browser_of()
    part = await browser.get("/?period=24h", **{"HX-Request": "true"})

    assert part.status == 200
    assert "<html" not in part.text
    assert "Vendas pagas" in part.text


async def test_a_chart_is_a_table_as_well(house: "House") -> None:
    await sell(house, 2)
    browser = await house.browser_of()
    page = (await browser.get("/?period=7d")).text
    charts = [unescape(one.split("'")[0].split('"')[0]) for one in page.split('data-chart="')[1:]]
    drawn = [json.loads(one) for one in charts]

    assert len(drawn) == page.count("<table>") == 4
    assert {len(one["x"]) for one in drawn} == {168}
    assert page.count('<th scope="row">') == 4 * 168


@pytest.mark.parametrize("period", ["", "1h", "fortnight", "%00", "30d%27"])
async def test_a_period_that_is_none_is_the_last_day(house: "House", period: str) -> None:
    browser = await house.browser_of()
    page = await browser.get(f"/?period={period}")

    assert page.status == 200
    assert 'aria-current="true">24 horas' in page.text


async def test_a_new_tenant_is_told_one_thing_to_do(house: "House") -> None:
    browser = await house.browser_of()
    page = (await browser.get("/")).text
    # The numbers alone, as an open page asks for them.
    again = (await browser.get("/", **{"HX-Request": "true"})).text

    assert page.count('class="hint') == 1
    assert "Próximo: Conectar a plataforma de pagamento." in page
    assert 'class="hint' not in again


async def test_who_may_not_set_up_is_told_whose_step_is_next(house: "House") -> None:
    page = (await (await house.browser_of(role=MemberRole.ANALYST)).get("/")).text

    assert "O próximo é de um proprietário da conta" in page
    assert 'class="button main" href="/start"' not in page


async def test_another_tenants_numbers_are_not_shown(house: "House") -> None:
    other = await house.world.open_account("Outra")
    await sell(house, 3)
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    page = (await browser.get("/?period=30d")).text

    assert "Outra" in page
    assert (page.count("R$"), page.count("R$\xa00,00")) == (1, 1)  # the card, and nothing in it
    assert "Curso" not in page


async def test_the_first_step_that_is_missing_is_told_by_its_number(house: "House") -> None:
    await house.world.click("c1")  # the script is there; no platform has been heard of
    page = (await (await house.browser_of()).get("/start")).text

    assert 'href="/start/gateway">Ir ao passo 2</a>' in page
