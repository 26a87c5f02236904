"""The five steps in a browser: from an invitation to a test sale at Meta, in both languages.

The customer's page is on this machine; its script's host leads to the edge, over TLS.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import Ports
from tests.browser.test_dashboard import WIDTHS, Seat, enter, seat
from tests.dashboard.conftest import House
from tests.dashboard.test_starting import Stage, stage
from tests.support.outside import PIXEL, TOKEN
from tests.support.proxy import local_proxy
from tests.support.tls import make_certificate
from tests.support.world import SECRET

from trackai.dashboard.words import say

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["seat", "stage"]

CODE = "TEST4711"


@pytest.fixture
async def house(stage: Stage) -> House:
    """Return the pages of a tenant that has set nothing up yet."""
    return stage.house


@pytest.fixture
async def edge_over_tls(stage: Stage, ports: Ports, tmp_path: Path) -> AsyncIterator[None]:
    """Let the host that the script tag names lead to the edge."""
    line = local_proxy(int(stage.outside.edge_url.rpartition(":")[2]))
    async with line.listening(ports.site, make_certificate(tmp_path)):
        yield


async def look(seat: Seat, where: str) -> None:
    """Check what is shown, at each width."""
    for width in WIDTHS.values():
        await seat.page.set_viewport_size({"width": width, "height": 800})
        await seat.look(f"{where} at {width}")
    await seat.page.set_viewport_size({"width": 1280, "height": 800})


def words_of(seat: Seat) -> "Callable[[str], str]":
    return lambda key: say(seat.language, key)


async def press(page: Page, name: str) -> None:
    """Press a button with the keyboard."""
    await page.get_by_role("button", name=name, exact=True).press("Enter")


async def go_on(seat: Seat, step: str) -> None:
    """Follow the link that a finished step ends with; it is there without loading the page anew."""
    t = words_of(seat)
    name = say(seat.language, "start.next", step=t(f"step_short.{step}"))
    await expect(seat.page.locator("#done")).to_have_text(t("start.done"))
    await seat.page.get_by_role("link", name=name).press("Enter")
    await seat.page.wait_for_url(f"**/start/{step}")


async def create_funnel(seat: Seat) -> None:
    t, page = words_of(seat), seat.page
    await page.get_by_role("link", name=t("start.title")).press("Enter")
    await look(seat, "all steps")
    await page.get_by_role("link", name=say(seat.language, "start.go", step=1)).press("Enter")
    await look(seat, "funnel")
    await page.get_by_label(t("start.funnel_name")).fill("Lançamento")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/start/gateway")


async def connect_gateway(seat: Seat, stage: Stage) -> None:
    t, page = words_of(seat), seat.page
    await look(seat, "gateway, none yet")
    await page.get_by_label(t("start.which_gateway")).select_option("hotmart")
    await press(page, t("connections.add_gateway_go"))
    await page.wait_for_url("**/start/gateway?of=*")
    address = await page.locator("#address").inner_text()
    await page.get_by_label(t("secret_name.hotmart")).fill(SECRET)
    await page.keyboard.press("Enter")
    state = page.locator("#heard .state")
    await expect(state).to_have_text(t("gateway_state.waiting"))
    await look(seat, "gateway, waiting")
    await stage.outside.send_until(401, address, "the-hottok-of-another-account")
    await expect(state).to_have_text(t("gateway_state.refused"))
    await expect(page.get_by_text(t("proof_why.signature_mismatch"))).to_be_visible()
    await look(seat, "gateway, refused")
    await stage.outside.send_until(200, address, SECRET)
    await stage.work()
    await expect(state).to_have_text(t("gateway_state.working"))
    await look(seat, "gateway, working")


async def connect_pixel(seat: Seat, stage: Stage) -> None:
    t, page = words_of(seat), seat.page
    await look(seat, "pixel, none yet")
    await page.get_by_label(t("pixels.id")).fill(PIXEL)
    await page.get_by_label(t("pixels.token"), exact=True).fill("EAAthatMetaDoesNotKnow")
    await press(page, t("connections.add_pixel_go"))
    await expect(page.get_by_role("alert")).to_have_text(t("token_state.refused"))
    await look(seat, "pixel, refused")
    await page.get_by_label(t("pixels.token"), exact=True).fill(TOKEN)
    await press(page, t("connections.add_pixel_go"))
    await page.wait_for_url("**/start/pixel?of=*")
    await expect(page.locator("h2 .state")).to_have_text(t("token_short.valid"))
    await page.get_by_label(t("pixels.test_code")).fill(CODE)
    await press(page, t("pixels.test_go"))
    taken = say(seat.language, "pixels.test_taken", code=CODE)
    await expect(page.get_by_text(taken)).to_be_visible()
    await look(seat, "pixel, tested")

    (event,) = stage.outside.meta.test_events(CODE)
    assert event.event_name == "TrackAITest"


async def place_script(seat: Seat, stage: Stage) -> None:
    t, page = words_of(seat), seat.page
    tag = await page.locator("#tag").inner_text()
    address = f"{stage.site_url}/curso"
    stage.site.put("/curso", "<!doctype html><title>Curso</title><h1>Curso</h1>")
    for said, html in (("not_here", ""), ("here", tag)):
        stage.site.put("/curso", f"<!doctype html><title>Curso</title>{html}<h1>Curso</h1>")
        await page.get_by_label(t("start.page_address")).fill(address)
        await press(page, t("start.check_go"))
        await expect(page.get_by_text(t(f"page_check.{said}"))).to_be_visible()
        await look(seat, f"tag, {said}")
    visitor = await page.context.new_page()
    await visitor.goto(f"{address}?fbclid=IwAR0abc")
    await page.bring_to_front()
    await expect(page.locator("#seen .state")).to_have_text(t("start.visited"))
    await look(seat, "tag, visited")
    await visitor.close()


async def sell_once(seat: Seat, stage: Stage) -> None:
    t, page = words_of(seat), seat.page
    await look(seat, "sale, none yet")
    await page.get_by_label(t("pixels.code_field")).fill(CODE)
    await press(page, t("team.save"))
    await expect(page.get_by_text(t("connections.done_code"))).to_be_visible()
    await expect(page.get_by_label(t("pixels.code_field"))).to_have_value(CODE)
    await press(page, t("start.sandbox_go"))
    await page.wait_for_url("**/start/sale")
    await stage.work()
    await expect(page.locator("#sold .state")).to_have_text(t("start.sold"))
    await expect(page.get_by_text(t("strategy.click_id"))).to_be_visible()
    taken = say(seat.language, "pixels.test_taken", code=CODE)
    await expect(page.get_by_text(taken)).to_be_visible()
    await look(seat, "sale, at Meta")

    sold = [one for one in stage.outside.meta.test_events(CODE) if one.event_name == "Purchase"]
    assert len(sold) == 1
    assert stage.outside.meta.accepted()


@pytest.mark.usefixtures("edge_over_tls")
async def test_from_an_invitation_to_a_test_sale_at_meta(seat: Seat, stage: Stage) -> None:
    await enter(seat)
    await create_funnel(seat)
    await connect_gateway(seat, stage)
    await go_on(seat, "pixel")
    await connect_pixel(seat, stage)
    await go_on(seat, "tag")
    await place_script(seat, stage)
    await go_on(seat, "sale")
    await sell_once(seat, stage)
    await seat.page.get_by_role("link", name=words_of(seat)("start.finish")).press("Enter")
    await seat.page.wait_for_url(re.compile(r"/start$"))
    await expect(seat.page.locator(".steps .state.good")).to_have_count(5)
    await look(seat, "all done")

    # What the browser says of the page that tells of the token that was refused.
    assert [one for one in seat.troubles if "status of 422" not in one] == []
