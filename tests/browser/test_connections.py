"""Connections in a browser: an address that leaked, a token that ended, and letting both go."""

from playwright.async_api import expect
from tests.browser.test_dashboard import Seat, enter, seat
from tests.browser.test_pages import look_at
from tests.browser.test_start import house
from tests.dashboard.test_starting import Stage, set_up_gateway, set_up_pixel, stage
from tests.support.outside import PIXEL

from trackai.dashboard.words import say

__all__ = ["house", "seat", "stage"]

NEXT_TOKEN = "EAAanotherThatMetaKnows"


async def press(seat: Seat, key: str) -> None:
    """Press a button by its words, and say yes to what it asks."""
    button = seat.page.get_by_role("button", name=say(seat.language, key), exact=True)
    await button.press("Enter")


async def let_go(seat: Seat, what: str) -> None:
    """Disconnect what is shown; it is not among the connections any more."""
    await press(seat, "connections.disconnect")
    await seat.page.wait_for_url("**/connections")
    await expect(seat.page.locator(f"main a[href^='/connections/{what}/']")).to_have_count(0)


async def open_one(seat: Seat, what: str) -> None:
    """Follow the link to the one of its kind, and look at it."""
    await seat.page.goto(f"{seat.house.url}/connections")
    await seat.page.locator(f"main a[href^='/connections/{what}/']").press("Enter")
    await seat.page.wait_for_url(f"**/connections/{what}/*")
    await look_at(seat, seat.page.url.removeprefix(seat.house.url))


async def test_an_address_and_a_token_are_replaced_and_let_go(seat: Seat, stage: Stage) -> None:
    other = await stage.house.browser_of("eva@loja.test")
    leaked = await set_up_gateway(other)
    await set_up_pixel(other)
    stage.outside.meta.add_token(NEXT_TOKEN, datasets=[PIXEL])
    await enter(seat)
    page, language = seat.page, seat.language
    page.on("dialog", lambda asked: asked.accept())

    await look_at(seat, "/connections")
    await open_one(seat, "gateways")
    await press(seat, "connections.rotate")
    await expect(page.get_by_text(say(language, "connections.done_address"))).to_be_visible()
    assert await page.locator("#address").inner_text() != leaked
    await let_go(seat, "gateways")

    await open_one(seat, "pixels")
    token = page.get_by_label(say(language, "pixels.new_token"))
    await token.fill("EAAthatMetaDoesNotKnow")
    await press(seat, "pixels.replace_go")
    await expect(page.get_by_role("alert")).to_have_text(say(language, "token_state.refused"))
    await seat.look("a token that Meta refuses")
    await token.fill(NEXT_TOKEN)
    await press(seat, "pixels.replace_go")
    await expect(page.get_by_text(say(language, "connections.done_token"))).to_be_visible()
    await let_go(seat, "pixels")
    await look_at(seat, "/connections")

    assert [one for one in seat.troubles if "status of 422" not in one] == []
