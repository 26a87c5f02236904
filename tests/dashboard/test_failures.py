"""What was not delivered: seen by the team, sent again and given up by who may."""

import datetime as dt
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from trackai.dashboard import failures as page_of_failures
from trackai.dashboard.words import LANGUAGES, say, words_of
from trackai.model.access import MemberRole
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

BURY = """
update deliveries set status = 'dead', reason = $3, settled_at = $2, event_time = $4
where tenant_id = $1 and status = 'pending'
"""


async def dead(
    house: "House", reason: str = "token_invalid", number: int = 1, *, gateway: str = "kiwify"
) -> None:
    world = house.world
    for _ in range(number):
        await world.tell(gateway, world.sale(gateway), SaleStatus.APPROVED)
    now, tenant_id = world.clock.now(), world.account.tenant.id
    async with world.workers.transaction() as tx:
        await tx.execute(BURY, tenant_id, now, reason, now - dt.timedelta(hours=1))


async def test_dead_letters_are_listed_by_reason(house: "House") -> None:
    await dead(house, "token_refused", 2)
    await dead(house, "user_data_thin")
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = (await browser.get("/failures")).text
    some = (await browser.get("/failures?reason=user_data_thin")).text
    one = re.search(r'href="(/failures/[0-9a-f-]{36})"', some)
    assert one
    shown = await browser.get(one[1])

    assert (page.count("/failures/"), some.count("/failures/")) == (3, 1)
    assert "Token recusado (2)" in page
    assert (shown.status, "user_data_thin" in shown.text) == (200, True)
    assert "<form" not in shown.text.split("<main")[1]


async def test_filters_that_leave_nothing_do_not_say_that_everything_was_delivered(
    house: "House",
) -> None:
    browser = await house.browser_of()
    nothing = unescape((await browser.get("/failures")).text)
    await dead(house, "user_data_thin")
    filtered = [
        unescape((await browser.get(f"/failures?{one}")).text)
        for one in ("reason=timeout", "gateway=hotmart", "gateway=kiwify&reason=timeout")
    ]

    assert say("pt", "failures.none") in nothing
    assert [say("pt", "failures.none") in page for page in filtered] == [False] * 3
    assert [say("pt", "failures.none_such") in page for page in filtered] == [True] * 3


async def test_they_are_among_the_events_which_can_be_downloaded(house: "House") -> None:
    await dead(house, "user_data_thin")
    browser = await house.browser_of()
    page = (await browser.get("/failures?gateway=kiwify")).text
    led = re.search(r'href="(/events\?period=90d[^"]+)"', page)
    assert led
    events = unescape((await browser.get(unescape(led[1]))).text)

    assert events.count('class="state dead"') == 1
    assert "/exports/events.csv?period=90d&gateway=kiwify&status=dead" in events


async def test_a_reason_is_told_in_words_with_what_to_do(house: "House") -> None:
    await dead(house, "token_refused")
    await dead(house, "quota_of_moons")
    browser = await house.browser_of()
    page = unescape((await browser.get("/failures")).text)
    one = unescape((await browser.get("/failures?reason=token_refused")).text)

    assert say("pt", "reason.token_refused") in page
    assert say("pt", "reason.token_refused") in one
    assert f'<a href="/connections">{say("pt", "failures.mend")}</a>' in one
    # One that nobody knows yet is told by its code.
    assert "Outro motivo <code>quota_of_moons</code> (1)" in page


async def test_they_are_counted_by_gateway_and_reason_however_many_are_listed(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_of_failures, "SHOWN", 1)
    await dead(house, "token_refused", 2)
    await dead(house, "token_refused", gateway="hotmart")
    browser = await house.browser_of()
    page = (await browser.get("/failures")).text
    cells = re.findall(r"<td>(Kiwify|Hotmart)</td><td>(\d+)</td>", page)
    of_hotmart = "/failures?gateway=hotmart&reason=token_refused"
    some = (await browser.get(of_hotmart)).text
    sent = await browser.submit(of_hotmart, "/failures/replays", gateway="hotmart")

    assert cells == [("Kiwify", "2"), ("Hotmart", "1")]
    assert "Token recusado (3)" in page
    assert len(re.findall(r'href="/failures/[0-9a-f-]{36}"', some)) == 1
    assert 'name="gateway" value="hotmart"' in some
    assert "<dt>Escolhidos</dt><dd>1</dd>" in (await browser.get(sent.to)).text


OPEN = """
insert into breakers (tenant_id, destination_id, state, failures, openings, reason, since, retry_at)
select tenant_id, id, $2, 5, 1, 'timeout', $3, $4 from destinations where tenant_id = $1
"""
OPEN_HOST = """
insert into host_breakers (host, state, failures, openings, reason, since, retry_at)
values ($1, 'open', 5, 1, 'unreachable', $2, $3)
"""


async def test_what_holds_back_is_said_with_the_time_until_the_next_try(house: "House") -> None:
    now, tenant_id = house.world.clock.now(), house.world.account.tenant.id
    browser = await house.browser_of(role=MemberRole.ANALYST)
    before = (await browser.get("/failures")).text
    again = now + dt.timedelta(seconds=65)
    async with house.world.workers.transaction() as tx:
        await tx.execute(OPEN, tenant_id, "open", now, again)
        await tx.execute(OPEN_HOST, "graph.facebook.com", now, again)
        await tx.execute(OPEN_HOST, "elsewhere.example", now, again)
    page = unescape((await browser.get("/failures")).text)
    part = unescape((await browser.get("/failures", **{"HX-Request": "true"})).text)
    house.world.clock.forward(minutes=2)
    late = (await browser.get("/failures", **{"HX-Request": "true"})).text

    assert say("pt", "breakers.none") in before
    assert page.count('data-left="65">1:05<') == 2
    assert say("pt", "breakers.host", host="graph.facebook.com") in part
    assert say("pt", "reason.timeout") in part
    assert "elsewhere" not in page
    assert "<html" not in part
    assert (late.count("data-left"), late.count(say("pt", "breakers.due"))) == (0, 2)


