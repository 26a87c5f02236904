"""Requests of a person on pages: found, handed over, erased; whom they are about stays there."""

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs
from tests.privacy.people import ANA, BIA, Left, desk, live
from tests.privacy.test_erasure import left_of
from tests.support.door import PASSWORD
from tests.support.opened import traces
from tests.support.program import PATIENCE_S, POLL_S

from trackai.dashboard import slowly
from trackai.privacy.export import Export
from trackai.privacy.person import Person
from trackai.privacy.requests import SILENT
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import Answer, Browser, House

WHO = {"email": ANA.email, "phone": ANA.phone}
SURE = {"why": "protocolo 4711", "old": PASSWORD}
PART = {"HX-Request": "true"}
CUT_WAITING = """
select pg_terminate_backend(pid) as cut from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock'
"""
LOCK = "select id from conversions where tenant_id = $1 for update"


async def cut_waiting(owner: "asyncpg.Connection[Any]") -> None:
    """Send away whoever waits for a lock, once somebody does."""
    async with asyncio.timeout(PATIENCE_S):
        while not await owner.fetch(CUT_WAITING):  # noqa: ASYNC110 - others are waited for
            await asyncio.sleep(POLL_S)


@pytest.fixture
async def left(house: "House") -> Left:
    """Let two people buy; return what the one left behind who asks."""
    await live(house.world, house.world.account, BIA, "bia")
    return await live(house.world, house.world.account, ANA, "ana")


async def deeds(house: "House", what: str = "privacy.") -> list[dict[str, Any]]:
    """Return what was done for people, oldest first."""
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        known = await list_audit(tx, tenant_id=tenant_id, limit=200)
    return [one for one in reversed(known) if str(one["action"]).startswith(what)]


async def erase(browser: "Browser", **fields: str) -> "Answer":
    return await browser.submit("/privacy", "/privacy/erasures", **{**WHO, **SURE, **fields})


async def followed(browser: "Browser", path: str, until: str) -> str:
    """Look at an erasure until it says this; return all that it says then."""
    async with asyncio.timeout(PATIENCE_S):
        while until not in (text := (await browser.get(path, **PART)).text):  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
    return text


async def test_what_is_stored_is_shown_with_what_becomes_of_it(house: "House", left: Left) -> None:
    browser = await house.browser_of()
    answer = await browser.submit("/privacy", "/privacy", **WHO)
    row = re.search(r"Webhooks</th><td>(\d+)</td><td[^>]*>ficam vazios", answer.text)
    (deed,) = await deeds(house)
    assert row

    assert answer.status == 200
    assert int(row[1]) == deed["details"]["found"]["webhook_receipts"] >= len(left.receipts)
    assert "ficam valor, produto, situação" in answer.text
    assert "O que fica, e por quê" in answer.text
    assert (deed["action"], deed["actor"][:5]) == ("privacy.search", "user:")


async def test_other_contacts_of_the_same_sales_are_named(house: "House", left: Left) -> None:
    browser = await house.browser_of()
    answer = await browser.submit("/privacy", "/privacy", email=ANA.email, phone="")

    # Platforms write it in several ways.
    assert answer.text.count(f"<li>{left.person.phone}</li>") == 1
    assert answer.text.count(left.person.phone[-8:]) == 1
    assert BIA.email not in answer.text


async def test_nobody_is_found_and_can_be_erased_all_the_same(house: "House") -> None:
    browser = await house.browser_of()
    answer = await browser.submit("/privacy", "/privacy", email="ninguem@exemplo.com.br", phone="")

    assert "Nada foi encontrado" in answer.text
    assert "/privacy/erasures" in answer.text


