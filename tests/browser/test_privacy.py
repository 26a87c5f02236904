"""A request of a person in a browser: searched, downloaded, erased, and followed to its end."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import expect
from tests.browser.test_dashboard import Seat, enter, house, seat
from tests.browser.test_pages import look_at
from tests.privacy.people import ANA, live

from trackai.dashboard.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["house", "seat"]

PASSWORD = "cavalo bateria grampo"


def words_of(seat: Seat) -> "Callable[[str], str]":
    return lambda key: say(seat.language, f"privacy.{key}")


async def find(seat: Seat) -> None:
    """Search, first for what is no e-mail."""
    t, page = words_of(seat), seat.page
    await look_at(seat, "/privacy")
    await page.get_by_label(t("email")).fill("ana")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text(t("bad_email"))
    await seat.look("no e-mail")
    await page.get_by_label(t("email")).fill(ANA.email)
    await page.keyboard.press("Enter")
    await expect(page.locator("#found tbody tr")).not_to_have_count(0)
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        await seat.look(f"found at {width}")


async def download(seat: Seat, directory: Path) -> dict[str, object]:
    """Download the document."""
    async with seat.page.expect_download() as begun:
        await seat.page.get_by_role("button", name=words_of(seat)("export_go")).press("Enter")
    file = await begun.value
    assert file.suggested_filename == "person.json"
    kept = directory / "person.json"
    await file.save_as(kept)
    document: dict[str, object] = json.loads(kept.read_bytes())
    return document


async def erase(seat: Seat) -> None:
    """Erase, first with a password that is another's, and follow it to its end."""
    t, page = words_of(seat), seat.page
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_label(t("why"), exact=True).fill("4711")
    await page.locator("#erase input[name=old]").fill("outra senha bem longa")
    await page.keyboard.press("Enter")
    await expect(page.locator("#bad-old")).to_be_visible()
    await seat.look("not the password")
    await page.locator("#erase input[name=old]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/privacy/erasures/*")
    await expect(page.locator("#erasure .state")).to_have_text(t("over"))
    await look_at(seat, page.url.removeprefix(seat.house.url))
    await page.get_by_role("link", name=t("back")).press("Enter")
    await expect(page.get_by_role("link", name=t("did_erase"))).to_be_visible()
    await look_at(seat, "/privacy")


async def test_a_person_is_searched_handed_over_and_erased(seat: Seat, tmp_path: Path) -> None:
    await live(seat.house.world, seat.house.world.account, ANA, "ana")
    await enter(seat)
    addresses = list[str]()
    seat.page.on("request", lambda request: addresses.append(request.url))
    await find(seat)
    document = await download(seat, tmp_path)
    await erase(seat)

    assert document["conversions"]
    assert len(addresses) > 10
    assert [one for one in addresses if ANA.email.partition("@")[0] in one] == []
    assert [one for one in seat.troubles if "status of 422" not in one] == []