async def test_a_try_that_is_on_its_way_is_no_countdown(house: "House") -> None:
    now, tenant_id = house.world.clock.now(), house.world.account.tenant.id
    async with house.world.workers.transaction() as tx:
        await tx.execute(OPEN, tenant_id, "half_open", now, now + dt.timedelta(seconds=65))
    page = (await (await house.browser_of()).get("/failures")).text

    assert say("pt", "breakers.probing") in page
    assert "data-left" not in page


async def test_another_tenants_breakers_are_not_there(house: "House") -> None:
    other, now = await house.world.open_account("Outra"), house.world.clock.now()
    async with house.world.workers.transaction() as tx:
        await tx.execute(OPEN, other.tenant.id, "open", now, now)
    page = (await (await house.browser_of()).get("/failures")).text

    assert say("pt", "breakers.none") in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_with_words_has_a_short_name(language: str) -> None:
    words = words_of(language)
    named = {key.partition(".")[2] for key in words if key.startswith("reason.")}

    assert named == {key.partition(".")[2] for key in words if key.startswith("reason_short.")}


async def test_all_of_a_reason_are_sent_again_and_it_is_seen_how_far(house: "House") -> None:
    await dead(house, "token_invalid", 2)
    await dead(house, "user_data_thin")
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    sent = await browser.submit("/failures", "/failures/replays", reason="token_invalid")
    page = (await browser.get(sent.to)).text
    part = (await browser.get(sent.to, **{"HX-Request": "true"})).text
    left = (await browser.get("/failures")).text

    assert sent.status == 303
    assert "<dt>Escolhidos</dt><dd>2</dd>" in page
    assert "<dt>Esperando a vez</dt><dd>2</dd>" in part
    assert "<html" not in part
    assert left.count("na fila") == 2


DEAD_AGAIN = "update deliveries set replay_waits = false where tenant_id = $1"


async def test_what_holds_a_replay_back_is_said_until_it_is_over(house: "House") -> None:
    await dead(house, "timeout", 2)
    async with house.world.workers.transaction() as tx:
        now = house.world.clock.now()
        await tx.execute(OPEN, house.world.account.tenant.id, "open", now, now)
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    sent = await browser.submit("/failures", "/failures/replays", reason="timeout")
    part = {"HX-Request": "true"}
    waits = (await browser.get(sent.to, **part)).text
    async with house.world.workers.transaction() as tx:
        await tx.execute(DEAD_AGAIN, house.world.account.tenant.id)
    over = (await browser.get(sent.to, **part)).text

    assert (say("pt", "breakers.title") in waits, 'hx-trigger="every' in waits) == (True, True)
    assert "<dt>Falharam de novo</dt><dd>2</dd>" in over
    assert (say("pt", "breakers.title") in over, "hx-trigger" in over) == (False, False)
    assert say("pt", "replay.dead_again_what") in over


async def test_what_is_too_old_for_meta_is_said_to_be(house: "House") -> None:
    await dead(house, "timeout")
    house.world.clock.forward(days=8)
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    sent = await browser.submit("/failures", "/failures/replays", reason="timeout")
    page = (await browser.get(sent.to)).text

    assert say("pt", "replay.too_old_what") in page


async def test_one_is_given_up_with_a_reason_that_is_kept(house: "House") -> None:
    await dead(house)
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    one = re.search(r"/failures/([0-9a-f-]{36})", (await browser.get("/failures")).text)
    assert one
    fields = {"delivery_id": one[1]}
    unsaid = await browser.submit(one[0], "/failures/discards", **fields, why=" ")
    nothing = await browser.submit(one[0], "/failures/discards", why="tudo")
    done = await browser.submit(one[0], "/failures/discards", **fields, why="venda de teste")
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=1)

    assert (unsaid.status, nothing.status, done.status) == (422, 422, 303)
    assert "Nada ficou sem entrega" in (await browser.get("/failures")).text
    assert "venda de teste" in str(deeds[0]["details"])


@pytest.mark.parametrize("path", ["/failures/replays", "/failures/discards"])
async def test_analysts_only_look(house: "House", path: str) -> None:
    await dead(house)
    browser = await house.browser_of(role=MemberRole.ANALYST)

    assert (await browser.submit("/failures", path, why="x", reason="token_invalid")).status == 403


async def test_another_tenants_letters_are_not_there(house: "House") -> None:
    other = await house.world.open_account("Outra")
    await dead(house)
    ana = await house.browser_of()
    one = re.search(r"/failures/([0-9a-f-]{36})", (await ana.get("/failures")).text)
    assert one
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    await browser.submit("/", "/failures/replays", delivery_id=one[1])
    await browser.submit("/", "/failures/discards", delivery_id=one[1], why="x")

    assert (await browser.get(one[0])).status == 404
    assert "Nada ficou sem entrega" in (await browser.get("/failures")).text
    mine = (await ana.get("/failures")).text
    assert (one[0] in mine, "na fila" in mine) == (True, False)
