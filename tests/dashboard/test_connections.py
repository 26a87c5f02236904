"""What is connected: how it stands, and what owners do to it. Meta and the edge are real HTTP."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from tests.dashboard.conftest import Browser, House, open_house
from tests.support.outside import PIXEL, TOKEN, Outside, make_meta, open_outside
from tests.support.ports import kept_port
from tests.support.sending import open_sender
from tests.support.world import NOON, PIXEL_TOKEN, SECRET

from trackai.ingest.throttle import Throttle
from trackai.model.access import MemberRole
from trackai.sandbox.platforms import SaleStatus, SignedWebhook, platform
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.conftest import Serve

ADDRESS = re.compile(r'id="address">([^<]+)<')
APPROVED = SaleStatus.APPROVED
OTHER_SECRET = "hottok-of-somebody-else"


@pytest.fixture
async def staged(fresh_database_url: str, serve: "Serve") -> AsyncIterator[tuple[House, Outside]]:
    """Yield pages whose pixels are at a stand-in, and what is outside."""
    meta = make_meta()
    async with (
        open_house(fresh_database_url, serve, None, meta_url=await serve(meta)) as house,
        open_outside(house.world, serve, meta) as outside,
    ):
        yield house, outside


async def deeds(house: House) -> list[str]:
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        return [str(one["action"]) for one in await list_audit(tx, tenant_id=tenant_id, limit=50)]


async def connect(browser: Browser, gateway: str = "hotmart") -> tuple[str, str]:
    """Connect a platform; return its page and its webhook address."""
    made = await browser.submit("/connections", "/connections/gateways", gateway=gateway)
    found = ADDRESS.search((await browser.get(made.to)).text)
    assert found
    return made.to, found[1]


async def part(browser: Browser, page: str) -> str:
    """Return what an open page asks for by itself."""
    return (await browser.get(page, **{"HX-Request": "true"})).text


async def test_a_platform_goes_from_no_secret_over_a_wrong_one_to_working(
    staged: tuple[House, Outside],
) -> None:
    house, outside = staged
    browser = await house.browser_of()
    page, address = await connect(browser)
    assert "falta o segredo" in await part(browser, page)

    assert await outside.send(address, SECRET) == 401
    unset = await part(browser, page)
    await browser.submit(page, f"{page}/secret", secret=OTHER_SECRET)
    # What fits is believed: the edge knows of the secret now.
    await outside.send_until(200, address, OTHER_SECRET)
    house.world.clock.forward(seconds=2)
    assert await outside.send(address, SECRET) == 401
    wrong = await part(browser, page)
    done = await browser.submit(page, f"{page}/secret", secret=SECRET)
    await outside.send_until(200, address, SECRET)
    right = await part(browser, page)

    assert "Nenhum segredo está guardado aqui" in unset
    assert "o segredo guardado aqui não é o da plataforma" in wrong
    assert 'hx-trigger="every 2s"' in wrong
    assert ("funcionando" in right, "hx-trigger" in right) == (True, False)
    assert "Segredo guardado" in (await browser.get(done.to)).text
    assert (await deeds(house))[:3] == ["gateway.secret", "gateway.secret", "gateway.connect"]


async def test_a_secret_is_never_shown_and_a_bad_one_is_said_in_words(house: House) -> None:
    browser = await house.browser_of()
    page, _ = await connect(browser, "stripe")
    bad = await browser.submit(page, f"{page}/secret", secret="sk_live_other")
    blank = await browser.submit(page, f"{page}/secret", secret=" ")
    await browser.submit(page, f"{page}/secret", secret="whsec_another")
    shown = (await browser.get(page)).text

    assert (bad.status, blank.status) == (422, 422)
    assert "começa com whsec_" in bad.text
    assert "sk_live_other" not in bad.text
    assert "whsec_another" not in shown
    assert "Ele não é mostrado de novo" in shown


async def test_a_page_looks_by_itself_a_bounded_number_of_times(house: House) -> None:
    browser = await house.browser_of()
    page, _ = await connect(browser)
    first = await part(browser, page)
    asked = [await part(browser, f"{page}?left={left}") for left in (2, 1, -5, "x", 10**9)]

    assert "left=599" in first
    assert [re.findall(r"left=(\d+)", text) for text in asked] == [["1"], [], [], [], ["600"]]
    assert "não olha mais sozinha" in asked[1]


async def test_an_address_that_leaked_is_changed_and_a_platform_let_go(
    staged: tuple[House, Outside],
) -> None:
    house, outside = staged
    browser = await house.browser_of()
    page, old = await connect(browser)
    await browser.submit(page, f"{page}/secret", secret=SECRET)
    changed = await browser.submit(page, f"{page}/rotate")
    found = ADDRESS.search((await browser.get(changed.to)).text)
    assert found
    fresh = await outside.send(found[1], SECRET)
    stale = await outside.send(old, SECRET)
    await browser.submit(page, f"{page}/disconnect")

    assert found[1] != old
    assert (fresh, stale) == (200, 404)
    assert (await browser.get(page)).status == 404
    assert (await deeds(house))[:2] == ["gateway.disconnect", "gateway.rotate"]


async def test_a_webhook_that_is_not_understood_is_said_to_be(house: House) -> None:
    world = house.world
    await world.receive("hotmart", SignedWebhook(b"event=1", {}, "form"))
    await world.work()
    text = (await (await house.browser_of()).get("/connections")).text

    assert "aviso não entendido" in text


async def test_a_platform_that_fell_silent_is_told_from_one_that_works(house: House) -> None:
    world = house.world
    browser = await house.browser_of()
    await world.receive("kiwify", platform("kiwify", SECRET).notice(world.sale(), APPROVED))
    works = (await browser.get("/connections")).text
    world.clock.forward(hours=25)
    browser.token = await house.sign_in()
    silent = (await browser.get("/connections")).text

    assert (works.count(">funcionando<"), silent.count(">funcionando<")) == (1, 0)
    assert "sem avisos há um dia" in silent


async def test_a_pixel_is_connected_when_meta_takes_its_token(
    staged: tuple[House, Outside],
) -> None:
    house, _ = staged
    browser = await house.browser_of()
    known = {"pixel_id": PIXEL, "token": TOKEN}
    made = await browser.submit("/connections", "/connections/pixels", **known)
    shown = (await browser.get(made.to)).text
    again = await browser.submit("/connections", "/connections/pixels", **known)

    assert made.status == 303
    assert "token válido" in shown
    assert "<code>ads_management</code>" in shown
    assert TOKEN not in shown
    assert (again.status, "já está conectado" in again.text) == (422, True)


@pytest.mark.parametrize(
    ("pixel", "token", "said"),
    [
        (PIXEL, "EAAunknown", "A Meta não aceita este token"),
        (PIXEL, "EAA with blanks", "O token está vazio ou tem espaços"),
        ("pixel", TOKEN, "tem só algarismos"),
        ("999", TOKEN, "mas não para este pixel"),
    ],
)
async def test_a_token_that_meta_refuses_is_not_kept(
    staged: tuple[House, Outside], pixel: str, token: str, said: str
) -> None:
    house, outside = staged
    outside.meta.add_dataset("999")
    browser = await house.browser_of()
    answer = await browser.submit(
        "/connections", "/connections/pixels", pixel_id=pixel, token=token
    )

    assert (answer.status, said in answer.text) == (422, True)
    assert token not in answer.text
    assert "destination.connect" not in await deeds(house)


async def test_a_token_that_could_not_be_asked_about_is_kept_and_said_so(
    fresh_database_url: str, serve: "Serve"
) -> None:
    async with AsyncExitStack() as stack:
        nobody = f"http://127.0.0.1:{stack.enter_context(kept_port())}"
        house = await stack.enter_async_context(
            open_house(fresh_database_url, serve, None, meta_url=nobody)
        )
        browser = await house.browser_of()
        made = await browser.submit(
            "/connections", "/connections/pixels", pixel_id=PIXEL, token=TOKEN
        )

        assert "Não se chegou à Meta" in (await browser.get(made.to)).text


async def test_a_token_is_replaced_only_by_one_that_meta_takes(
    staged: tuple[House, Outside],
) -> None:
    house, outside = staged
    outside.meta.add_token("EAAsecond", datasets=[PIXEL])
    browser = await house.browser_of()
    made = await browser.submit("/connections", "/connections/pixels", pixel_id=PIXEL, token=TOKEN)
    refused = await browser.submit(made.to, f"{made.to}/token", token="EAAunknown")
    taken = await browser.submit(made.to, f"{made.to}/token", token="EAAsecond")

    assert (refused.status, "A Meta não aceita" in refused.text) == (422, True)
    assert "Token trocado" in (await browser.get(taken.to)).text
    assert (await deeds(house))[:2] == ["destination.token", "destination.connect"]


async def test_a_token_that_ended_meanwhile_is_seen_when_it_is_asked_about(
    staged: tuple[House, Outside],
) -> None:
    house, outside = staged
    browser = await house.browser_of()
    made = await browser.submit("/connections", "/connections/pixels", pixel_id=PIXEL, token=TOKEN)
    outside.meta.add_token(TOKEN, datasets=[PIXEL], expires_at=NOON)
    await browser.submit(made.to, f"{made.to}/ask")
    shown = (await browser.get(made.to)).text

    assert "ele venceu, foi retirado" in shown
    assert 'class="state low"' in shown


async def test_a_test_event_reaches_metas_test_events_and_is_no_sale(
    staged: tuple[House, Outside],
) -> None:
    house, outside = staged
    browser = await house.browser_of(role=MemberRole.OWNER)
    made = await browser.submit("/connections", "/connections/pixels", pixel_id=PIXEL, token=TOKEN)
    sent = await browser.submit(made.to, f"{made.to}/test", test_event_code="TEST777")
    codeless = await browser.submit(made.to, f"{made.to}/test", test_event_code=" ")
    outside.meta.script_fault("token_expired")
    refused = await browser.submit(made.to, f"{made.to}/test", test_event_code="TEST777")
    (event,) = outside.meta.test_events("TEST777")

    assert "A Meta aceitou. Veja em Eventos de teste, com o código TEST777" in sent.text
    assert event.event_name == "TrackAITest"
    assert "value" not in str(event)
    assert codeless.status == 422
    assert "A Meta recusa o token do pixel" in refused.text
    assert (await deeds(house))[0] == "destination.test"


async def test_a_test_event_code_is_set_and_taken_out(house: House) -> None:
    browser = await house.browser_of()
    page = f"/connections/pixels/{house.world.account.destination.id}"
    await browser.submit(page, f"{page}/code", test_event_code="TEST1")
    bad = await browser.submit(page, f"{page}/code", test_event_code="two words")
    with_code = (await browser.get(page)).text
    await browser.submit(page, f"{page}/code", test_event_code="")
    without = (await browser.get(page)).text

    assert bad.status == 422
    assert ('value="TEST1"' in with_code, "TEST1" in without.replace("TEST12345", "")) == (
        True,
        False,
    )


async def test_when_a_pixel_last_took_something_is_shown(house: House, serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        browser = await house.browser_of()
        before = (await browser.get("/connections")).text
        await sender.sell()
        await sender.send()
        after = (await browser.get("/connections")).text

    assert "Último evento aceito</dt><dd>nenhum" in before
    assert "Último evento aceito</dt><dd>nenhum" not in after


async def test_a_pixel_that_is_let_go_is_not_shown_any_more(house: House) -> None:
    browser = await house.browser_of()
    page = f"/connections/pixels/{house.world.account.destination.id}"
    await browser.submit(page, f"{page}/disconnect")

    assert "Nenhum pixel ainda" in (await browser.get("/connections")).text
    assert (await browser.get(page)).status == 404


CHANGES = [
    *("/connections/gateways", "/connections/pixels"),
    *(f"/connections/gateways/{{gateway}}/{one}" for one in ("secret", "rotate", "disconnect")),
    *(f"/connections/pixels/{{pixel}}/{one}" for one in ("token", "code", "disconnect")),
]


@pytest.mark.parametrize("role", [MemberRole.OPERATOR, MemberRole.ANALYST])
@pytest.mark.parametrize("path", CHANGES)
async def test_only_owners_change_connections(house: House, role: MemberRole, path: str) -> None:
    browser = await house.browser_of(role=role)
    account = house.world.account
    ids = {"gateway": account.connections["kiwify"].id, "pixel": account.destination.id}
    answer = await browser.submit("/", path.format(**ids), gateway="kiwify", secret="x", token="x")

    assert answer.status == 403
    assert "gateway" not in str(await deeds(house))


async def test_others_see_how_it_stands_and_analysts_no_address(house: House) -> None:
    key = house.world.account.connections["kiwify"].endpoint_key
    page = f"/connections/gateways/{house.world.account.connections['kiwify'].id}"
    operator = await house.browser_of("op@loja.test", MemberRole.OPERATOR)
    analyst = await house.browser_of("an@loja.test", MemberRole.ANALYST)
    seen = [(await one.get(page)).text for one in (operator, analyst)]
    texts = [(await one.get("/connections")).text for one in (operator, analyst)]

    assert [key in text for text in seen] == [True, False]
    assert ["<form" in text.split("<main")[1] for text in (*seen, *texts)] == [False] * 4
    assert all("esperando o primeiro aviso" in text for text in seen)


async def test_another_tenants_connections_are_not_there(house: House) -> None:
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    mine = house.world.account
    gateway = f"/connections/gateways/{mine.connections['kiwify'].id}"
    pixel = f"/connections/pixels/{mine.destination.id}"
    answers = [await browser.get(gateway), await browser.get(pixel)]
    deeds = [
        *(f"{gateway}/{one}" for one in ("secret", "rotate", "disconnect")),
        *(f"{pixel}/{one}" for one in ("token", "code", "disconnect", "ask", "test")),
    ]
    fields = {"secret": SECRET, "token": PIXEL_TOKEN, "test_event_code": "T1"}
    answers += [await browser.submit("/", deed, **fields) for deed in deeds]

    assert {one.status for one in answers} == {404}
    assert mine.destination.pixel_id not in (await browser.get("/connections")).text


async def test_who_has_meta_asked_too_often_waits_and_meta_is_not_asked(
    fresh_database_url: str, serve: "Serve"
) -> None:
    meta = make_meta()
    few = Throttle(rate=0.001, burst=2)
    async with open_house(
        fresh_database_url, serve, None, meta_url=await serve(meta), platform_asks=few
    ) as house:
        browser = await house.browser_of()
        made = await browser.submit(
            "/connections", "/connections/pixels", pixel_id=PIXEL, token=TOKEN
        )
        asked = await browser.submit(made.to, f"{made.to}/ask")
        before = meta.summary()
        refused = [
            await browser.submit(made.to, f"{made.to}/ask"),
            await browser.submit(made.to, f"{made.to}/token", token=TOKEN),
            await browser.submit(made.to, f"{made.to}/test", test_event_code="TEST777"),
            await browser.submit("/connections", "/connections/pixels", pixel_id="7", token="x"),
        ]

        assert (303, 303) == (made.status, asked.status)
        assert [429] * 4 == [one.status for one in refused]
        assert "Tentativas demais em pouco tempo" in refused[0].text
        assert before == meta.summary()
        assert 200 == (await browser.get(made.to)).status