@pytest.mark.parametrize("path", ["/privacy", "/privacy/export", "/privacy/erasures"])
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ({"email": " ", "phone": ""}, "um e-mail ou um telefone"),
        ({"email": "ana", "phone": ""}, "um e-mail ou um telefone"),
        ({"email": "", "phone": "12"}, "não é um telefone"),
    ],
)
async def test_who_cannot_be_anybody_is_said_beside_the_field(
    house: "House", path: str, who: dict[str, str], said: str
) -> None:
    browser = await house.browser_of()
    answer = await browser.submit("/privacy", path, **SURE, **who)
    beside = re.search(r'id="bad-who">([^<]+)<', answer.text)
    assert beside

    assert (answer.status, said in beside[1]) == (422, True)
    assert answer.text.count("aria-invalid") == 1
    assert await deeds(house) == []


async def test_the_document_is_that_of_the_command_and_is_kept_by_nobody(
    house: "House", left: Left
) -> None:
    browser = await house.browser_of()
    answer = await browser.submit("/privacy", "/privacy/export", **WHO)
    document = json.loads(answer.text)
    other = await Export(desk(house.world), Person.named(**WHO)).run()
    same = json.loads(msgspec.json.encode(other, enc_hook=str))

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="person.json"'
    assert answer.headers["Content-Type"] == "application/json"
    assert len(document["conversions"]) >= len(left.sales)
    for one in (document, same):
        one.pop("audit")
        one.pop("made_at")
    assert document == same


async def test_a_person_is_erased_and_the_page_follows(house: "House", left: Left) -> None:
    browser = await house.browser_of()
    answer = await erase(browser)
    assert re.fullmatch(r"/privacy/erasures/[0-9a-f-]{36}", answer.to)
    shown = (await browser.get(answer.to)).text
    over = await followed(browser, answer.to, ">apagada<")
    past = (await browser.get("/privacy")).text

    assert answer.status == 303
    assert "O que fica, e por quê" in shown
    assert ("nada do que é pessoal ficou" in over, "hx-get" in over) == (True, False)
    assert await left_of(house.world, left) == []
    assert f'href="{answer.to}">pessoa apagada</a>' in past
    assert "protocolo 4711" in past
    assert {one["details"]["why"] for one in await deeds(house)} == {"protocolo 4711"}


WRONG = [
    ({"old": "outra senha bem longa"}, "old", "senha atual não confere"),
    ({"why": " "}, "why", "motivo de até 500"),
    ({"why": "x" * 501}, "why", "motivo de até 500"),
    ({"why": f"pedido de {ANA.email.upper()}"}, "why", "motivo de até 500"),
    ({"why": "ligar para (11) 98765-4321"}, "why", "motivo de até 500"),
]


@pytest.mark.parametrize(("fields", "field", "said"), WRONG)
async def test_nothing_is_erased_without_password_and_reason(
    house: "House", left: Left, fields: dict[str, str], field: str, said: str
) -> None:
    browser = await house.browser_of()
    answer = await erase(browser, **fields)
    beside = re.search(rf'id="bad-{field}">([^<]+)<', answer.text)
    assert beside

    assert (answer.status, said in beside[1]) == (422, True)
    assert "O que está guardado" in answer.text
    assert fields.get("old", PASSWORD) not in answer.text
    assert await deeds(house, "privacy.erase") == []
    assert len(await left_of(house.world, left)) > 0


async def test_who_has_a_second_factor_gives_its_code_too(house: "House", left: Left) -> None:
    phone = await house.secure(await house.member())
    browser = house.browser()
    entry = await house.signing_in.sign_in(
        "ana@loja.test", PASSWORD, address="203.0.113.7", agent="Firefox"
    )
    browser.half = entry.token
    await browser.post("/sign-in/code", code=phone.code())
    house.world.clock.forward(minutes=1)
    without = await erase(browser)
    wrong = await erase(browser, code="000000")
    right = await erase(browser, code=phone.code())
    await followed(browser, right.to, ">apagada<")

    assert ('id="bad-code"' in without.text, 'id="bad-code"' in wrong.text) == (True, True)
    assert (without.status, wrong.status, right.status) == (422, 422, 303)
    assert await left_of(house.world, left) == []


