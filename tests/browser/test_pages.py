"""Events, match rate and performance in a browser: filters, pages, days, by keyboard."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Browser, expect
from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_dashboard import WIDTHS, Seat, enter, seat
from tests.dashboard.conftest import House, house
from tests.support.door import PASSWORD
from tests.support.sending import Sender, open_sender

from trackai.dashboard import events as page_of_events
from trackai.dashboard.words import say
from trackai.model.click import Utm
from trackai.sandbox.platforms import Person

if TYPE_CHECKING:
    from tests.conftest import Serve

__all__ = ["house", "seat"]


@pytest.fixture
async def sender(house: House, serve: "Serve") -> AsyncIterator[Sender]:
    """Yield a house with sales: matched and not, accepted, tried in vain, waiting."""
    async with open_sender(house.world, serve) as opened:
        ad = Utm(source="facebook", medium="Conjunto 1|33", campaign="Lançamento|55")
        for number, gateway in enumerate(("kiwify", "hotmart", "perfectpay")):
            await house.world.click(f"c{number}", utm=ad, fbclid="IwAR0abc")
            house.world.clock.forward(minutes=2)
            await opened.sell(gateway, click_id=f"c{number}", amount_minor=19_700)
            await opened.send()
        opened.meta.script_fault("http_500", times=1)
        nobody = Person(email="bia@example.com", phone="")
        await opened.sell("kiwify", buyer=nobody, amount_minor=9_700)
        await opened.send()
        house.world.clock.forward(minutes=5)
        yield opened


async def look_at(seat: Seat, path: str) -> None:
    """Look at a page at both widths, in both themes."""
    for theme in ("light", "dark"):
        await seat.page.emulate_media(color_scheme=theme)
        for width in WIDTHS.values():
            await seat.page.set_viewport_size({"width": width, "height": 800})
            await seat.page.goto(seat.house.url + path)
            await seat.page.wait_for_load_state("networkidle")
            await seat.look(f"{path} at {width}, {theme}")
    await seat.page.set_viewport_size({"width": 1280, "height": 800})


async def test_an_event_is_found_and_its_story_read(
    seat: Seat, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_events, "SHOWN", 2)
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/events")
    await page.get_by_role("link", name=say(language, "events.older")).press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(2)
    await page.get_by_role("link", name=say(language, "events.newer")).press("Enter")
    await expect(page.locator("tbody tr .state").first).to_have_text(
        say(language, "status.pending")
    )
    await page.get_by_label(say(language, "filter.gateway")).select_option("kiwify")
    await page.get_by_label(say(language, "events.status")).select_option("pending")
    # In a field, a form is sent.
    await page.get_by_label(say(language, "conversions.search")).press("Enter")
    await page.wait_for_url("**status=pending**")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.locator("tbody a").press("Enter")
    await expect(page.locator(".timeline .is-bad")).to_have_count(1)
    await expect(page.get_by_text(say(language, "reason.transient_error")).first).to_be_visible()
    await look_at(seat, page.url.removeprefix(seat.house.url))

    assert '"user_data": {}' in (await page.inner_text("pre"))
    assert sender.meta.accepted()
    assert seat.troubles == []


async def test_the_match_rate_of_days_that_were_chosen(seat: Seat, sender: Sender) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/match-rate")
    await page.wait_for_selector(".plot canvas")
    today = sender.world.clock.now().date().isoformat()
    await page.get_by_text(say(language, "period.custom")).click()
    await page.get_by_label(say(language, "period.from"), exact=True).fill(today)
    await page.get_by_label(say(language, "period.to"), exact=True).fill(today)
    await page.get_by_role("button", name=say(language, "period.show")).press("Enter")
    await page.wait_for_url(f"**from={today}&to={today}")
    await expect(page.locator(".card .value").nth(1)).to_have_text("4")
    await page.click("#table-match_rate summary")
    await seat.look("days and the chart's table")
    await look_at(seat, f"/match-rate?from={today}&to=2026-01-01")

    await expect(page.get_by_role("alert")).to_have_text(say(language, "period.bad_order"))
    assert seat.troubles == []


async def test_performance_is_asked_for_again_by_itself(seat: Seat, sender: Sender) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/performance?period=7d&gateway=kiwify")
    await page.wait_for_selector(".plot canvas")
    waiting = page.locator(".card", has_text=say(language, "performance.waiting")).locator(".value")
    await expect(waiting).to_have_text("1")
    await sender.send()
    async with page.expect_response(lambda one: "period=7d&gateway=kiwify" in one.url):
        pass  # what is asked for every five seconds
    await expect(waiting).to_have_text("0")

    await expect(page.locator(".plot canvas")).to_have_count(2)
    assert seat.troubles == []


@pytest.mark.usefixtures("sender")
async def test_filters_and_days_need_no_script(browser: Browser, house: House) -> None:
    await house.member()
    context = await browser.new_context(java_script_enabled=False, locale="pt-BR")
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await page.goto(f"{house.url}/events")
    await page.fill("input[name=email]", "ana@loja.test")
    await page.fill("input[name=password]", PASSWORD)
    await page.click("form button.main")
    await page.wait_for_url("**/events")
    await page.get_by_label("Plataforma").select_option("hotmart")
    await page.get_by_role("button", name="Filtrar").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.get_by_role("link", name="24 horas").click()
    await page.wait_for_url("**period=24h&gateway=hotmart")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await context.close()
