"""Live in a browser: an event appears by itself, can be held still, and leads to its story."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect
from tests.browser.test_dashboard import Seat, enter, seat
from tests.dashboard.conftest import house
from tests.support.sending import Sender, open_sender

from trackai.dashboard.words import say

if TYPE_CHECKING:
    from tests.conftest import Serve

__all__ = ["house", "seat"]


@pytest.fixture
async def sender(seat: Seat, serve: "Serve") -> AsyncIterator[Sender]:
    """Yield a tenant whose sales are sent."""
    async with open_sender(seat.house.world, serve) as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 390])
async def test_an_event_is_followed_as_it_happens(seat: Seat, sender: Sender, width: int) -> None:
    page, language = seat.page, seat.language
    await enter(seat)
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(f"{seat.house.url}/live")
    state = page.get_by_role("status")
    await expect(state).to_have_text(say(language, "live.on"))
    await seat.look("live, empty")

    event = await sender.sell(amount_minor=19_700)
    shown = page.locator(f"#event-{event}")
    await expect(shown).to_contain_text(say(language, "status.pending"))
    await sender.send()
    await expect(shown).to_contain_text(say(language, "status.accepted"))
    await seat.look("live, with an event")

    pause = page.get_by_role("button", name=say(language, "live.pause"))
    await pause.focus()
    await page.keyboard.press("Enter")
    await expect(state).to_have_text(say(language, "live.off"))
    later = await sender.sell()
    await page.wait_for_timeout(1500)  # longer than the time between two looks
    assert await page.locator(f"#event-{later}").count() == 0
    await page.get_by_role("button", name=say(language, "live.go_on")).click()
    await expect(page.locator(f"#event-{later}")).to_be_visible()

    await shown.get_by_role("link").click()
    await page.wait_for_url(f"**/events/{event}")
    assert seat.troubles == []


async def test_whoever_was_signed_out_is_told_that_it_stopped(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.dashboard.live.LASTS_S", 1.0)
    await enter(seat)
    page = seat.page
    await page.goto(f"{seat.house.url}/live")
    await expect(page.get_by_role("status")).to_have_text(say(seat.language, "live.on"))
    await page.context.clear_cookies()

    await expect(page.get_by_role("status")).to_have_text(say(seat.language, "live.ended"))
