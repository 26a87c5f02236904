"""The page of sales: what they brought, in each currency, and which they were."""

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from trackai.dashboard import conversions as page_of_sales
from trackai.dashboard.words import say
from trackai.model.access import MemberRole
from trackai.model.click import Utm
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

ANA = Person(email="ana.paula@example.com", phone="")
LAUNCH = Utm(source="facebook", medium="Frio", campaign="Lançamento|55", content="Vídeo 1")


async def sell(house: "House", gateway: str = "kiwify", **changes: Any) -> str:
    """Sell and be told of it; return the transaction."""
    sale = house.world.sale(gateway, **changes)
    await house.world.tell(gateway, sale, SaleStatus.APPROVED)
    return sale.transaction


async def open_page(browser: "Browser", query: str = "") -> str:
    answer = await browser.get(f"/conversions{query}")
    assert answer.status == 200
    return unescape(answer.text)


def cards(page: str) -> dict[str, str]:
    """Return the numbers of a page by their names."""
    found = re.findall(r'<h2>([^<]+)</h2>\s*<p class="value[^"]*">([^<]*)</p>', page)
    return {name: value.replace("\xa0", " ") for name, value in found}


def listed(page: str) -> list[str]:
    """Return the transactions of the list, in its order."""
    return re.findall(r'<span class="quiet cut">([^<]+)</span></td>\s*<td>(?:novo|já)', page)


async def test_what_sales_brought_is_told_in_money_and_buyers(house: "House") -> None:
    first = house.world.sale("kiwify", amount_minor=20_000, buyer=ANA)
    await house.world.tell("kiwify", first, SaleStatus.APPROVED)
    house.world.clock.forward(hours=2)
    await sell(house, amount_minor=10_000, buyer=ANA)
    await house.world.tell("kiwify", first, SaleStatus.REFUNDED)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    told = cards(await open_page(browser))

    assert told[say("pt", "home.gross")] == "R$ 300,00"
    assert told[say("pt", "home.refunded")] == "R$ 200,00"
    assert told[say("pt", "home.net")] == "R$ 100,00"
    assert told[say("pt", "home.ticket")] == "R$ 150,00"
    assert told[say("pt", "home.sales")] == "2"
    assert told[say("pt", "home.new_buyers")] == "1"
    assert told[say("pt", "home.returning_buyers")] == "1"


async def test_the_period_before_is_beside_it(house: "House") -> None:
    await sell(house, amount_minor=10_000)
    # As much of the week before as is over of this one is what it is put beside.
    house.world.clock.forward(days=7, hours=1)
    await sell(house, amount_minor=15_000)
    browser = await house.browser_of()
    page = await open_page(browser, "?period=7d")

    assert cards(page)[say("pt", "home.net")] == "R$ 150,00"
    assert "+50%" in page
    assert re.search(r">\s*0% <span", page)  # as many sales


async def test_currencies_stand_beside_each_other_and_are_never_summed(house: "House") -> None:
    await sell(house, amount_minor=10_000)
    await sell(house, amount_minor=5_000, currency="USD")
    browser = await house.browser_of()
    page = await open_page(browser)

    assert page.index("Real brasileiro (BRL)") < page.index("Dólar americano (USD)")
    assert page.index("R$\xa0100,00") < page.index("US$\xa050,00")
    assert "150,00" not in page
    assert cards(page)[say("pt", "home.sales")] == "2"
    assert 'id="table-netBRL"' in page
    assert 'id="table-netUSD"' in page


async def test_a_currency_that_nothing_was_sold_in_any_more_stays(house: "House") -> None:
    await sell(house, amount_minor=10_000)
    house.world.clock.forward(days=7, hours=1)
    await sell(house, amount_minor=5_000, currency="USD")
    browser = await house.browser_of()
    page = await open_page(browser, "?period=7d")

    assert page.index("R$\xa00,00") < page.index("US$\xa050,00")
    assert "-100%" in page


async def test_revenue_is_drawn_in_whole_money_and_told_as_a_table(house: "House") -> None:
    await sell(house, amount_minor=12_345)
    browser = await house.browser_of()
    page = await open_page(browser, "?period=30d")
    drawn = [json.loads(one.split('"></div>')[0].split('" data-when')[0]) for one in charts(page)]

    assert [one["unit"] for one in drawn] == ["money:BRL", "number"]
    assert [len(one["x"]) for one in drawn] == [30, 30]
    assert drawn[0]["lines"] == [[*[0.0] * 29, 123.45]]
    assert "<td>R$\xa0123,45</td>" in page


def charts(page: str) -> list[str]:
    return page.split('data-chart="')[1:]


