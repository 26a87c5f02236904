"""The second step of Get started: where its field is, and what to do without a platform at hand."""

from inspect import signature
from typing import TYPE_CHECKING

import pytest
from tests.dashboard.test_starting import Stage, open_stage, set_up_gateway, stage

from trackai.cli.sandbox import meta
from trackai.dashboard.words import say

if TYPE_CHECKING:
    from tests.conftest import Serve

__all__ = ["stage"]

# Pages that have nothing to show until a sale came.
EMPTY = ("/", "/live", "/conversions", "/events", "/match-rate", "/performance", "/connections")


async def test_a_secret_that_is_missing_or_wrong_is_a_link_to_its_field(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    made = await browser.submit("/start/gateway", "/start/gateway", gateway="hotmart")
    missing = (await browser.get(made.to)).text
    address = await set_up_gateway(browser, "hotmart")
    assert await stage.outside.send(address, "another-hottok") == 401
    wrong = (await browser.get("/start/gateway", **{"HX-Request": "true"})).text

    assert ('href="#secret"' in missing, 'id="secret"' in missing) == (True, True)
    assert say("pt", "start.sandbox_later") not in missing
    assert say("pt", "start.sandbox_secret") in missing
    assert 'href="#secret"' in wrong
    assert say("pt", "connections.to_secret") in wrong


async def test_who_has_no_platform_at_hand_is_told_where_a_sale_comes_from(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    await set_up_gateway(browser)
    page = (await browser.get("/start/gateway")).text

    assert say("pt", "start.sandbox_later") in page
    assert say("pt", "start.sandbox_secret") not in page
    assert 'href="#secret"' not in page


async def test_who_has_no_pixel_at_hand_is_told_which_one_the_stand_in_knows(stage: Stage) -> None:
    page = (await (await stage.house.browser_of()).get("/start/pixel")).text
    usual = signature(meta).parameters

    assert say("pt", "start.sandbox_pixel") in page
    for name in ("pixel", "token"):
        assert str(usual[name].default) in say("en", "start.sandbox_pixel")
        assert str(usual[name].default) in say("pt", "start.sandbox_pixel")


@pytest.mark.parametrize("path", EMPTY)
async def test_a_page_without_anything_to_show_leads_to_the_steps(stage: Stage, path: str) -> None:
    page = (await (await stage.house.browser_of()).get(path)).text

    assert 'href="/start"' in page.split("<main")[1]


async def test_at_meta_itself_no_pixel_is_proposed(fresh_database_url: str, serve: "Serve") -> None:
    async with open_stage(fresh_database_url, serve, meta_url=None, practice=None) as stage:
        browser = await stage.house.browser_of()
        pages = [(await browser.get("/start/pixel")).text]
        made = await browser.submit("/start/gateway", "/start/gateway", gateway="kiwify")
        pages.append((await browser.get(made.to)).text)

    assert [say("pt", "start.sandbox_pixel") in page for page in pages] == [False, False]
    assert [say("pt", "start.sandbox_secret") in page for page in pages] == [False, False]


async def test_a_test_sale_without_a_platform_leads_to_its_step(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    before = (await browser.get("/start/sale")).text
    await set_up_gateway(browser)
    after = (await browser.get("/start/sale")).text

    assert say("pt", "start.sandbox_needs") in before
    assert before.count(f'<a href="/start/gateway">{say("pt", "step_name.gateway")}') == 2
    assert say("pt", "start.sandbox_needs") not in after
