"""The page of campaigns: what ads brought and cost, level by level."""

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from trackai.accounts.ad_spend import AdSpend
from trackai.dashboard import campaigns as page_of_campaigns
from trackai.dashboard.campaigns import TEMPLATES
from trackai.dashboard.formats import NOTHING
from trackai.dashboard.words import say
from trackai.model.access import MemberRole
from trackai.model.ad_spend import AdDay
from trackai.model.click import Utm
from trackai.model.clock import new_id
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

LAUNCH = Utm(source="fb", medium="Frio|77", campaign="Lançamento|55", content="Vídeo 1|99")
REMINDER = Utm(source="fb", medium="Quente|78", campaign="Lançamento|55", content="Vídeo 2|98")
ALL_ADS = "Todos os anúncios"
NAMED = "Lan%C3%A7amento%7C55"
OTHER = Utm(source="fb", medium="Todos", campaign="Perpétuo", content="Foto")


async def sell(house: "House", utm: Utm, clicks: int = 1, **changes: Any) -> None:
    """Let somebody new click an ad some times, and buy."""
    world, click_id = house.world, ""
    for _ in range(clicks):
        click_id = f"c{new_id().hex}"
        await world.click(click_id, utm=utm)
    buyer = Person(email=f"{click_id}@example.com", phone="")
    sale = world.sale("kiwify", click_id=click_id, buyer=buyer, **changes)
    await world.tell("kiwify", sale, SaleStatus.APPROVED)


async def spend(house: "House", **minor: int) -> None:
    """Take in what campaigns cost today, by their ids."""
    names = {"c55": ("55", "Lançamento"), "c60": ("60", "Sem vendas")}
    today = house.world.clock.now().date()
    days = [AdDay(today, *names[one], "", "", "", "", "BRL", spent) for one, spent in minor.items()]
    world = house.world
    of = AdSpend(world.people, world.clock, new_id, world.account.tenant.id, "cli:op")
    await of.take("meta", "", days)


