"""The match rate: by day, by platform, by way; the mark it is held against; match quality."""

import json
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from tests.support.sending import open_sender

from trackai.analytics.matched import GOOD_RATE, LEAST_SALES, Share, Standing
from trackai.dashboard.words import say, words_of
from trackai.destinations.meta.quality import CHANCES, NEVER_SENT
from trackai.model.access import MemberRole
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dashboard.conftest import House


async def sell(house: "House", gateway: str, click: str | None, number: int) -> None:
    buyer = Person(email=f"aluno{number}@example.com", phone="")
    if click:
        await house.world.click(click)
    sale = house.world.sale(gateway, click_id=click, buyer=buyer)
    await house.world.tell(gateway, sale, SaleStatus.APPROVED)


async def test_sales_are_told_by_day_platform_and_way(house: "House") -> None:
    for number in range(4):
        await sell(house, "kiwify", f"c{number}" if number else None, number)
    await sell(house, "hotmart", None, 9)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get("/match-rate")).text)
    rows = re.findall(r'<tr><th scope="row">([^<]+)</th>((?:<td>[^<]*</td>)+)', page)
    told = {name: re.findall(r"<td>([^<]*)</td>", cells) for name, cells in rows}

    assert ">60,0%<" in page
    assert told["Kiwify"] == ["4", "3", "75,0%"]
    assert told["Hotmart"] == ["1", "0", "0,0%"]
    assert told["Código do clique"] == ["3", "60,0%"]
    assert told["Nenhum clique"] == ["2", "40,0%"]
    assert 'aria-current="true">30 dias' in page


async def test_every_day_is_drawn_beside_the_mark(house: "House") -> None:
    await sell(house, "kiwify", "c1", 1)
    browser = await house.browser_of()
    page = (await browser.get("/match-rate")).text
    drawn = json.loads(unescape(page.split('data-chart="')[1].split('"')[0]))

    assert len(drawn["x"]) == 30
    assert drawn["lines"] == [[*[None] * 29, 1.0], [GOOD_RATE] * 30]


@pytest.mark.parametrize(
    ("share", "standing"),
    [
        (Share(), Standing.FEW),
        (Share(LEAST_SALES - 1, 0), Standing.FEW),
        (Share(LEAST_SALES, 16), Standing.GOOD),
        (Share(LEAST_SALES, 15), Standing.LOW),
    ],
)
def test_a_rate_is_held_against_the_mark_once_there_are_enough(
    share: Share, standing: Standing
) -> None:
    assert share.standing is standing


async def test_a_low_rate_is_flagged(house: "House") -> None:
    for number in range(LEAST_SALES):
        await sell(house, "kiwify", None, number)
    browser = await house.browser_of()
    page = unescape((await browser.get("/match-rate")).text)

    assert "Baixa: menos de 80%" in page
    assert '<span class="state low">baixa</span>' in page


async def test_filters_hold_for_sales(house: "House") -> None:
    await sell(house, "kiwify", "c1", 1)
    await sell(house, "hotmart", None, 2)
    browser = await house.browser_of()
    page = unescape((await browser.get("/match-rate?gateway=hotmart&period=7d")).text)

    assert ">0,0%<" in page
    assert "?period=30d&gateway=hotmart" in page
    assert 'name="gateway" value="hotmart"' in page


async def test_quality_says_what_would_raise_it(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        await sender.sell(buyer=Person(phone=""))
        await sender.send()
        browser = await house.browser_of()
        page = unescape((await browser.get("/match-rate")).text)

    assert re.search(r"\d,\d de 10, em 1 eventos", page)
    assert say("pt", "advice.fbc") in page
    assert page.count(say("pt", "key.em")) >= 1


async def test_without_sales_it_is_said_what_to_do(house: "House") -> None:
    browser = await house.browser_of()
    page = await browser.get("/match-rate")

    assert page.status == 200
    assert say("pt", "match_rate.none") in page.text
    assert say("pt", "quality.none") in page.text


async def test_another_tenants_sales_are_not_counted(house: "House") -> None:
    mine = house.world.account
    await sell(house, "kiwify", "c1", 1)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")

    for query in ("", f"?funnel={mine.funnel.id}", "?gateway=kiwify"):
        page = await browser.get(f"/match-rate{query}")
        assert say("pt", "match_rate.none") in page.text


@pytest.mark.parametrize("language", ["pt", "en"])
def test_every_key_and_advice_has_words(language: str) -> None:
    words = words_of(language)

    assert [key for keys in CHANCES for key in keys if f"key.{key}" not in words] == []
    advice = [f"advice.{'_'.join(keys)}" for keys in CHANCES if keys not in NEVER_SENT]
    assert [one for one in advice if one not in words] == []
