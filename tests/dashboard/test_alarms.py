"""Alarms on pages: what is wrong, who has it, whom to call and when not; and what to do."""

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.message import words_of as words_of_alarms
from trackai.dashboard.alarms import OF_TENANTS
from trackai.dashboard.remedies import REMEDIES
from trackai.dashboard.runbooks import read_runbook
from trackai.dashboard.words import LANGUAGES, say, words_of
from trackai.errors import NotFound
from trackai.model.access import MemberRole
from trackai.model.alarm import Alarm, Deed, Event, RouteKind, Standing, State, Subject
from trackai.model.clock import new_id
from trackai.storage.alarm_calls import (
    NewCall,
    claim_calls_all_tenants,
    insert_calls_all_tenants,
    settle_call,
)
from trackai.storage.alarm_history import Happened, insert_history_all_tenants
from trackai.storage.alarm_routes import list_routes
from trackai.storage.alarm_signals import list_signals, save_signals_all_tenants
from trackai.storage.destinations import disable_destination

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

OTHER = words_of_alarms("pt")["signature_failures"]["title"]
TITLE = "Eventos não entregues se acumulam"
SLACK = {"kind": "slack", "address": "https://hooks.slack.test/x", "least": "high"}


async def fire(house: "House") -> Subject:
    """Let an alarm of the account have an incident."""
    now, account = house.world.clock.now(), house.world.account
    subject = Subject(account.tenant.id, "dlq_depth", "")
    standing = Standing(State.ALARM, now, 137.0, incident_id=new_id(), fired_at=now, called_at=now)
    async with house.world.workers.transaction() as tx:
        await save_signals_all_tenants(tx, {subject: standing})
    return subject


async def standing_of(house: "House", subject: Subject) -> Standing:
    async with house.world.people.transaction(tenant_id=subject.tenant_id) as tx:
        return (await list_signals(tx, tenant_id=subject.tenant_id))[subject]


async def test_what_is_wrong_is_told_first_and_on_the_first_page(house: "House") -> None:
    await fire(house)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get("/alarms")).text)
    home = unescape((await browser.get("/")).text)
    one = unescape((await browser.get("/alarms/dlq_depth")).text)

    assert page.index(TITLE) < page.index(OTHER)
    assert ("137 eventos" in page, "100 eventos" in page) == (True, True)
    assert 'href="/runbooks/dlq-troubleshooting"' in page
    assert ("Alarmes ativos: 1" in home, 'href="/alarms/dlq_depth"' in home) == (True, True)
    assert (TITLE in one, OTHER in one) == (True, False)


async def test_what_is_wrong_with_a_pixel_is_told_by_its_number(house: "House") -> None:
    now, account = house.world.clock.now(), house.world.account
    pixel = account.destination
    subject = Subject(account.tenant.id, "breaker_open", str(pixel.id))
    standing = Standing(State.ALARM, now, 1.0, incident_id=new_id(), fired_at=now, called_at=now)
    async with house.world.workers.transaction() as tx:
        await save_signals_all_tenants(tx, {subject: standing})
    browser = await house.browser_of()
    page, home = (await browser.get("/alarms")).text, (await browser.get("/")).text
    taken = await browser.submit("/alarms", "/alarms/breaker_open/acknowledge", name=subject.name)

    assert f"<code>{pixel.pixel_id}</code>" in page
    assert f"<code>{pixel.pixel_id}</code>: sim" in home
    assert f"<code>{subject.name}" not in page + home
    assert taken.status == 303
    assert (await standing_of(house, subject)).acknowledged_by is not None


async def test_a_pixel_that_is_disconnected_keeps_its_number_in_what_happened(
    house: "House",
) -> None:
    now, account = house.world.clock.now(), house.world.account
    pixel, tenant_id = account.destination, account.tenant.id
    subject = Subject(tenant_id, "breaker_open", str(pixel.id))
    standing = Standing(State.ALARM, now, 1.0, incident_id=new_id(), fired_at=now, called_at=now)
    gone = [Happened(subject, Event.GONE, standing)]
    async with house.world.workers.transaction() as tx:
        await insert_history_all_tenants(tx, gone, now=now, new_id=new_id)
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        await disable_destination(tx, tenant_id=tenant_id, destination_id=pixel.id, now=now)
    page = (await (await house.browser_of()).get("/alarms")).text

    assert f"<code>{pixel.pixel_id}</code>" in page
    assert subject.name not in page