async def open_page(browser: "Browser", query: str = "") -> str:
    answer = await browser.get(f"/campaigns{query}")
    assert answer.status == 200
    return unescape(answer.text)


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of each row, and of their total."""
    found = re.findall(r'<th scope="row"[^>]*>(?:<a [^>]*>)?([^<]+)<(.*?)</tr>', page, re.DOTALL)
    return {
        name: [one.replace("\xa0", " ") for one in re.findall(r"<td>(.*?)</td>", cells, re.DOTALL)]
        for name, cells in found
    }


async def test_a_campaign_tells_what_it_brought_and_cost(house: "House") -> None:
    await sell(house, LAUNCH, clicks=4, amount_minor=20_000)
    await sell(house, OTHER, amount_minor=5_000)
    await spend(house, c55=10_000, c60=3_000)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    told = rows(await open_page(browser))

    assert told["Lançamento"] == [
        *("4", "1", "25,0%", "R$ 200,00", "R$ 100,00", "R$ 100,00", "2,00"),
    ]
    assert told["Perpétuo"] == ["1", "1", "100,0%", "R$ 50,00", "R$ 0,00", NOTHING, NOTHING]
    assert told["Sem vendas"][4:] == ["R$ 30,00", NOTHING, "0,00"]
    assert told[ALL_ADS] == [
        "5",
        "2",
        "40,0%",
        "R$ 250,00",
        "R$ 130,00",
        "R$ 65,00",
        "1,92",
    ]


async def test_how_long_people_took_is_said_of_all_ads_alone(house: "House") -> None:
    world = house.world
    await world.click("c1", utm=LAUNCH)
    world.clock.forward(hours=3)
    sale = world.sale("kiwify", click_id="c1")
    await world.tell("kiwify", sale, SaleStatus.APPROVED)
    browser = await house.browser_of()
    said = say("pt", "campaigns.took", half="3 h", most="3 h")

    assert said in await open_page(browser)
    assert said not in await open_page(browser, f"?funnel={world.account.funnel.id}")
    assert say("pt", "campaigns.to_sales") in await open_page(
        browser, "?campaign=Lan%C3%A7amento%7C55"
    )


async def test_a_campaign_leads_to_its_ad_sets_and_they_to_their_ads(house: "House") -> None:
    await sell(house, LAUNCH)
    await sell(house, REMINDER)
    await sell(house, OTHER)
    browser = await house.browser_of()
    first = await open_page(browser, "?period=7d")
    into = re.search(r'href="(/campaigns\?[^"]*campaign=[^"]*)">Lançamento', first)
    assert into
    sets = unescape((await browser.get(into[1])).text)
    within = re.search(r'href="(/campaigns\?[^"]*ad_set=[^"]*)">Quente', sets)
    assert within
    ads = unescape((await browser.get(within[1])).text)
    back = re.search(r'<nav class="crumbs".*?href="([^"]+)"', ads, re.DOTALL)
    assert back

    assert set(rows(sets)) == {"Frio|77", "Quente|78", ALL_ADS}
    assert set(rows(ads)) == {"Vídeo 2|98", ALL_ADS}
    assert "period=7d" in within[1]
    assert "campaign=" not in back[1]
    assert say("pt", "level.ad") in ads


async def test_rows_are_sorted_by_what_is_asked(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(house, LAUNCH, clicks=5, amount_minor=1_000)
    await sell(house, OTHER, amount_minor=5_000)
    await spend(house, c55=100, c60=3_000)
    browser = await house.browser_of()

    async def order(sort: str) -> list[str]:
        return list(rows(await open_page(browser, f"?sort={sort}")))[:-1]

    assert await order("net") == ["Perpétuo", "Lançamento", "Sem vendas"]
    assert await order("clicks") == ["Lançamento", "Perpétuo", "Sem vendas"]
    assert await order("spent") == ["Sem vendas", "Lançamento", "Perpétuo"]
    assert await order("cpa") == ["Lançamento", "Perpétuo", "Sem vendas"]
    assert await order("nothing") == await order("net")
    monkeypatch.setattr(page_of_campaigns, "SHOWN", 1)
    assert await order("net") == ["Perpétuo"]
    assert "As 1 primeiras de 3" in await open_page(browser)


async def test_currencies_stand_beside_each_other(house: "House") -> None:
    await sell(house, LAUNCH, amount_minor=10_000)
    await sell(house, LAUNCH, amount_minor=5_000, currency="USD")
    browser = await house.browser_of()
    told = rows(await open_page(browser))

    assert told[ALL_ADS][3] == "R$ 100,00<br>US$ 50,00"


async def test_spend_is_not_told_of_a_part_of_sales(house: "House") -> None:
    await sell(house, LAUNCH)
    await spend(house, c55=10_000)
    browser = await house.browser_of()
    page = await open_page(browser, "?gateway=kiwify")

    assert say("pt", "campaigns.no_spend_of_part") in page
    told = rows(page)["Lançamento|55"] if "Lançamento|55" in page else rows(page)["Lançamento"]
    assert (told[0], told[4:]) == (NOTHING, [NOTHING] * 3)


async def test_where_nothing_came_from_ads_it_is_said_how_they_say_who_they_are(
    house: "House",
) -> None:
    browser = await house.browser_of()
    page = await open_page(browser)
    none = await open_page(browser, "?campaign=x")

    assert say("pt", "campaigns.none") in page
    assert TEMPLATES["meta"] in page
    assert TEMPLATES["google"] in page
    assert say("pt", "campaigns.none_such") in none


async def test_sales_without_an_ad_have_a_row_of_their_own(house: "House") -> None:
    await house.world.tell("kiwify", house.world.sale("kiwify"), SaleStatus.APPROVED)
    browser = await house.browser_of()
    page = await open_page(browser)

    assert rows(page)[say("pt", "ad_kind.none")][1] == "1"
    assert say("pt", "campaigns.no_spend") in page


async def test_another_tenants_ads_are_not_there(house: "House") -> None:
    mine = house.world.account
    await sell(house, LAUNCH)
    await spend(house, c55=10_000)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")

    for query in ("", "?campaign=Lan%C3%A7amento", f"?funnel={mine.funnel.id}"):
        assert rows(await open_page(browser, query)) == {}
