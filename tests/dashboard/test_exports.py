"""Downloads of pages: all that their filters let through, as CSV and as JSON."""

import csv
import io
import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from tests.dashboard.test_campaigns import LAUNCH, OTHER, sell, spend

from trackai.analytics import export
from trackai.dashboard.exports import SOURCES
from trackai.model.access import MemberRole
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

PAGES = {"events": "/events", "conversions": "/conversions", "campaigns": "/campaigns"}
PAGES["match-rate"] = "/match-rate"


async def download(browser: "Browser", what: str, query: str = "") -> list[dict[str, Any]]:
    """Download both forms, which say the same; return what CSV says."""
    answers = [await browser.get(f"/exports/{what}.{one}{query}") for one in ("csv", "json")]
    assert [one.status for one in answers] == [200, 200]
    assert all("attachment" in one.headers["Content-Disposition"] for one in answers)
    assert answers[0].text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(answers[0].text[1:]), delimiter=";"))
    told = json.loads(answers[1].text)
    assert len(rows) == len(told)
    assert all(set(row) == set(one) for row, one in zip(rows, told, strict=True))
    return rows


async def test_sales_of_more_than_a_page_and_thirty_days_are_all_there(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 2)
    for _ in range(5):
        house.world.clock.forward(days=10)
        await sell(house, LAUNCH, amount_minor=19_700)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    rows = await download(browser, "conversions", "?period=90d")
    lately = await download(browser, "conversions", "?period=30d")

    assert len({row["transaction"] for row in rows}) == 5
    assert len(lately) == 3
    assert {(row["amount_minor"], row["campaign"]) for row in rows} == {("19700", "Lançamento|55")}
    assert rows[0]["sold_at"] > rows[-1]["sold_at"]


async def test_a_download_holds_what_the_filters_show(house: "House") -> None:
    await sell(house, LAUNCH)
    await sell(house, OTHER)
    browser = await house.browser_of()
    (one,) = await download(browser, "conversions", "?campaign=Perp%C3%A9tuo")
    (event,) = await download(browser, "events", "?campaign=Perp%C3%A9tuo")
    (by_id,) = await download(browser, "conversions", f"?event_id=kiwify:{one['transaction']}")

    assert one["campaign"] == event["campaign"] == "Perpétuo"
    assert by_id == one
    assert await download(browser, "conversions", "?status=refunded") == []
    assert await download(browser, "events", "?status=dead") == []


async def test_campaigns_are_downloaded_as_they_are_looked_into(house: "House") -> None:
    await sell(house, LAUNCH, amount_minor=20_000)
    await sell(house, OTHER, amount_minor=5_000)
    await spend(house, c55=10_000)
    browser = await house.browser_of()
    rows = await download(browser, "campaigns")
    within = await download(browser, "campaigns", "?campaign=Lan%C3%A7amento")

    assert [(row["campaign"], row["net_minor"], row["spent_minor"]) for row in rows] == [
        ("Lançamento", "20000", "10000"),
        ("Perpétuo", "5000", "0"),
    ]
    assert (rows[0]["cpa_minor"], rows[0]["roas"]) == ("10000", "2,0")
    assert {(row["campaign"], row["ad_set"]) for row in within} >= {("Lançamento", "Frio|77")}


async def test_match_rates_are_downloaded_over_time_by_gateway_and_way(house: "House") -> None:
    await sell(house, LAUNCH)
    await house.world.tell("hotmart", house.world.sale("hotmart"), SaleStatus.APPROVED)
    browser = await house.browser_of()
    rows = await download(browser, "match-rate", "?period=30d")
    of = {(row["of"], row["which"]): row for row in rows}

    assert sum(row["of"] == "day" for row in rows) == 30
    assert of["gateway", "kiwify"]["match_rate"] == "1,0"
    assert of["strategy", "click_id"]["matched"] == "1"
    assert sum(int(row["sales"]) for row in rows if row["of"] == "day") == 2


async def test_a_spreadsheet_of_the_readers_language_opens_it(house: "House") -> None:
    await sell(house, LAUNCH)
    browser = await house.browser_of()
    page = (await browser.get("/account")).text
    proof = page.split('name="csrf" value="')[1].split('"')[0]
    portuguese = (await browser.get("/exports/match-rate.csv")).text
    await browser.post("/account/language", csrf=proof, language="en")
    english = (await browser.get("/exports/match-rate.csv")).text

    assert "gateway;kiwify;1;1;1,0" in portuguese
    assert "gateway,kiwify,1,1,1.0" in english


@pytest.mark.parametrize("what", SOURCES)
async def test_a_page_leads_to_its_download_with_its_filters(house: "House", what: str) -> None:
    await sell(house, LAUNCH)
    browser = await house.browser_of()
    page = unescape((await browser.get(f"{PAGES[what]}?period=7d&gateway=kiwify")).text)
    found = re.findall(rf'href="(/exports/{what}\.(?:csv|json)\?[^"]+)"', page)

    assert len(found) == 2
    for path in found:
        assert "period=7d&gateway=kiwify" in path
        assert (await browser.get(path)).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("events.csv?status=lost", 422),
        ("conversions.csv?status=accepted", 422),
        ("conversions.csv?gateway=paypal", 422),
        ("events.csv?period=year", 422),
        ("events.xml", 404),
        ("secrets.csv", 404),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_a_row_is_sent(
    house: "House", path: str, status: int
) -> None:
    browser = await house.browser_of()
    answer = await browser.get(f"/exports/{path}")

    assert answer.status == status
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


async def test_every_download_is_written_down_without_words_that_were_typed(
    house: "House",
) -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    for what in SOURCES:
        await browser.get(f"/exports/{what}.csv?period=7d&campaign=Ana&gateway=kiwify")
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        noted = await list_audit(tx, tenant_id=tenant_id, limit=9)
    deeds = [one for one in noted if one["action"] == "analytics.read"]

    assert {one["details"]["what"] for one in deeds} == set(SOURCES)
    assert {one["subject"] for one in deeds} == {"export.csv"}
    assert all(one["details"]["gateway"] == "kiwify" for one in deeds)
    assert "Ana" not in str([one["details"] for one in deeds])


async def test_another_tenants_rows_are_in_no_download(house: "House") -> None:
    mine = house.world.account
    await sell(house, LAUNCH)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")

    for what in ("events", "conversions", "campaigns"):
        assert await download(browser, what) == []
        answer = await browser.get(f"/exports/{what}.csv?funnel={mine.funnel.id}")
        assert answer.status == 422


async def test_nothing_of_a_buyer_is_in_a_download(house: "House") -> None:
    await house.world.tell("kiwify", house.world.sale("kiwify"), SaleStatus.APPROVED)
    browser = await house.browser_of()
    for what in SOURCES:
        for ending in ("csv", "json"):
            text = (await browser.get(f"/exports/{what}.{ending}")).text
            assert [one for one in house.world.private() if one in text] == []
