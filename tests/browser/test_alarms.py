"""Alarms in a browser: one fires, somebody is told, looks, takes it, and quiets it for a while."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Dialog, expect
from tests.alarms.conftest import Post, evaluator_of, sender_of
from tests.browser.test_dashboard import WIDTHS, Seat, enter, house, seat
from tests.browser.test_pages import look_at
from tests.support.world import SECRET

from trackai.alarms.evaluator import Evaluator
from trackai.alarms.message import words_of
from trackai.alarms.sender import Sender
from trackai.dashboard.words import say
from trackai.destinations.http import open_http
from trackai.sandbox.platforms import SaleStatus, platform
from trackai.storage.alarms_key import make_all_tenants

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Locator
    from tests.dashboard.conftest import House
    from tests.support.world import World

__all__ = ["house", "seat"]

ALARM, CALLED = "signature_failures", "plantao@loja.test"
ROUTES, SILENCES, OWN = "/alarms/routes", "/alarms/silences", f"/alarms/{ALARM}/threshold"


@dataclass
class Tower:
    """What a worker does about alarms, here when it is told to."""

    world: "World"
    evaluator: Evaluator
    sender: Sender
    post: Post

    async def watch(self, minutes: int) -> None:
        """Let so many minutes pass, every half of which it looks and calls."""
        for _ in range(minutes * 2):
            self.world.clock.forward(seconds=30)
            await self.evaluator.step()
            while await self.sender.step():
                pass

    async def refuse(self, number: int) -> None:
        """Let so many webhooks come whose proof fails."""
        for _ in range(number):
            forged = platform("kiwify", SECRET).notice(
                self.world.sale(), SaleStatus.APPROVED, forge=True
            )
            await self.world.reject(self.world.account.connections["kiwify"], forged)


@pytest.fixture
async def tower(house: "House") -> AsyncIterator[Tower]:
    world, post = house.world, Post()
    async with world.workers.transaction() as tx:
        await make_all_tenants(tx, world.envelope)
    async with open_http() as http:
        sender = sender_of(world, http, "http://127.0.0.1:9", post)
        yield Tower(world, evaluator_of(world), sender, post)


def form_of(seat: Seat, action: str) -> "Locator":
    return seat.page.locator(f'form[action="{action}"]')


def words(seat: Seat) -> "Callable[..., str]":
    return lambda key, **values: say(seat.language, f"alarms.{key}", **values)


async def be_called(seat: Seat) -> None:
    """Have somebody called by e-mail, by keyboard."""
    form = form_of(seat, ROUTES)
    await form.locator("[name=kind]").select_option("email")
    await form.locator("[name=route_name]").fill("Plantão")
    await form.locator("[name=address]").fill("plantao")
    await form.locator("[name=address]").press("Enter")
    await expect(seat.page.get_by_role("alert")).to_have_text(words(seat)("bad_address"))
    await seat.look("an address that is none")
    await form.locator("[name=kind]").select_option("email")
    await form.locator("[name=route_name]").fill("Plantão")
    await form.locator("[name=address]").fill(CALLED)
    await form.locator("[name=address]").press("Enter")
    await expect(seat.page.locator("li", has_text="Plantão")).to_be_visible()


async def lower(seat: Seat) -> None:
    """Let the alarm fire from three webhooks on, by keyboard."""
    details = seat.page.locator(f"#threshold-{ALARM}")
    await details.locator("summary").press("Enter")
    await seat.look("a threshold is changed")
    field = form_of(seat, OWN).locator("[name=threshold]")
    await field.fill("2")
    await field.press("Enter")
    await expect(seat.page.locator("li", has=details)).to_contain_text(words(seat)("whose_own"))
    await expect(seat.page.locator("li", has=details)).to_contain_text("Ana Souza")


async def test_an_alarm_is_heard_of_taken_and_quieted(seat: Seat, tower: Tower) -> None:
    await enter(seat)
    page, t, title = seat.page, words(seat), words_of(seat.language)[ALARM]["title"]

    await look_at(seat, "/alarms")
    await be_called(seat)
    await lower(seat)
    await tower.refuse(3)
    await tower.watch(minutes=2)
    (letter,) = tower.post.letters
    assert letter.to == CALLED
    assert words_of(seat.language)[ALARM]["title"] in letter.subject

    await look_at(seat, "/")
    told = page.get_by_label(t("title")).locator("ul")
    await expect(told).to_contain_text(title)
    await told.get_by_role("link", name=title).press("Enter")
    await page.wait_for_url(f"**/alarms/{ALARM}")
    await expect(page.locator("h1")).to_have_text(title)
    await seat.look("the alarm alone")
    await page.get_by_role("main").get_by_role("link", name=t("runbook")).first.press("Enter")
    await page.wait_for_url("**/runbooks/signature-failures")
    await expect(page.locator("h1")).to_have_text(t("runbook_of", title=title))
    await expect(page.locator("main pre").first).to_be_visible()
    await look_at(seat, "/runbooks/signature-failures")

    await take(seat)
    row = page.get_by_role("row", name=re.compile(re.escape(title))).first
    await expect(row).to_contain_text("Ana Souza")
    await silence(seat)
    await give_up(seat)
    await look_at(seat, "/alarms")

    assert [one for one in seat.troubles if "status of 422" not in one] == []


async def take(seat: Seat) -> None:
    """Say on the page that one has it."""
    await seat.page.goto(f"{seat.house.url}/alarms")
    await within_reach(seat)
    await form_of(seat, f"/alarms/{ALARM}/acknowledge").get_by_role("button").press("Enter")


async def within_reach(seat: Seat) -> None:
    """Look whether on a phone somebody sees how bad it is, and takes it without scrolling."""
    page, before = seat.page, seat.page.viewport_size
    assert before
    await page.set_viewport_size({"width": WIDTHS["phone"], "height": 800})
    button = form_of(seat, f"/alarms/{ALARM}/acknowledge").get_by_role("button")
    frame, box = await page.locator(".scroll").first.bounding_box(), await button.bounding_box()
    assert frame
    assert box
    assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    await expect(page.locator("tr", has=button).locator("td").nth(1)).to_be_in_viewport()
    await page.set_viewport_size(before)


async def silence(seat: Seat) -> None:
    """Quiet everything for four hours, and hear it again."""
    page, form = seat.page, form_of(seat, SILENCES)
    await form.locator("[name=hours]").select_option("4")
    await form.locator("[name=why]").fill("Migração")
    await form.locator("[name=why]").press("Enter")
    made = page.locator("li", has_text="Migração")
    await expect(made).to_contain_text(words(seat)("all_of_them"))
    await seat.look("silenced")
    await made.get_by_role("button").press("Enter")
    await expect(made).to_have_count(0)


async def give_up(seat: Seat) -> None:
    """Call nobody any more, from the usual threshold on."""
    page, asked = seat.page, list[str]()

    async def sure(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    page.on("dialog", sure)
    await page.locator("li", has_text="Plantão").get_by_role("button").press("Enter")
    await expect(page.get_by_text(words(seat)("no_routes"))).to_be_visible()
    assert asked == [words(seat)("route_sure", name="Plantão")]
    details = page.locator(f"#threshold-{ALARM}")
    await details.locator("summary").press("Enter")
    await form_of(seat, f"{OWN}/end").get_by_role("button").press("Enter")
    await expect(page.locator("li", has=details)).to_contain_text(words(seat)("whose_usual"))
