"""Settings in a browser: changed by keyboard, waited for, and asked once more where rows go."""

from typing import TYPE_CHECKING

from playwright.async_api import Page, expect
from tests.analytics.test_rezoning import rezoner_of
from tests.browser.test_dashboard import Seat, enter, house, seat
from tests.browser.test_pages import look_at
from tests.support.door import PASSWORD

from trackai.dashboard.words import say
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["house", "seat"]


def words_of(seat: Seat) -> "Callable[..., str]":
    return lambda key, **values: say(seat.language, f"settings.{key}", **values)


async def save(page: Page, label: str) -> None:
    """Press the button beside a field."""
    form = page.get_by_label(label).locator("xpath=ancestor::form")
    await form.get_by_role("button").press("Enter")


async def test_settings_are_changed_by_keyboard(seat: Seat) -> None:
    await enter(seat)
    page, world = seat.page, seat.house.world

    t = words_of(seat)
    await look_at(seat, "/settings")
    await page.get_by_label(t("name")).fill("Café School")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text(t("done"))
    await expect(page.locator(".tenant")).to_have_text("Café School")
    await page.get_by_label(t("window")).fill("0")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label(t("window"))).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_role("alert")).to_have_text(t("bad_window"))
    await seat.look("a window that cannot be")
    await page.get_by_label(t("zone_field")).select_option("America/Manaus")
    await (
        page.get_by_label(t("zone_field"))
        .locator("xpath=ancestor::form")
        .get_by_role("button")
        .press("Enter")
    )
    await expect(page.locator("#under-way .hint")).to_have_count(1)
    await look_at(seat, "/settings")
    assert await rezoner_of(world).run() == 1
    await expect(page.locator("#under-way .good")).to_be_visible()
    await seat.look("another time zone is there")
    await page.get_by_label(t("days")).select_option("30")
    await (
        page.get_by_label(t("days"))
        .locator("xpath=ancestor::form")
        .get_by_role("button")
        .press("Enter")
    )
    await expect(page.get_by_role("alert")).to_contain_text(t("shorter", days=30))
    await seat.look("keeping less is asked once more")
    await page.get_by_role("button", name=t("shorter_go", days=30)).press("Enter")
    await expect(page.locator("#under-way .hint")).to_contain_text(t("doing_keeping"))

    assert [one for one in seat.troubles if "status of 422" not in one] == []


async def test_who_may_only_read_them_sees_what_they_are(seat: Seat) -> None:
    await seat.house.member(role=MemberRole.ANALYST)
    await seat.page.goto(f"{seat.house.url}/sign-in")
    await seat.page.fill("input[name=email]", "ana@loja.test")
    await seat.page.fill("input[name=password]", PASSWORD)
    await seat.page.click("form button.main")
    await seat.page.wait_for_url(f"{seat.house.url}/")
    await look_at(seat, "/settings")

    assert await seat.page.locator("main form").count() == 0
    assert seat.troubles == []