async def test_somebody_takes_it_and_everybody_sees_who(house: "House") -> None:
    subject = await fire(house)
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    taken = await browser.submit("/alarms", "/alarms/dlq_depth/acknowledge", name="")
    again = await browser.submit("/alarms", "/alarms/dlq_depth/acknowledge", name="")
    page = (await browser.get("/alarms")).text

    assert (taken.status, again.status) == (303, 303)
    assert (await standing_of(house, subject)).acknowledged_by is not None
    assert "Ana Souza" in page.split("O que aconteceu")[0]
    assert "alguém assumiu" in page


async def test_an_analyst_only_looks(house: "House") -> None:
    subject = await fire(house)
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = (await browser.get("/alarms")).text
    refused = await browser.submit("/account", "/alarms/dlq_depth/acknowledge", name="")

    assert "Eu cuido disso" not in page
    assert refused.status == 403
    assert (await standing_of(house, subject)).acknowledged_by is None


async def test_nobody_sees_or_takes_another_tenants(house: "House") -> None:
    subject = await fire(house)
    other = await house.world.open_account("Outra")
    await house.member("bia@outra.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@outra.test")
    page = (await browser.get("/alarms")).text
    await browser.submit("/alarms", "/alarms/dlq_depth/acknowledge", name="")

    assert "137 eventos" not in page
    assert (await standing_of(house, subject)).acknowledged_by is None


async def test_alarms_are_silenced_for_a_while_and_heard_again(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    without_why = await browser.submit("/alarms", "/alarms/silences", why=" ", hours="4")
    for_ever = await browser.submit("/alarms", "/alarms/silences", why="Migração", hours="999")
    done = await browser.submit("/alarms", "/alarms/silences", why="Migração", hours="4")
    page = (await browser.get("/alarms")).text
    end = page.split('action="/alarms/silences/')[1].split('"')[0]
    ended = await browser.submit("/alarms", f"/alarms/silences/{end}")
    after = (await browser.get("/alarms")).text

    assert (without_why.status, for_ever.status, done.status) == (422, 422, 303)
    assert "Diga por quê" in without_why.text
    assert ("Migração" in page, ended.status, "Migração" in after) == (True, 303, False)


async def test_an_owner_says_who_is_called_and_the_secret_is_shown_once(house: "House") -> None:
    browser = await house.browser_of()
    made = await browser.submit(
        "/alarms",
        "/alarms/routes",
        kind="webhook",
        route_name="Plantão",
        address="https://plantao.test/x",
        least="medium",
        language="pt",
        secret="",
    )
    page = (await browser.get("/alarms")).text
    end = page.split('action="/alarms/routes/')[1].split('"')[0]
    ended = await browser.submit("/alarms", f"/alarms/routes/{end}")
    after = (await browser.get("/alarms")).text

    assert ("whsec_" in made.text, "whsec_" in page) == (True, False)
    assert ("Plantão" in page, "plantao.test" in page) == (True, False)
    assert (ended.status, "Plantão" in after) == (303, False)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"address": "http://hooks.slack.test/x"}, "endereço https da internet pública"),
        ({"kind": "email", "address": "ana"}, "um e-mail"),
        ({"kind": "pagerduty", "secret": "short"}, "32 letras"),
        ({"kind": "pigeon"}, "Escolha como avisar"),
        ({"least": "worst"}, "Escolha como avisar"),
        ({"route_name": ""}, "Dê um nome"),
        ({"language": "fr"}, "Escolha o idioma"),
    ],
)
async def test_what_is_no_way_to_call_is_refused_in_words(
    house: "House", changed: dict[str, str], told: str
) -> None:
    browser = await house.browser_of()
    fields = {**SLACK, "route_name": "Plantão", "language": "pt", "secret": "", **changed}
    refused = await browser.submit("/alarms", "/alarms/routes", **fields)

    assert (refused.status, told in unescape(refused.text)) == (422, True)


