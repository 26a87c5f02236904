"""The list of events and the story of each: rows, filters, pages, and nothing of the buyer."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import TYPE_CHECKING

import pytest
from tests.support.sending import Sender, open_sender

from trackai.accounts import closing, upkeep
from trackai.dashboard import events as page_of_events
from trackai.dashboard.words import LANGUAGES, say, words_of
from trackai.destinations.meta.answers import AnswerReason
from trackai.destinations.meta.destination import NoAnswerReason
from trackai.destinations.meta.payload import UnsendableReason
from trackai.dispatch import backstop, dispatcher, retry
from trackai.matching.plan import WithheldReason
from trackai.model.access import MemberRole
from trackai.model.click import Utm
from trackai.model.conversion import ConversionStatus
from trackai.model.delivery import DeliveryStatus
from trackai.model.match import MatchReason, MatchStrategy
from trackai.sandbox.platforms import Person, SaleStatus

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dashboard.conftest import Browser, House

ROW = '<th scope="row"><a href="/events/'


@pytest.fixture
async def sender(house: "House", serve: "Serve") -> AsyncIterator[Sender]:
    """Yield a house whose account sends."""
    async with open_sender(house.world, serve) as opened:
        yield opened


async def rows_of(browser: "Browser", query: str = "") -> list[str]:
    """Return the ids of the events that a page shows, in its order."""
    return re.findall(ROW + r"([0-9a-f-]{36})", (await browser.get(f"/events{query}")).text)


def link(text: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', text)
    return unescape(found[1]) if found else ""


async def test_events_are_listed_newest_first_with_their_sale(
    house: "House", sender: Sender
) -> None:
    ids = []
    for number in range(3):
        house.world.clock.forward(minutes=1)
        ids.append(str(await sender.sell(amount_minor=1_000 + number)))
    await sender.send()
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get("/events")).text)

    assert await rows_of(browser) == ids[::-1]
    assert page.index("R$\xa010,02") < page.index("R$\xa010,00")
    assert page.count(">aceito</span>") == 3


async def test_pages_lead_to_older_events_and_back(
    house: "House", sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_events, "SHOWN", 2)
    ids: list[str] = []
    for _ in range(5):
        house.world.clock.forward(minutes=1)
        ids.insert(0, str(await sender.sell()))
    browser = await house.browser_of()
    first = (await browser.get("/events?gateway=kiwify")).text
    second = (await browser.get(link(first, "next"))).text
    third = (await browser.get(link(second, "next"))).text
    back = (await browser.get(link(third, "prev"))).text
    start = (await browser.get(link(back, "prev"))).text

    found = [re.findall(ROW + r"([0-9a-f-]{36})", one) for one in (first, second, third)]
    assert found == [ids[:2], ids[2:4], ids[4:]]
    assert (link(first, "prev"), link(third, "next")) == ("", "")
    assert re.findall(ROW + r"([0-9a-f-]{36})", back) == ids[2:4]
    assert re.findall(ROW + r"([0-9a-f-]{36})", start) == ids[:2]
    assert "gateway=kiwify" in link(second, "next")


async def test_a_page_that_found_nothing_among_many_goes_on(
    house: "House", sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = str(await sender.sell("hotmart"))
    for _ in range(4):
        house.world.clock.forward(minutes=1)
        await sender.sell()
    monkeypatch.setattr("trackai.storage.events.MOST_SCANNED", 3)
    browser = await house.browser_of()
    first = (await browser.get("/events?gateway=hotmart")).text
    second = (await browser.get(link(first, "next"))).text

    assert say("pt", "events.look_on") in first
    assert wanted in second
    assert ROW in second


async def test_filters_find_what_they_say(house: "House", sender: Sender) -> None:
    await house.world.click("c1", utm=Utm(source="facebook", campaign="Lançamento|55"))
    of_ad = str(await sender.sell(click_id="c1"))
    await sender.send()
    other = str(await sender.sell("hotmart", buyer=Person(email="bia@example.com", phone="")))
    browser = await house.browser_of()
    funnel = house.world.account.funnel.id
    named = (await browser.get(f"/events/{of_ad}")).text
    event_id = re.search(r"<code>(kiwify:[^<]+)</code>", named)
    assert event_id

    assert await rows_of(browser, "?gateway=hotmart") == [other]
    assert await rows_of(browser, "?status=accepted") == [of_ad]
    assert await rows_of(browser, "?status=pending") == [other]
    assert await rows_of(browser, "?campaign=Lan%C3%A7amento%7C55") == [of_ad]
    assert set(await rows_of(browser, f"?funnel={funnel}")) == {of_ad, other}
    assert await rows_of(browser, "?status=pending&gateway=kiwify") == []


async def test_an_event_id_is_found_whenever_it_was(house: "House") -> None:
    sale = house.world.sale("kiwify")
    await house.world.tell("kiwify", sale, SaleStatus.APPROVED)
    house.world.clock.forward(days=400)
    browser = await house.browser_of()

    assert await rows_of(browser) == []
    assert len(await rows_of(browser, f"?event_id=kiwify:{sale.transaction}")) == 1
    assert len(await rows_of(browser, f"?event_id=%20kiwify:{sale.transaction}%20")) == 1
    # As it is copied from the platform.
    assert len(await rows_of(browser, f"?event_id={sale.transaction}")) == 1
    assert await rows_of(browser, f"?event_id=hotmart:{sale.transaction}") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("gateway=paypal", "filter.bad_gateway"),
        ("funnel=1", "filter.bad_funnel"),
        ("status=lost", "events.bad_status"),
        ("campaign=%00", "events.bad_campaign"),
        ("event_id=" + "x" * 501, "events.bad_event_id"),
        ("older=nowhere", "events.bad_after"),
        ("newer=MQ", "events.bad_after"),
        ("period=year", "period.bad_name"),
        ("from=2026-11-20&to=2026-11-01", "period.bad_order"),
    ],
)
async def test_what_cannot_be_is_said_and_the_page_stays(
    house: "House", sender: Sender, query: str, said: str
) -> None:
    await sender.sell()
    browser = await house.browser_of()
    page = await browser.get(f"/events?{query}")

    assert page.status == 200
    assert unescape(page.text).count(say("pt", said)) == 1
    assert 'name="event_id"' in page.text


async def test_an_empty_list_says_what_to_do(house: "House", sender: Sender) -> None:
    browser = await house.browser_of()
    empty = (await browser.get("/events")).text
    await sender.sell()
    filtered = (await browser.get("/events?status=dead")).text

    assert "venda de teste" in empty
    assert "tire filtros" in filtered
    assert "Sem filtros" in filtered


async def test_an_event_tells_its_story(house: "House", sender: Sender) -> None:
    utm = Utm(source="facebook", campaign="Lançamento|55", content="Vídeo 3|66")
    await house.world.click("c1", utm=utm, page_url="https://www.loja.test/curso?nome=ana#x")
    house.world.clock.forward(hours=2)
    event = await sender.sell(click_id="c1", amount_minor=19_700)
    house.world.clock.forward(seconds=3)
    await sender.send()
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get(f"/events/{event}")).text)
    told = [say("pt", f"step.{name}") for name in TOLD]

    assert re.findall(r"<strong>([^<]+)</strong>\s*<time", page) == told
    assert "facebook · Lançamento · Vídeo 3" in page
    assert '<span title="Lançamento|55">Lançamento</span>' in page
    assert "3,0 s depois do webhook" in page
    assert '"value": 197.00' in page
    assert '"event_source_url": "https://www.loja.test/curso"' in page
    assert '"em": "***"' in page
    assert [one for one in house.world.private() if one in page] == []


TOLD = ("click", "sale", "webhook", "matched", "owed", "tried", "accepted")


async def test_a_try_in_vain_says_why_and_what_comes_next(house: "House", sender: Sender) -> None:
    sender.meta.script_fault("http_500", times=1)
    event = await sender.sell()
    await sender.send()
    browser = await house.browser_of()
    waits = unescape((await browser.get(f"/events/{event}")).text)
    house.world.clock.forward(minutes=5)
    await sender.send()
    done = unescape((await browser.get(f"/events/{event}")).text)

    assert say("pt", "reason.transient_error") in waits
    assert say("pt", "step.pending") in waits
    assert say("pt", "step.no_click") in waits
    assert "<td>500</td>" in waits
    assert (done.count("de novo depois"), done.count(say("pt", "event.taken"))) == (1, 1)


async def test_an_event_that_is_refused_leads_to_sending_it_again(
    house: "House", sender: Sender
) -> None:
    event = await sender.sell()
    house.world.clock.forward(days=8)
    await sender.send()
    browser = await house.browser_of()
    page = unescape((await browser.get(f"/events/{event}")).text)
    letter = (await browser.get(f"/failures/{event}")).text

    assert say("pt", "reason.event_too_old") in page
    assert f'href="/failures/{event}"' in page
    assert f'href="/events/{event}"' in letter


async def test_of_many_tries_the_first_and_last_are_told(house: "House", sender: Sender) -> None:
    sender.meta.script_fault("token_expired", times=None)
    event = await sender.sell()
    for _ in range(6):
        await sender.send()
        house.world.clock.forward(hours=2)
    browser = await house.browser_of()
    page = unescape((await browser.get(f"/events/{event}")).text)
    log = page.split(say("pt", "event.tries"))[-1]
    tries = log.count(say("pt", "reason.token_refused"))

    assert tries > 4
    assert say("pt", "step.in_log", number=tries - 4) in page
    assert page.count(f"<strong>{say('pt', 'step.tried_in_vain')}</strong>") == 4


async def test_pages_are_in_the_readers_language(house: "House", sender: Sender) -> None:
    event = await sender.sell()
    await sender.send()
    await house.member("eva@loja.test")
    browser = house.browser("en-US")
    browser.token = await house.sign_in("eva@loja.test")
    async with house.database.transaction() as tx:
        await tx.execute("update users set language = 'en' where id is not null")
    listed = (await browser.get("/events")).text
    told = (await browser.get(f"/events/{event}")).text

    assert ">accepted</span>" in listed
    assert "Accepted by Meta" in told
    assert "Aceito" not in listed + told


async def test_another_tenants_events_are_not_there(house: "House", sender: Sender) -> None:
    mine = house.world.account
    event = await sender.sell()
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    page = await browser.get(f"/events?funnel={mine.funnel.id}")

    assert (await browser.get(f"/events/{event}")).status == 404
    assert await rows_of(browser, "?period=90d") == []
    assert say("pt", "filter.bad_funnel") in unescape(page.text)
    assert str(mine.funnel.id) not in page.text


KNOWN = {
    "reason": [
        *(*AnswerReason, *NoAnswerReason, *UnsendableReason, *WithheldReason),
        *(retry.TOO_OLD, retry.EXHAUSTED, backstop.REASON, dispatcher.SEALED),
        *(dispatcher.NO_ACCOUNT, upkeep.DISCONNECTED, closing.DELETED),
    ],
    "status": list(DeliveryStatus),
    "step": list(DeliveryStatus),
    "strategy": list(MatchStrategy),
    "found": [*MatchReason, "not_tried"],
    "sale_status": list(ConversionStatus),
    "outcome": ["deferred", "rejected", *(set(DeliveryStatus) - {"pending"})],
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", KNOWN)
def test_whatever_can_happen_has_words(language: str, table: str) -> None:
    words = words_of(language)

    assert [one for one in KNOWN[table] if f"{table}.{one}" not in words] == []
