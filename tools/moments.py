"""What is seen only after something was done: each leads a signed-in page to it."""

import json
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pyotp
from playwright.async_api import Page

PASSWORD = "cavalo bateria grampo"  # noqa: S105 - of nobody
REPORT_S = 10.0


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who has come in by a browser."""

    page: Page
    address: str
    email: str
    new_password: str  # a link's secret


Moment = Callable[[Guest], Awaitable[None]]


def report_person(address: str, site_key: str, email: str) -> None:
    """Have a page report a click, and who it was."""
    click = _report(address, "click", {"site_key": site_key, "page_url": "https://cafe.example/"})
    _report(address, "lead", {"site_key": site_key, "click_id": click["click_id"], "email": email})


def _report(address: str, kind: str, said: Mapping[str, str]) -> Mapping[str, str]:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{address}/api/v1/track/{kind}",
        data=json.dumps(said).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=REPORT_S) as answer:  # noqa: S310
        found: Mapping[str, str] = json.load(answer)
    return found


async def _password(guest: Guest) -> None:
    await guest.page.goto(f"{guest.address}/password/{guest.new_password}")


async def _person(guest: Guest) -> None:
    page = guest.page
    await page.goto(guest.address + "/privacy")
    await page.fill("input[name=email]", guest.email)
    await page.click("form[action='/privacy'] button")
    await page.locator("#found").wait_for()


async def _erasure(guest: Guest) -> None:
    page = guest.page
    page.once("dialog", lambda asked: asked.accept())
    await page.locator("#erase input[name=why]").fill("4711")
    await page.locator("#erase input[name=old]").fill(PASSWORD)
    await page.click("#erase button.bad")
    await page.wait_for_url("**/privacy/erasures/*")
    await page.locator("#erasure .state.good").wait_for()


async def _key(guest: Guest) -> None:
    page = guest.page
    await page.goto(guest.address + "/keys")
    await page.fill("input[name=name]", "Power BI")
    await page.click("form[action='/keys'] button.main")
    await page.locator("code.once").wait_for()


async def _replay(guest: Guest) -> None:
    page = guest.page
    await page.goto(guest.address + "/failures?period=30d")
    again = page.locator("form[action='/failures/replays'] button.main")
    under_way = page.locator("a[href^='/failures/replays/']").first
    # Once asked for, all of them wait: whoever comes second looks at the first one's.
    await (under_way if await under_way.count() else again).click()
    await page.locator("#progress").wait_for()


async def _factor(guest: Guest) -> None:
    page = guest.page
    await page.goto(guest.address + "/account")
    await page.locator("#second-factor input[name=old]").fill(PASSWORD)
    await page.locator("#second-factor button.main").click()
    await page.locator("#second-factor img.qr").wait_for()


async def _recovery_codes(guest: Guest) -> None:
    section = guest.page.locator("#second-factor")
    secret = await section.locator("code.once").inner_text()
    await section.locator("input[name=code]").fill(pyotp.TOTP(secret).now())
    await section.locator("button.main").click()
    await section.locator(".codes").wait_for()


async def _code(guest: Guest) -> None:
    page = guest.page
    await page.context.clear_cookies()
    await page.goto(guest.address + "/sign-in")
    await page.fill("input[name=email]", guest.email)
    await page.fill("input[name=password]", PASSWORD)
    await page.click("button.main")
    await page.wait_for_url("**/sign-in/code**")


# In this order: each begins where the one before ended, and the last one is outside again.
MOMENTS: Mapping[str, Moment] = {
    "password": _password,
    "person": _person,
    "erasure": _erasure,
    "key": _key,
    "replay": _replay,
    "second_factor": _factor,
    "recovery_codes": _recovery_codes,
    "code": _code,
}