async def test_guessing_the_password_is_slowed_down(house: "House") -> None:
    browser = await house.browser_of()
    for _ in range(5):
        await erase(browser, old="outra senha bem longa")
    answer = await erase(browser)

    assert (answer.status, "Espere quinze minutos" in answer.text) == (422, True)
    assert await deeds(house, "privacy.erase") == []


@pytest.mark.usefixtures("left")
async def test_who_it_is_about_is_in_no_log_address_or_audit_row(house: "House") -> None:
    with capture_logs() as logs:
        browser = await house.browser_of()
        await browser.submit("/privacy", "/privacy", **WHO)
        await browser.submit("/privacy", "/privacy/export", **WHO)
        await erase(browser, old="outra senha bem longa")
        answer = await erase(browser)
        over = await followed(browser, answer.to, ">apagada<")
        past = (await browser.get("/privacy")).text
    written = [str(await deeds(house, "")), answer.to, over, past, str(logs)]

    assert [] == [word for word in traces(ANA) for one in written if word in one.encode()]


async def test_an_erasure_that_was_cut_short_says_so_and_ends_when_it_is_begun_again(
    house: "House", left: Left
) -> None:
    browser, world = await house.browser_of(), house.world
    tenant_id = world.account.tenant.id
    # Sales cannot be emptied while somebody holds them; then the process ends.
    async with world.workers.transaction() as tx:
        await tx.fetch(LOCK, tenant_id)
        cut = await erase(browser)
        await followed(browser, cut.to, ">apagando<")
        with capture_logs() as logs:
            await house.errands.aclose()
    assert len(await left_of(world, left)) > 0
    early = (await browser.get(cut.to)).text
    world.clock.moment += SILENT * 2
    late = (await browser.get(cut.to)).text
    past = (await browser.get("/privacy")).text
    again = await erase(browser)
    await followed(browser, again.to, ">apagada<")

    assert [one["event"] for one in logs] == ["errand.cut_short"]
    assert ("este apagamento parou" in early, "este apagamento parou" in late) == (False, True)
    assert "apagamento que não terminou" in past
    assert await left_of(world, left) == []


async def test_another_tenants_erasure_is_none_of_mine(house: "House") -> None:
    browser = await house.browser_of()
    made = await erase(browser)
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    stranger = house.browser()
    stranger.token = await house.sign_in("bia@loja.test")

    assert (await browser.get(made.to)).status == 200
    assert (await stranger.get(made.to)).status == 404
    assert "Nenhum pedido ainda" in (await stranger.get("/privacy")).text


@pytest.mark.usefixtures("left")
async def test_a_search_that_takes_long_begins_to_answer_at_once(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slowly, "SOON_S", 0.0)
    monkeypatch.setattr(slowly, "BEAT_S", 0.02)
    browser = await house.browser_of()
    page = await browser.submit("/privacy", "/privacy", **WHO)
    document = await browser.submit("/privacy", "/privacy/export", **WHO)

    assert re.match(r"\n+<!doctype html>", page.text)
    assert "O que está guardado" in page.text
    assert document.text.startswith("\n")
    assert json.loads(document.text)["conversions"]
    for one in (page, document):
        assert one.headers["Cache-Control"] == "no-store"
        assert "Content-Length" not in one.headers


async def test_a_long_answer_that_fails_breaks_off_and_is_no_whole_page(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slowly, "SOON_S", 0.0)
    browser = await house.browser_of()
    # The search waits for a table, and while it does the database sends it away.
    owner = await asyncpg.connect(house.world.url)
    async with owner.transaction():
        await owner.execute("lock table conversion_notices in access exclusive mode")
        asking = asyncio.create_task(browser.submit("/privacy", "/privacy", **WHO))
        await cut_waiting(owner)
    await owner.close()

    with pytest.raises(aiohttp.ClientPayloadError):
        await asking
    # The next one is asked for on a connection that is there.
    assert (await browser.submit("/privacy", "/privacy", **WHO)).status == 200