async def test_each_sale_leads_to_its_event(house: "House") -> None:
    await sell(house)
    (delivery,) = await house.world.rows("select id from deliveries where tenant_id = $1")
    browser = await house.browser_of()

    assert f'href="/events/{delivery["id"]}"' in await open_page(browser)


async def test_pages_lead_to_older_sales_and_back(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_sales, "SHOWN", 2)
    made: list[str] = []
    for _ in range(5):
        house.world.clock.forward(minutes=1)
        made.insert(0, await sell(house))
    browser = await house.browser_of()
    first = await open_page(browser, "?gateway=kiwify")
    second = unescape((await browser.get(way(first, "next"))).text)
    third = unescape((await browser.get(way(second, "next"))).text)
    back = unescape((await browser.get(way(third, "prev"))).text)

    assert [listed(one) for one in (first, second, third)] == [made[:2], made[2:4], made[4:]]
    assert (way(first, "prev"), way(third, "next")) == ("", "")
    assert listed(back) == made[2:4]
    assert "gateway=kiwify" in way(second, "next")


def way(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1] if found else ""


async def test_filters_find_what_they_say(house: "House") -> None:
    await house.world.click("c1", utm=LAUNCH)
    of_ad = await sell(house, click_id="c1", amount_minor=20_000)
    house.world.clock.forward(minutes=1)
    other = await sell(house, "hotmart", buyer=ANA, amount_minor=10_000)
    house.world.clock.forward(minutes=1)
    unpaid = house.world.sale("hotmart", buyer=ANA)
    await house.world.tell("hotmart", unpaid, SaleStatus.PENDING)
    browser = await house.browser_of()
    funnel = house.world.account.funnel.id
    hotmart = await open_page(browser, "?gateway=hotmart")
    of_campaign = await open_page(browser, "?campaign=Lan%C3%A7amento%7C55")

    assert listed(hotmart) == [unpaid.transaction, other]
    assert cards(hotmart)[say("pt", "home.net")] == "R$ 100,00"
    assert listed(of_campaign) == [of_ad]
    assert 'title="Lançamento|55">Lançamento<' in of_campaign
    assert cards(of_campaign)[say("pt", "home.net")] == "R$ 200,00"
    # How long it took is not known of a campaign: nothing is better than a wrong number.
    assert say("pt", "home.click_to_sale") not in of_campaign
    assert listed(await open_page(browser, "?status=pending")) == [unpaid.transaction]
    assert len(listed(await open_page(browser, f"?funnel={funnel}"))) == 3


async def test_a_sale_is_found_by_its_event_id_or_transaction_whenever_it_was(
    house: "House",
) -> None:
    sold = await sell(house)
    await sell(house)
    house.world.clock.forward(days=400)
    browser = await house.browser_of()

    assert listed(await open_page(browser)) == []
    assert listed(await open_page(browser, f"?event_id=kiwify:{sold}")) == [sold]
    assert listed(await open_page(browser, f"?event_id={sold}")) == [sold]
    assert listed(await open_page(browser, f"?event_id=hotmart:{sold}")) == []
    assert listed(await open_page(browser, f"?event_id={sold}&gateway=hotmart")) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("gateway=paypal", "filter.bad_gateway"),
        ("status=lost", "conversions.bad_status"),
        ("campaign=%00", "conversions.bad_campaign"),
        ("event_id=" + "x" * 501, "conversions.bad_event_id"),
        ("older=nowhere", "conversions.bad_after"),
        ("from=2026-11-20&to=2026-11-01", "period.bad_order"),
    ],
)
async def test_what_cannot_be_is_said_and_the_page_stays(
    house: "House", query: str, said: str
) -> None:
    await sell(house)
    browser = await house.browser_of()
    page = await open_page(browser, f"?{query}")

    assert page.count(say("pt", said)) == 1
    assert 'name="event_id"' in page


async def test_without_sales_it_is_said_what_to_do(house: "House") -> None:
    browser = await house.browser_of()
    page = await open_page(browser)

    assert say("pt", "conversions.quiet") in page
    assert say("pt", "conversions.none") in page
    assert cards(page)[say("pt", "home.net")] == "R$ 0,00"
    assert say("pt", "conversions.none_such") in await open_page(browser, "?status=refunded")


async def test_nothing_of_a_buyer_is_shown(house: "House") -> None:
    await sell(house)
    browser = await house.browser_of()
    page = await open_page(browser)

    assert [one for one in house.world.private() if one in page] == []


async def test_another_tenants_sales_are_not_there(house: "House") -> None:
    mine = house.world.account
    sold = await sell(house)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")

    for query in ("", f"?funnel={mine.funnel.id}", f"?event_id=kiwify:{sold}", "?gateway=kiwify"):
        page = await open_page(browser, query)
        assert listed(page) == []
        assert cards(page)[say("pt", "home.sales")] == "0"
