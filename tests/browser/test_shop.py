"""The demo's landing page and checkouts: from the ad's click to the match, on each platform."""

from typing import TYPE_CHECKING

import pytest
from tests.browser.ground import LANDING, TRACK
from tests.support.proxy import Line
from tests.support.world import SECRET

from trackai.model.clock import new_id
from trackai.sandbox.shop import Shop

if TYPE_CHECKING:
    from tests.browser.conftest import Stand

GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")
AD = "?fbclid=IwAR0abc&utm_source=facebook&utm_campaign=Caf%C3%A9"


@pytest.fixture
def shop(stand: "Stand") -> "Stand":
    """Open the demo's shop at the customer's host."""
    account = stand.world.account
    stand.site.shop = Shop(
        ingest_url=TRACK,
        site_key=account.tenant.site_key,
        webhook_urls={
            name: f"{stand.edge_url}/api/v1/webhooks/{name}/{connection.endpoint_key}"
            for name, connection in account.connections.items()
        },
        secrets=dict.fromkeys(GATEWAYS, SECRET),
        clock=stand.world.clock,
        new_id=new_id,
    )
    return stand


async def _buy(
    stand: "Stand",
    gateway: str,
    query: str = AD,
    *,
    in_new_tab: bool = False,
    arrives: bool = True,
) -> None:
    """Click an ad, choose a platform, pay there; then let its webhook be worked off.

    By then the click was stored, if it arrives at all.
    """
    page = stand.page
    await page.goto(f"{LANDING}/{query}")
    await page.wait_for_function("window.trackai")
    button = page.locator(f'a[data-trackai="{gateway}"]')
    if in_new_tab:
        async with stand.context.expect_page() as opened:
            await button.click(modifiers=["Control"])
        page = await opened.value
    else:
        await button.click()
    await page.wait_for_url("**/checkout/**")
    await page.click("form button")
    await page.wait_for_selector("dd.ok")
    if arrives:
        await stand.reported("click")
    await stand.world.work()


@pytest.mark.parametrize("in_new_tab", [False, True])
@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_a_sale_that_began_with_an_ad_is_matched_by_its_click_id(
    shop: "Stand", gateway: str, *, in_new_tab: bool
) -> None:
    await _buy(shop, gateway, in_new_tab=in_new_tab)
    (click,) = await shop.clicks()

    assert await shop.matches() == [("click_id", click["click_id"])]
    assert (click["fbclid"], click["utm_campaign"]) == ("IwAR0abc", "Café")
    assert shop.troubles == []


async def test_the_landing_page_shows_what_was_captured(shop: "Stand") -> None:
    await shop.page.goto(f"{LANDING}/{AD}")
    await shop.page.click("summary")
    await shop.page.wait_for_function("document.getElementById('seen-sent').textContent === 'sim'")
    fbc = await shop.cookie("_fbc")

    assert fbc
    assert fbc["value"] == await shop.page.text_content("#seen-fbc")
    assert await shop.page.text_content("#seen-click") == (await shop.clicks())[0]["click_id"]


async def test_without_consent_the_sale_is_there_and_unmatched(shop: "Stand") -> None:
    await _buy(shop, "kiwify", f"{AD}&consent=denied", arrives=False)

    assert await shop.matches() == [("unmatched", None)]
    assert await shop.clicks() == []
    assert await shop.context.cookies() == []


async def test_with_the_script_blocked_the_shop_sells_all_the_same(shop: "Stand") -> None:
    await shop.context.route("**/t.js", lambda route: route.abort())
    await shop.page.goto(f"{LANDING}/{AD}")
    await shop.page.click('a[data-trackai="stripe"]')
    await shop.page.click("form button")
    await shop.page.wait_for_selector("dd.ok")
    await shop.world.work()

    assert await shop.matches() == [("unmatched", None)]


async def test_a_visitor_of_before_is_known_by_the_cookies(shop: "Stand") -> None:
    await shop.page.goto(f"{LANDING}/{AD}")
    await shop.reported("click")
    await _buy(shop, "hotmart", "?lang=en")
    (click,) = await shop.clicks()

    assert await shop.matches() == [("click_id", click["click_id"])]


async def test_a_click_that_was_offline_is_matched_once_it_comes(shop: "Stand") -> None:
    await shop.page.goto(f"{LANDING}/")  # the script is in the browser's cache from here on
    await shop.reported("click")
    shop.edge_line.set_line(Line.REFUSES)
    await _buy(shop, "perfectpay", AD)
    unmatched = await shop.matches()
    shop.edge_line.set_line(Line.PASSES)
    await shop.page.goto(f"{LANDING}/?lang=en")
    await shop.reported("click", 2)
    (tagged,) = [row for row in await shop.clicks() if row["fbclid"]]
    shop.world.clock.forward(minutes=2)
    await shop.world.look_again()

    assert unmatched == [("unmatched", None)]
    assert await shop.matches() == [("click_id", tagged["click_id"])]
