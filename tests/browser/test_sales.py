"""Sales, campaigns, their spend and funnels in a browser: by keyboard, in both languages."""

import json
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect
from tests.browser.test_dashboard import Seat, enter, seat
from tests.browser.test_pages import look_at, sender
from tests.dashboard.conftest import house
from tests.dashboard.test_failures import dead

from trackai.dashboard import conversions as page_of_sales
from trackai.dashboard.words import say

__all__ = ["house", "seat", "sender"]

SPEND = "Dia,Campanha,Identificação da campanha,Custo\n{day},Lançamento,55,{spent}\n"


def file_of(content: bytes) -> FilePayload:
    return {"name": "anuncios.csv", "mimeType": "text/csv", "buffer": content}


@pytest.mark.usefixtures("sender")
async def test_sales_are_read_and_one_leads_to_its_event(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_sales, "SHOWN", 3)
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/conversions")
    await expect(page.locator(".plot canvas")).to_have_count(2)
    await page.get_by_role("link", name=say(language, "events.older")).press("Enter")
    await expect(page.locator("section.paper tbody tr")).to_have_count(1)
    await page.get_by_label(say(language, "filter.gateway")).select_option("hotmart")
    await page.get_by_role("button", name=say(language, "filter.go")).press("Enter")
    await page.wait_for_url("**gateway=hotmart**")
    await expect(page.locator("section.paper tbody tr")).to_have_count(1)
    await page.locator("section.paper tbody tr a").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Purchase")

    assert seat.troubles == []


@pytest.mark.usefixtures("sender")
async def test_what_is_shown_is_downloaded(seat: Seat, tmp_path: Path) -> None:
    await enter(seat)
    await seat.page.goto(f"{seat.house.url}/conversions?gateway=kiwify")
    async with seat.page.expect_download() as coming:
        await seat.page.get_by_role("link", name="JSON").press("Enter")
    got = await coming.value
    await got.save_as(tmp_path / "sales.json")
    rows = json.loads((tmp_path / "sales.json").read_text())

    assert got.suggested_filename.startswith("trackai-conversions-")
    assert {row["gateway"] for row in rows} == {"kiwify"}
    assert len(rows) == 2


@pytest.mark.usefixtures("sender")
async def test_a_campaign_is_looked_into_down_to_its_ads(seat: Seat) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/campaigns")
    await page.get_by_role("link", name="Lançamento").press("Enter")
    await expect(page.get_by_role("link", name="Conjunto 1|33")).to_be_visible()
    await seat.look("ad sets")
    await page.get_by_role("link", name="Conjunto 1|33").press("Enter")
    await expect(page.locator(".paper h2").first).to_have_text(say(language, "level.ad"))
    await seat.look("ads")
    await page.get_by_role("link", name=say(language, "ad_column.clicks")).press("Enter")
    await expect(page.locator("th[aria-sort]")).to_have_text(say(language, "ad_column.clicks"))
    await page.get_by_role("link", name=say(language, "campaigns.all")).press("Enter")
    await page.get_by_role("link", name="Lançamento").press("Enter")
    await page.get_by_role("link", name=say(language, "campaigns.to_sales")).press("Enter")
    await expect(page.locator("section.paper tbody tr")).to_have_count(3)

    assert seat.troubles == []


@pytest.mark.usefixtures("sender")
async def test_spend_is_taken_in_and_seen_beside_what_it_brought(seat: Seat) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    day = seat.house.world.clock.now().date()
    bad, good = (SPEND.format(day=day, spent=one).encode() for one in ("muito", "197"))
    await look_at(seat, "/campaigns/spend")
    send = page.get_by_role("button", name=say(language, "spend.go"))
    # A file that is really too large takes the driver longer than its patience.
    await page.eval_on_selector("input[type=file]", "one => { one.dataset.most = 10; }")
    await page.set_input_files("input[type=file]", file_of(good))
    await send.press("Enter")
    said = await page.eval_on_selector("input[type=file]", "one => one.validationMessage")
    await page.reload()
    await page.set_input_files("input[type=file]", file_of(bad))
    await send.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text('"muito"')
    await seat.look("a bad file")
    await page.set_input_files("input[type=file]", file_of(good))
    await send.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("197")
    await seat.look("a good file")
    await page.get_by_role("link", name=say(language, "spend.see")).press("Enter")
    await expect(page.locator("tfoot")).to_contain_text("3")

    assert said == say(language, "ad_file.too_large")
    # A refused form is on Chromium's console as what it is.
    assert [one for one in seat.troubles if "422" not in one] == []


@pytest.mark.usefixtures("sender")
async def test_a_funnel_is_made_and_renamed(seat: Seat) -> None:
    await enter(seat)
    page, language = seat.page, seat.language
    await page.goto(f"{seat.house.url}/funnels")
    await page.get_by_label(say(language, "start.funnel_name")).last.fill("Mentoria")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Mentoria")).to_be_visible()
    rename = page.locator("details", has_text=say(language, "funnels.rename")).last
    await rename.locator("summary").press("Enter")
    await rename.get_by_label(say(language, "start.funnel_name")).fill("Mentoria 2027")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Mentoria 2027")).to_be_visible()
    await look_at(seat, "/funnels")

    assert seat.troubles == []


async def test_why_events_failed_is_read_in_words(seat: Seat) -> None:
    await dead(seat.house, "token_refused", 2)
    await dead(seat.house, "quota_of_moons")
    await enter(seat)
    page, language = seat.page, seat.language
    await look_at(seat, "/failures")
    named = say(language, "reason_short.token_refused")
    await (
        page.get_by_role("cell", name=named)
        .first.or_(page.get_by_role("rowheader", name=named))
        .first.get_by_role("link")
        .press("Enter")
    )
    told = page.locator(".hint", has_text=say(language, "reason.token_refused"))
    await expect(told).to_be_visible()
    await expect(page.locator(".hint", has_text="Kiwify")).to_be_visible()
    await seat.look("a reason")

    assert seat.troubles == []
