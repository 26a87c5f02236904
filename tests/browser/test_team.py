"""A team in a browser: an invitation and a key that are copied, and doors that are shut."""

from playwright.async_api import Browser, expect
from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_dashboard import Seat, enter, seat
from tests.browser.test_pages import look_at
from tests.dashboard.conftest import house

from trackai.dashboard.words import say

__all__ = ["house", "seat"]

GUEST = "bia@loja.test"
# What is not there, and links that are over, for somebody inside and for a stranger.
SHUT = ("/nowhere", "/events/00000000-0000-0000-0000-000000000000", "/join/x", "/password/x")


async def copied(seat: Seat) -> str:
    """Press the button beside what is shown once; return what a paste would bring."""
    await seat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = seat.page.get_by_role("button", name=say(seat.language, "connections.copy"))
    await button.press("Enter")
    await expect(seat.page.locator("button.copy")).to_have_text(
        say(seat.language, "connections.copied")
    )
    got: str = await seat.page.evaluate("navigator.clipboard.readText()")
    return got


async def test_somebody_comes_in_by_a_link_that_was_copied(seat: Seat, browser: Browser) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/team")
    await page.get_by_label(say(language, "team.email")).fill(GUEST)
    await page.keyboard.press("Enter")
    await page.locator("code.once").wait_for()
    await seat.look("an invitation")
    link = await copied(seat)
    path = "/join/" + link.partition("/join/")[2]
    guest = await browser.new_context(locale="pt-BR")
    guest.set_default_timeout(PATIENCE_MS)
    other = await guest.new_page()
    await other.goto(seat.house.url + path)
    await other.fill("input[name=name]", "Bia Lima")
    await other.fill("input[name=password]", "cadeira nuvem martelo")
    await other.click("button.main")
    await other.wait_for_url(f"{seat.house.url}/")
    await guest.close()
    await look_at(seat, "/team")
    await expect(page.get_by_role("row", name="Bia Lima")).to_contain_text(GUEST)
    await look_at(seat, "/audit")
    for deed in ("invite", "join"):
        told = page.get_by_text(say(language, f"deed.team.{deed}"))
        await expect(told.first).to_be_visible()

    assert seat.troubles == []


async def test_a_key_is_copied_and_revoked(seat: Seat) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/keys")
    await page.get_by_label(say(language, "keys.name")).fill("Power BI")
    await page.keyboard.press("Enter")
    await page.locator("code.once").wait_for()
    await seat.look("a key that was made")
    key = await copied(seat)
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("button", name=say(language, "keys.revoke")).press("Enter")
    await page.wait_for_url("**/keys")
    await expect(page.locator("tbody form")).to_have_count(0)
    await seat.look("a key that was revoked")

    assert key.startswith("trk_")
    assert seat.troubles == []


async def test_doors_that_are_shut_say_where_to_go_on(seat: Seat) -> None:
    await enter(seat)
    for path in SHUT:
        await look_at(seat, path)
        assert await seat.page.locator("main a").count() == 1, path
    await seat.page.context.clear_cookies()
    for path in SHUT[2:]:
        await look_at(seat, path)
        assert await seat.page.locator("main a").count() == 1, path

    assert [one for one in seat.troubles if "status of 404" not in one] == []
