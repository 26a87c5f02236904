"""The dashboard in a browser: from an invitation to every page, in both languages, at two widths.

The pages' policy holds: what it stops is on the console, and a console with an error fails.
"""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect
from tests.browser.conftest import PATIENCE_MS
from tests.dashboard.conftest import House, house
from tests.support.program import PATIENCE_S

from trackai.accounts.words import MOST_NAME
from trackai.dashboard.navigation import PLACES
from trackai.dashboard.words import say
from trackai.model.access import MemberRole
from trackai.sandbox.platforms import SaleStatus

__all__ = ["house"]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
WIDTHS = {"wide": 1280, "phone": 390}
PATHS = [*(place.path for place in PLACES), "/campaigns/spend", "/account"]
# A page must answer all of these: levels A and AA of WCAG 2.2, and what is good practice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
EXAMINE = """async (rules) => {
  const { passes, violations } = await axe.run(rules);
  const told = (one) => one.id + ": " + one.nodes.map((node) => node.target.join(" ")).join(", ");
  return { passed: passes.length, violated: violations.map(told) };
}"""
TOO_WIDE = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
# What the menu marks is not out of sight.
SHOWS_WHERE = """() => {
  const here = document.querySelector(".menu [aria-current]");
  const box = here?.getBoundingClientRect();
  return !box || (box.left >= 0 && box.right <= innerWidth);
}"""

# Nothing of a row is out of sight, where nobody would look for it.
OUT_OF_SIGHT = """() => [...document.querySelectorAll("table.rows tbody :is(th, td)")]
  .filter((cell) => cell.getBoundingClientRect().right > innerWidth)
  .map((cell) => cell.textContent.trim())"""
MENU_CUT = """() => {
  const menu = document.querySelector(".menu");
  return menu.scrollHeight - menu.clientHeight;
}"""


@dataclass
class Seat:
    """Somebody in front of a browser."""

    house: House
    page: Page
    language: str
    troubles: list[str]

    async def look(self, where: str) -> None:
        """Check what is shown: usable by everybody, not wider than the screen."""
        await self.page.evaluate(AXE)
        found = await self.page.evaluate(EXAMINE, RULES)
        assert found["violated"] == [], where
        assert found["passed"] > 15, where
        assert await self.page.evaluate(TOO_WIDE) <= 0, where


@pytest.fixture(params=["pt", "en"])
async def seat(
    request: pytest.FixtureRequest, browser: Browser, house: House
) -> AsyncIterator[Seat]:
    locale = {"pt": "pt-BR", "en": "en-US"}[request.param]
    context = await browser.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda said: troubles.append(said.text) if said.type in {"error", "warning"} else None,
    )
    yield Seat(house, page, request.param, troubles)
    await context.close()


async def enter(seat: Seat) -> None:
    """Come in by an invitation, as an owner."""
    token = await seat.house.team.invite(
        "ana@loja.test",
        tenant_id=seat.house.world.account.tenant.id,
        role=MemberRole.OWNER,
        by="cli:op",
    )
    await seat.page.goto(f"{seat.house.url}/join/{token}")
    await seat.look("join")
    await seat.page.fill("input[name=name]", "Ana Souza")
    await seat.page.fill("input[name=password]", "cavalo bateria grampo")
    await seat.page.click("form button.main")
    await seat.page.wait_for_url(f"{seat.house.url}/")


async def test_from_an_invitation_to_every_page(seat: Seat) -> None:
    world = seat.house.world
    for _ in range(3):
        sale = world.sale("kiwify", amount_minor=19_700)
        await world.tell("kiwify", sale, SaleStatus.APPROVED)
    await enter(seat)
    await seat.house.operates()
    for width in WIDTHS.values():
        await seat.page.set_viewport_size({"width": width, "height": 800})
        for path in PATHS:
            await seat.page.goto(seat.house.url + path)
            await seat.page.wait_for_load_state("networkidle")
            assert await seat.page.locator("h1").count() == 1, path
            await seat.look(f"{path} at {width}")
            assert await seat.page.evaluate(SHOWS_WHERE), path
            assert await seat.page.evaluate(OUT_OF_SIGHT) == [], f"{path} at {width}"
            assert await seat.page.evaluate(MENU_CUT) <= 0, f"{path} at {width}"

    assert seat.troubles == []


async def test_charts_are_drawn_and_their_tables_stay_open(seat: Seat) -> None:
    await enter(seat)
    await seat.page.wait_for_selector(".plot canvas")
    await seat.page.click("#table-throughput summary")
    await seat.page.evaluate("document.querySelector('.plot canvas').id = 'old'")
    await expect(seat.page.locator("#old")).to_have_count(0)  # asked for every five seconds

    await expect(seat.page.locator(".plot canvas")).to_have_count(4)
    await expect(seat.page.locator("#table-throughput[open]")).to_have_count(1)
    assert seat.troubles == []


HERE = """() => {
  const here = document.activeElement;
  return here.getAttribute("href") ?? here.getAttribute("aria-label") ?? here.tagName;
}"""


async def test_numbers_that_are_asked_for_again_leave_the_keyboard_where_it_was(seat: Seat) -> None:
    await enter(seat)
    page, table = seat.page, seat.page.locator("#table-latency .scroll")
    await page.click("#table-latency summary")
    await table.evaluate("(table) => (table.scrollTop = 120)")
    found = []
    for place in ("#numbers .card a >> nth=2", "#table-latency .scroll"):
        await page.focus(place)
        before = await page.evaluate(HERE)
        for _ in range(2):
            async with page.expect_event("requestfinished", lambda one: "period=24h" in one.url):
                pass  # what is asked for every five seconds
        await page.wait_for_function("document.querySelector('.plot canvas')")
        found.append((before, await page.evaluate(HERE)))

    assert [after for _, after in found] == [before for before, _ in found]
    assert found[0][0].startswith("/match-rate")
    assert await table.evaluate("(table) => table.scrollTop") == 120
    assert seat.troubles == []


