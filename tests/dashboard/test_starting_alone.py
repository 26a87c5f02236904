"""The second step of Get started: where its field is, and what to do without a platform at hand."""

from tests.dashboard.test_starting import Stage, set_up_gateway, stage

from trackai.dashboard.words import say

__all__ = ["stage"]


async def test_a_secret_that_is_missing_or_wrong_is_a_link_to_its_field(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    made = await browser.submit("/start/gateway", "/start/gateway", gateway="hotmart")
    missing = (await browser.get(made.to)).text
    address = await set_up_gateway(browser, "hotmart")
    assert await stage.outside.send(address, "another-hottok") == 401
    wrong = (await browser.get("/start/gateway", **{"HX-Request": "true"})).text

    assert ('href="#secret"' in missing, 'id="secret"' in missing) == (True, True)
    assert say("pt", "start.sandbox_later") not in missing
    assert 'href="#secret"' in wrong
    assert say("pt", "connections.to_secret") in wrong


async def test_who_has_no_platform_at_hand_is_told_where_a_sale_comes_from(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    await set_up_gateway(browser)
    page = (await browser.get("/start/gateway")).text

    assert say("pt", "start.sandbox_later") in page
    assert 'href="#secret"' not in page
