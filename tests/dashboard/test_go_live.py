"""The go-live page: what holds, what to do, signatures; to print and to keep."""

import datetime as dt
import json
from typing import TYPE_CHECKING

from trackai.golive.catalogue import ITEMS
from trackai.golive.words import words_of
from trackai.model.clock import SystemClock

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House


def day(ahead: int) -> str:
    """Return a day that is so far ahead for the program as well, in any time zone of the tests."""
    return (SystemClock().now() + dt.timedelta(days=ahead)).date().isoformat()


async def signed(browser: "Browser", item: str, **fields: str) -> int:
    given = {"note": "Done together.", "until": day(30), **fields}
    return (await browser.submit("/go-live", f"/go-live/{item}/sign", **given)).status


async def test_every_item_stands_there_with_what_to_do(house: "House") -> None:
    browser = await house.operator()
    page = (await browser.get("/go-live")).text

    assert [] == [one for one in ITEMS if f'id="{one}"' not in page]
    assert words_of("pt")["titles"]["queues"] in page
    assert "postgres" in page
    assert words_of("pt")["to_do"]["tls"] in page


async def test_it_is_read_in_english_too(house: "House") -> None:
    browser = await house.operator()
    await browser.submit("/account", "/account/language", language="en")
    page = (await browser.get("/go-live")).text

    assert words_of("en")["titles"]["queues"] in page


async def test_a_signature_holds_until_it_is_taken_back(house: "House") -> None:
    browser = await house.operator()
    before = (await browser.get("/go-live/document")).text
    answer = await signed(browser, "confidence")
    after = (await browser.get("/go-live/document")).text
    await browser.submit("/go-live", "/go-live/confidence/withdraw")
    at_last = (await browser.get("/go-live/document")).text
    rows = [
        next(one for one in json.loads(text)["list"] if one["item"] == "confidence")
        for text in (before, after, at_last)
    ]

    assert 303 == answer
    assert ["unsigned", "signed", "unsigned"] == [one["outcome"] for one in rows]
    assert "Done together." == rows[1]["note"]
    assert rows[1]["signed_by"]


async def test_what_is_looked_at_cannot_be_signed(house: "House") -> None:
    browser = await house.operator()

    assert 422 == await signed(browser, "queues")


async def test_a_signature_needs_a_note_and_a_day_to_come(house: "House") -> None:
    browser = await house.operator()

    assert 422 == await signed(browser, "confidence", note=" ")
    assert 422 == await signed(browser, "confidence", until=day(-2))
    assert 422 == await signed(browser, "confidence", until=day(500))
    assert 422 == await signed(browser, "confidence", until="x")


async def test_no_tenants_own_people_see_it_or_sign(house: "House") -> None:
    owner = await house.browser_of()
    address = "/go-live/confidence/sign"

    assert 403 == (await owner.get("/go-live")).status
    assert 403 == (await owner.get("/go-live/document")).status
    assert 403 == (await owner.submit("/", address, note="Done.", until=day(30))).status
    assert 'href="/go-live"' not in (await owner.get("/")).text


async def test_a_printed_page_leaves_forms_out(house: "House") -> None:
    browser = await house.operator()
    page = (await browser.get("/go-live")).text
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    printed = (await browser.get(style)).text.partition("@media print")[2]

    assert '<details class="noprint"' in page
    assert "details { display: none; }" in printed