async def test_signing_out_and_in_with_the_keyboard_alone(seat: Seat) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await page.get_by_role("button", name=say(language, "app.sign_out")).focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/sign-in")
    await seat.look("sign-in")
    await page.keyboard.type("ana@loja.test")
    await page.keyboard.press("Tab")
    await page.keyboard.type("cavalo bateria grampo")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{seat.house.url}/")
    await page.keyboard.press("Tab")
    skip = await page.evaluate("document.activeElement.getAttribute('href')")

    assert skip == "#content"
    assert seat.troubles == []


async def test_the_theme_that_was_chosen_stays(seat: Seat) -> None:
    await enter(seat)
    name = say(seat.language, "app.theme")
    await seat.page.get_by_role("button", name=name).click()
    chosen = await seat.page.evaluate("document.documentElement.dataset.theme")
    await seat.page.goto(seat.house.url + "/team")
    kept = await seat.page.evaluate("document.documentElement.dataset.theme")
    await seat.look("team, in the other theme")

    assert chosen == kept == "dark"


async def test_a_row_on_a_phone_says_of_which_column_its_cells_are(seat: Seat) -> None:
    world = seat.house.world
    await world.tell("kiwify", world.sale("kiwify", amount_minor=19_700), SaleStatus.APPROVED)
    await enter(seat)
    await seat.page.set_viewport_size({"width": WIDTHS["phone"], "height": 800})
    await seat.page.goto(seat.house.url + "/conversions")
    amount = seat.page.locator("table.rows td").nth(1)
    named = await amount.evaluate("(cell) => getComputedStyle(cell, '::before').content")

    assert say(seat.language, "events.amount") in named
    assert await seat.page.get_by_role("columnheader").count() == 7
    assert seat.troubles == []


async def test_a_role_is_not_given_by_passing_over_it_with_the_arrow_keys(seat: Seat) -> None:
    await enter(seat)
    await seat.house.member("bia@loja.test", MemberRole.OWNER)
    page, posted = seat.page, []
    page.on("request", lambda one: posted.append(one.url) if one.method == "POST" else None)
    await page.goto(seat.house.url + "/team")
    role = page.locator("tr", has_text="bia@loja.test").locator("select[name=role]")
    await role.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    passed_over = list(posted)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")

    assert passed_over == []
    assert len(posted) == 1
    assert await role.input_value() == MemberRole.ANALYST
    assert seat.troubles == []


async def test_a_form_on_its_way_is_not_sent_again_by_a_second_press(seat: Seat) -> None:
    await enter(seat)
    page, posted, on_its_way, pressed = seat.page, [], asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "POST":
            posted.append(route.request.url)
            on_its_way.set()
            await pressed.wait()
        await route.continue_()

    await page.route("**/keys", hold)
    await page.goto(seat.house.url + "/keys")
    await page.get_by_label(say(seat.language, "keys.name")).fill("Power BI")
    await page.keyboard.press("Enter")
    async with asyncio.timeout(PATIENCE_S):
        await on_its_way.wait()
    await page.keyboard.press("Enter")
    pressed.set()
    await page.locator("code.once").wait_for()

    assert len(posted) == 1
    assert await page.locator("tbody tr").count() == 1
    assert seat.troubles == []


async def test_a_name_as_long_as_may_be_fits_without_a_blank_in_it(seat: Seat) -> None:
    await enter(seat)
    page = seat.page
    await page.goto(seat.house.url + "/start/funnel")
    await page.get_by_label(say(seat.language, "start.funnel_name")).fill("W" * MOST_NAME)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/start/gateway")
    for width in WIDTHS.values():
        await page.set_viewport_size({"width": width, "height": 800})
        for path in ("/start/gateway", "/funnels", "/settings", "/connections", "/match-rate"):
            await page.goto(seat.house.url + path)
            assert await page.evaluate(TOO_WIDE) <= 0, f"{path} at {width}"

    assert seat.troubles == []


HELD = """
insert into breakers (tenant_id, destination_id, state, failures, openings, reason, since, retry_at)
select tenant_id, id, 'open', 5, 1, 'timeout', $2, $3 from destinations where tenant_id = $1
"""

# What is left, once it is another time than at first.
LESS_THAN = """(before) => {
  const left = document.querySelector("[role=timer]").textContent.trim();
  return left !== before && left;
}"""


async def test_the_time_until_a_breaker_tries_again_is_counted_down(seat: Seat) -> None:
    world = seat.house.world
    now = world.clock.now()
    async with world.workers.transaction() as tx:
        await tx.execute(HELD, world.account.tenant.id, now, now + dt.timedelta(seconds=65))
    await enter(seat)
    answer = await seat.page.goto(seat.house.url + "/failures")
    assert answer
    (before,) = re.findall(r'role="timer"[^>]*>([^<]*)<', await answer.text())
    await seat.look("failures, held back")
    # In one look: the page is asked for again every few seconds, and then begins anew.
    left = await seat.page.wait_for_function(LESS_THAN, arg=before)

    assert before == "1:05"
    assert re.fullmatch(r"1:0[0-4]|0:\d\d", await left.json_value())
    assert seat.troubles == []
