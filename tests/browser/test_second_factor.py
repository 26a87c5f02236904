"""A second factor in a real browser: set up, signed in with, on a wide screen and on a phone."""

import re
from typing import TYPE_CHECKING

from tests.browser.test_dashboard import WIDTHS, Seat, enter, house, seat
from tests.support.door import Phone

from trackai.accounts.codes import RECOVERY_CODES, STEP_S
from trackai.dashboard.words import say

if TYPE_CHECKING:
    from playwright.async_api import Page

__all__ = ["house", "seat"]

PASSWORD = "cavalo bateria grampo"


async def look(seat: Seat, where: str) -> None:
    """Check what is shown, at each width."""
    for name, width in WIDTHS.items():
        await seat.page.set_viewport_size({"width": width, "height": 800})
        await seat.look(f"{where}, {name}")


async def set_up(seat: Seat) -> Phone:
    """Turn it on, as its pages lead to."""
    page = seat.page
    section = page.locator("#second-factor")
    await page.goto(seat.house.url + "/account")
    await section.locator("input[name=old]").fill(PASSWORD)
    await section.locator("button.main").click()
    await section.locator("img.qr").wait_for()
    drawn = "one => one.complete && one.naturalWidth"
    assert await section.locator("img.qr").evaluate(drawn) > 0
    await look(seat, "offered")
    phone = Phone(await section.locator("code.once").inner_text(), seat.house.world.clock)
    await section.locator("input[name=code]").fill(phone.code())
    await section.locator("button.main").click()
    await section.locator(".codes").wait_for()
    phone.recovery = await section.locator(".codes code").all_inner_texts()
    await look(seat, "recovery codes")
    seat.house.world.clock.forward(seconds=STEP_S)
    return phone


async def sign_in(page: "Page", url: str) -> None:
    """Give the password, which leads to the page for a code."""
    await page.goto(f"{url}/sign-in")
    await page.fill("input[name=email]", "ana@loja.test")
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button.main")
    await page.wait_for_url(re.compile(r"/sign-in/code"))


async def turn_off(seat: Seat, code: str) -> None:
    """Turn it off, as its page leads to."""
    section = seat.page.locator("#second-factor")
    await section.locator("summary").click()
    await look(seat, "turning off")
    await section.locator("input[name=old]").fill(PASSWORD)
    await section.locator("input[name=code]").fill(code)
    await section.locator("button.bad").click()
    await section.locator("button.main").wait_for()


async def test_it_is_set_up_asked_for_and_turned_off(seat: Seat) -> None:
    await enter(seat)
    phone, page, url = await set_up(seat), seat.page, seat.house.url
    out = say(seat.language, "app.sign_out")
    await page.get_by_role("button", name=out).click()
    await page.wait_for_url("**/sign-in")
    await sign_in(page, url)
    await look(seat, "code")
    await page.keyboard.type(phone.code())  # the field has the focus
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/")
    await page.get_by_role("button", name=out).click()
    await page.wait_for_url("**/sign-in")
    await sign_in(page, url)
    await page.get_by_role("link", name=say(seat.language, "code.use_recovery")).click()
    await page.wait_for_url(re.compile("recovery=1"))
    await look(seat, "recovery code")
    await page.fill("input[name=code]", phone.recovery[0])
    await page.click("button.main")
    await page.wait_for_url(f"{url}/")
    await page.goto(f"{url}/team")
    await look(seat, "team")
    await page.goto(f"{url}/account")
    await turn_off(seat, phone.recovery[1])

    assert len({*phone.recovery}) == RECOVERY_CODES
    assert seat.troubles == []


async def test_a_forgotten_password_is_asked_for(seat: Seat) -> None:
    page, url = seat.page, seat.house.url
    await seat.house.member()
    await page.goto(f"{url}/sign-in")
    await page.get_by_role("link", name=say(seat.language, "sign_in.forgot")).click()
    await page.wait_for_url("**/forgot")
    await look(seat, "forgot")
    await page.fill("input[name=email]", "ana@loja.test")
    await page.click("button.main")
    await page.locator("[role=status]").wait_for()
    await look(seat, "asked")
    letter = await seat.house.postbox.letters.get()
    path = re.search(r"/password/\S+", letter.text)
    assert path
    await page.goto(url + path[0])
    await look(seat, "new password")
    await page.fill("input[name=password]", "cadeira nuvem martelo")
    await page.click("button.main")
    await page.wait_for_url(f"{url}/")

    assert seat.troubles == []