async def test_how_the_last_call_by_a_route_went_is_told_and_why(house: "House") -> None:
    now, tenant_id = house.world.clock.now(), house.world.account.tenant.id
    browser = await house.browser_of()
    await browser.submit("/alarms", "/alarms/routes", route_name="#ops", **SLACK, language="pt")
    never = (await browser.get("/alarms")).text
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        (route,) = await list_routes(tx, tenant_id=tenant_id)
    call = NewCall(tenant_id, new_id(), route["id"], Deed.TRIGGER, "key", "dlq_depth", {})
    async with house.world.workers.transaction() as tx:
        await insert_calls_all_tenants(tx, [call], now=now)
    waiting = (await browser.get("/alarms")).text
    async with house.world.workers.transaction() as tx:
        (taken,) = await claim_calls_all_tenants(tx, now=now, until=now, limit=2)
        await settle_call(tx, taken, reason="webhook_410", again_at=None, now=now)
    dead = (await browser.get("/alarms")).text

    assert "nenhum aviso até agora" in never
    assert "o último aviso ainda não chegou" in waiting
    assert "o último aviso não chegou <code>webhook_410</code>" in dead


async def test_only_an_owner_says_who_is_called(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    refused = await browser.submit("/account", "/alarms/routes", **SLACK)

    assert refused.status == 403
    assert "Chave de integração" not in (await browser.get("/alarms")).text


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=lambda alarm: alarm.id)
async def test_where_a_call_leads_there_is_a_page(house: "House", alarm: Alarm) -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = await browser.get(f"/alarms/{alarm.id}")
    runbook = await browser.get(f"/runbooks/{alarm.page}")

    assert (page.status, runbook.status) == (200, 200)
    assert re.findall(r'href="[^"]*[.]md', runbook.text) == []
    assert "<pre tabindex" in runbook.text
    assert say(
        "pt", "alarms.runbook_of", title=words_of_alarms("pt")[alarm.id]["title"]
    ) in unescape(runbook.text)
    assert 'href="/alarms" aria-current="page"' in runbook.text
    # In the reader's language.
    assert read_runbook(alarm.page, "pt") in runbook.text
    assert read_runbook(alarm.page, "pt") != read_runbook(alarm.page, "en")


@pytest.mark.parametrize("alarm", OF_TENANTS, ids=lambda alarm: alarm.id)
async def test_an_alarm_of_a_tenant_is_mended_on_pages(house: "House", alarm: Alarm) -> None:
    browser = await house.browser_of()
    pages = await browser.get(f"/alarms/{alarm.id}"), await browser.get(f"/runbooks/{alarm.page}")
    steps = REMEDIES[alarm.id]

    assert len(steps) > 1
    for step in steps:
        told = say("pt", f"remedy.{alarm.id}.{step.name}")
        assert [told in unescape(page.text) for page in pages] == [True, True]
        assert (await browser.get(step.to)).status == 200


async def test_an_alarm_of_the_installation_is_mended_by_commands_alone(house: "House") -> None:
    page = (await (await house.browser_of()).get("/runbooks/disk-full")).text

    assert say("pt", "alarms.here") not in page
    assert REMEDIES.keys() == {one.id for one in OF_TENANTS}


def test_only_runbooks_are_read() -> None:
    for name in ("none", "../alarms", "Queue-Depth", "", "queue-depth.md"):
        with pytest.raises(NotFound):
            read_runbook(name, "pt")


@pytest.mark.parametrize("language", LANGUAGES)
def test_ways_and_events_have_words(language: str) -> None:
    words = words_of(language)

    assert {f"alarm_route.{one}" for one in RouteKind} <= words.keys()
    assert {f"alarm_event.{one}" for one in Event} <= words.keys()
