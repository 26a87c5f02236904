"""What Meta refused, in a browser: why, sent again all at once, and followed to its end."""

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect
from tests.browser.test_dashboard import Seat, enter, seat
from tests.browser.test_pages import look_at
from tests.dashboard.conftest import House, house
from tests.support.sending import Sender, open_sender

from trackai.dashboard.words import say
from trackai.dispatch.dead_letters import ReplayReleaser
from trackai.model.clock import new_id
from trackai.queue.postgres import PostgresQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Serve

__all__ = ["house", "seat"]

REFUSED = 2


@pytest.fixture
async def sender(house: House, serve: "Serve") -> "AsyncIterator[Sender]":
    """Yield a house with sales that Meta refused for good."""
    async with open_sender(house.world, serve) as opened:
        for _ in range(REFUSED):
            opened.meta.script_fault("error", code=100, status=400)
            await opened.sell("kiwify")
            await opened.send()
        yield opened


async def released(sender: Sender) -> None:
    """Do what workers do with a replay: let it go, and send it."""
    world = sender.world
    queue = PostgresQueue(world.workers, world.clock, new_id)
    assert await ReplayReleaser(world.workers, queue, world.clock).step()
    await sender.send()


async def test_what_was_refused_is_sent_again_at_once_and_followed_to_its_end(
    seat: Seat, sender: Sender
) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/failures")
    one = page.locator("main tbody a[href^='/failures/']").first
    await one.press("Enter")
    await expect(page.locator("h1")).to_have_text(say(language, "failures.one"))
    await seat.look("one that was refused")
    await page.get_by_role("link", name=say(language, "failures.back")).press("Enter")
    await page.get_by_role("button", name=say(language, "failures.replay_all")).press("Enter")
    await page.wait_for_url("**/failures/replays/*")
    await look_at(seat, page.url.removeprefix(seat.house.url))
    await released(sender)
    # The page asks by itself until there is nothing left to wait for.
    await expect(page.get_by_role("status")).to_have_text(say(language, "replay.over"))
    await expect(page.locator("#progress dd.good")).to_have_text(str(REFUSED))
    assert await page.locator("#progress[hx-trigger]").count() == 0
    await seat.look("a replay that is over")
    await page.get_by_role("link", name=say(language, "failures.back")).press("Enter")
    await expect(page.get_by_text(say(language, "failures.none"))).to_be_visible()

    assert len(sender.meta.accepted()) == REFUSED
    assert seat.troubles == []
