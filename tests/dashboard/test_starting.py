"""Get started: each step by what there is, each failure really happening, and who may."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from tests.dashboard.conftest import Browser, House, open_house
from tests.dashboard.test_connections import ADDRESS
from tests.support.outside import PIXEL, TOKEN, Outside, make_meta, open_outside
from tests.support.sending import dispatcher_of
from tests.support.world import SECRET
from tests.tracker.test_public_web import Site, near

from trackai.cli.practice import Practice
from trackai.dashboard.progress import STEPS
from trackai.dashboard.starting import PARTS
from trackai.dashboard.words import say
from trackai.ingest.throttle import Throttle
from trackai.model.access import MemberRole
from trackai.model.clock import new_id
from trackai.storage.audit_logs import list_audit
from trackai.tracker.public_web import PublicWeb

if TYPE_CHECKING:
    from tests.conftest import Serve

AT_META = "update destinations set api_url = null where tenant_id = $1"
STATES = re.compile(r'<a href="/start/(\w+)"><strong>.*?<span class="state (\w+)">', re.DOTALL)


@dataclass
class Stage:
    """A tenant with nothing, and everything that it is to be connected to."""

    house: House
    outside: Outside
    site: Site
    site_url: str

    @property
    def tenant_id(self) -> UUID:
        """Return whose steps they are."""
        return self.house.world.account.tenant.id

    async def done(self, browser: Browser) -> set[str]:
        """Return the steps that the overview shows as done."""
        found = STATES.findall((await browser.get("/start")).text)
        assert [step for step, _ in found] == [*STEPS]
        return {step for step, state in found if state == "good"}

    async def work(self) -> None:
        """Do what workers do: match what came in, and send it."""
        await self.house.world.work()
        async with dispatcher_of(self.house.world) as dispatcher:
            await dispatcher.step()
            await dispatcher.finish()


class Later:
    """Stand-ins of platforms at an edge that is there only later."""

    def __init__(self) -> None:
        self.practice: Practice | None = None

    @property
    def gateways(self) -> list[str]:
        return ["kiwify", "hotmart"]

    async def sell(self, sale: object) -> bool:
        assert self.practice is not None
        return await self.practice.sell(sale)  # type: ignore[arg-type]


@asynccontextmanager
async def open_stage(url: str, serve: "Serve", **tools: object) -> AsyncIterator[Stage]:
    """Open pages for a tenant that has set nothing up yet."""
    meta, site, later = make_meta(), Site(), Later()
    site_url = await serve(site)
    given = {"meta_url": await serve(meta), "practice": later, "web": near(), **tools}
    async with open_house(url, serve, None, **given) as house:
        house.world.account = await house.world.open_account("Nova", bare=True)
        async with open_outside(house.world, serve, meta) as outside:
            later.practice = Practice(outside.edge_url, house.world.clock, new_id)
            yield Stage(house, outside, site, site_url)


@pytest.fixture
async def stage(fresh_database_url: str, serve: "Serve") -> AsyncIterator[Stage]:
    """Yield a tenant that has set nothing up yet, near a sandbox."""
    async with open_stage(fresh_database_url, serve) as made:
        yield made


async def set_up_gateway(browser: Browser, gateway: str = "kiwify") -> str:
    """Take the steps of funnel and platform; return the webhook address."""
    await browser.submit("/start/funnel", "/start/funnel", name="Lançamento")
    made = await browser.submit("/start/gateway", "/start/gateway", gateway=gateway)
    found = ADDRESS.search((await browser.get(made.to)).text)
    assert found
    of = made.to.partition("of=")[2]
    await browser.submit(made.to, "/start/gateway/secret", of=of, secret=SECRET)
    return found[1]


async def set_up_pixel(browser: Browser) -> str:
    """Take the step of the pixel; return its id."""
    made = await browser.submit("/start/pixel", "/start/pixel", pixel_id=PIXEL, token=TOKEN)
    assert made.status == 303
    return made.to.partition("of=")[2]


async def test_from_nothing_to_a_test_sale_at_meta(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    home = (await browser.get("/")).text
    seen = [await stage.done(browser)]
    address = await set_up_gateway(browser)
    seen.append(await stage.done(browser))
    await stage.outside.send_until(200, address, SECRET)
    seen.append(await stage.done(browser))
    await set_up_pixel(browser)
    seen.append(await stage.done(browser))
    await stage.house.world.click("c1", fbclid="IwAR0abc")
    seen.append(await stage.done(browser))
    sold = await browser.submit("/start/sale", "/start/sale", of=await connection_of(browser))
    await stage.work()
    seen.append(await stage.done(browser))
    story = (await browser.get("/start/sale")).text

    assert "0 de 5 passos" in home
    assert sold.status == 303
    assert seen == [
        *(set(), {"funnel"}, {"funnel", "gateway"}, {"funnel", "gateway", "pixel"}),
        *({*STEPS} - {"sale"}, {*STEPS}),
    ]
    assert "a Meta recebeu" in story
    assert "Código do clique" in story
    assert "hx-trigger" not in story
    assert "passos feitos" not in (await browser.get("/")).text
    assert "Tudo está conectado" in (await browser.get("/start")).text
    assert stage.outside.meta.accepted()


async def test_what_a_step_does_not_show_is_not_read_for_it(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    await set_up_gateway(browser)
    await set_up_pixel(browser)
    owner = await asyncpg.connect(stage.house.world.url)
    await owner.execute("update destinations set token_sealed = 'x'")
    await owner.close()
    part = {"HX-Request": "true"}
    shown = [(await browser.get(f"/start/{step}", **part)).status for step in PARTS]

    assert [*PARTS] == ["gateway", "tag", "sale"]
    assert shown == [200, 200, 200]
    assert (await browser.get("/start/gateway")).status == 200
    assert (await browser.get("/start/pixel")).status == 500


async def connection_of(browser: Browser) -> str:
    """Return the id of the platform that the last step offers first."""
    found = re.search(r'<option value="([0-9a-f-]{36})"', (await browser.get("/start/sale")).text)
    assert found
    return found[1]


async def test_the_platforms_page_says_why_until_it_turns_green(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    address = await set_up_gateway(browser, "hotmart")
    part = {"HX-Request": "true"}
    waiting = (await browser.get("/start/gateway", **part)).text
    assert await stage.outside.send(address, "another-hottok") == 401
    wrong = (await browser.get("/start/gateway", **part)).text
    await stage.outside.send_until(200, address, SECRET)
    right = (await browser.get("/start/gateway", **part)).text

    assert ("esperando o primeiro aviso" in waiting, "hx-trigger" in waiting) == (True, True)
    assert "o segredo guardado aqui não é o da plataforma" in wrong
    assert "signature_mismatch" in wrong
    assert "ficam guardados por 3 dias" in wrong
    assert ("funcionando" in right, "hx-trigger" in right) == (True, False)


@pytest.mark.parametrize("gateway", ["perfectpay", "hotmart", "kiwify", "stripe", "cakto"])
@pytest.mark.parametrize("language", ["pt", "en"])
async def test_each_platform_has_its_instructions_and_picture(
    stage: Stage, gateway: str, language: str
) -> None:
    browser = await stage.house.browser_of()
    await browser.submit("/account", "/account/language", language=language)
    made = await browser.submit("/start/gateway", "/start/gateway", gateway=gateway)
    text = (await browser.get(made.to)).text
    picture = re.search(r'<img src="(/static/[^"]+\.svg)" width="640"', text)
    assert picture

    assert (await browser.get(picture[1])).headers["Content-Type"] == "image/svg+xml"
    assert len(re.findall("<li>", text.split('<figure class="picture"')[1])) > 5
    assert "**" not in text.split("<main")[1]


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/start/funnel", {"name": " "}, "nome de até 200"),
        ("/start/pixel", {"pixel_id": PIXEL, "token": "EAAunknown"}, "A Meta não aceita"),
        ("/start/pixel", {"pixel_id": "x", "token": TOKEN}, "só algarismos"),
    ],
)
async def test_what_cannot_be_is_said_on_the_step(
    stage: Stage, path: str, fields: dict[str, str], said: str
) -> None:
    browser = await stage.house.browser_of()
    answer = await browser.submit(path, path, **fields)

    assert (answer.status, said in answer.text) == (422, True)
    assert await stage.done(browser) == set()


async def test_a_funnel_of_the_same_name_is_not_made_twice(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    first = await browser.submit("/start/funnel", "/start/funnel", name="A")
    second = await browser.submit("/start/funnel", "/start/funnel", name="A")

    assert (first.to, second.status) == ("/start/gateway", 422)
    assert "Já há um funil com este nome" in second.text


async def test_a_pixels_token_is_mended_and_a_test_event_sent(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    stage.outside.meta.add_token("EAAsecond", datasets=[PIXEL])
    of = await set_up_pixel(browser)
    sent = await browser.submit("/start/pixel", "/start/pixel/test", of=of, test_event_code="TEST5")
    bad = await browser.submit("/start/pixel", "/start/pixel/token", of=of, token="EAAwrong")
    good = await browser.submit("/start/pixel", "/start/pixel/token", of=of, token="EAAsecond")
    (event,) = stage.outside.meta.test_events("TEST5")

    assert "com o código TEST5" in sent.text
    assert event.event_name == "TrackAITest"
    assert (bad.status, good.status) == (422, 303)


PAGES = {
    "/with": (
        '<script async src="/t.js" data-site-key="{key}"></script>',
        "A linha está na página",
    ),
    "/without": ("<p>Curso</p>", "não está nesta página"),
    "/other": ('<script src="/t.js" data-site-key="site_other"></script>', "de outra conta"),
    "/none": (None, "não respondeu com uma página"),
}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_looked_at_for_the_script(stage: Stage, path: str) -> None:
    html, said = PAGES[path]
    if html is not None:
        stage.site.put(path, html.format(key=stage.house.world.account.tenant.site_key))
    browser = await stage.house.browser_of()
    shown = await browser.submit("/start/tag", "/start/tag", address=stage.site_url + path)

    assert said in shown.text
    assert await stage.done(browser) == set()


async def test_the_tag_that_is_shown_is_this_accounts(stage: Stage) -> None:
    text = (await (await stage.house.browser_of()).get("/start/tag")).text
    key = stage.house.world.account.tenant.site_key

    assert f"https://track.loja.test/t.js&#34; data-site-key=&#34;{key}" in text


async def test_a_page_that_is_not_public_is_not_looked_at(
    fresh_database_url: str, serve: "Serve"
) -> None:
    async with open_stage(fresh_database_url, serve, web=PublicWeb(any_port=True)) as stage:
        browser = await stage.house.browser_of()
        for address in (stage.site_url, "http://localhost/", "http://169.254.169.254/latest"):
            shown = await browser.submit("/start/tag", "/start/tag", address=address)
            assert "Este endereço não é público" in shown.text

        assert stage.site.asked == []


async def test_pages_are_not_looked_at_too_often(fresh_database_url: str, serve: "Serve") -> None:
    few = Throttle(rate=0.0001, burst=2)
    async with open_stage(fresh_database_url, serve, page_checks=few) as stage:
        browser = await stage.house.browser_of()
        shown = [
            await browser.submit("/start/tag", "/start/tag", address=stage.site_url)
            for _ in range(3)
        ]

        assert ["Conferências demais" in one.text for one in shown] == [False, False, True]
        assert len(stage.site.asked) == 2


async def test_a_sale_that_nobody_made_does_not_count_at_a_real_pixel(
    fresh_database_url: str, serve: "Serve"
) -> None:
    async with open_stage(fresh_database_url, serve) as stage:
        browser = await stage.house.browser_of()
        address = await set_up_gateway(browser)
        of = await set_up_pixel(browser)
        async with stage.house.world.people.transaction(tenant_id=stage.tenant_id) as tx:
            await tx.execute(AT_META, stage.tenant_id)
        connection = await connection_of(browser)
        real = await browser.submit("/start/sale", "/start/sale", of=connection)
        coded = await browser.submit(
            "/start/sale", "/start/sale/code", of=of, test_event_code="TEST9"
        )
        tried = await browser.submit("/start/sale", "/start/sale", of=connection)

        assert (real.status, "contaria como venda" in real.text) == (422, True)
        assert say("pt", "connections.done_code") in (await browser.get(coded.to)).text
        assert tried.status == 303
        assert address


async def test_a_test_sale_that_no_pixel_would_get_is_refused_in_words(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    await set_up_gateway(browser)
    answer = await browser.submit("/start/sale", "/start/sale", of=await connection_of(browser))

    assert (answer.status, say("pt", "start.no_pixel_yet") in answer.text) == (422, True)


async def test_a_test_sale_without_a_secret_is_refused_in_words(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    await browser.submit("/start/gateway", "/start/gateway", gateway="kiwify")
    answer = await browser.submit("/start/sale", "/start/sale", of=await connection_of(browser))

    assert (answer.status, "Até lá todo aviso é recusado" in answer.text) == (422, True)


async def test_in_production_the_platforms_own_test_is_told_of(
    fresh_database_url: str, serve: "Serve"
) -> None:
    async with open_stage(fresh_database_url, serve, practice=None) as stage:
        browser = await stage.house.browser_of()
        await set_up_gateway(browser)
        text = (await browser.get("/start/sale")).text
        of = re.search(r"of=([0-9a-f-]{36})", (await browser.get("/start/gateway")).text)
        assert of
        answer = await browser.submit("/start", "/start/sale", of=of[1])

        assert "Mandar venda de teste" not in text
        assert "abra o webhook e use o teste" in text
        assert (answer.status, "Aqui não há venda de teste" in answer.text) == (422, True)


async def test_waiting_ends_after_a_while(stage: Stage) -> None:
    browser = await stage.house.browser_of()
    for step in ("tag", "sale"):
        waits = (await browser.get(f"/start/{step}?left=5", **{"HX-Request": "true"})).text
        over = (await browser.get(f"/start/{step}?left=1", **{"HX-Request": "true"})).text
        assert f'hx-get="/start/{step}?left=4"' in waits
        assert ("hx-get" in over, "não olha mais sozinha" in over) == (False, True)


FORMS = {
    MemberRole.OPERATOR: (
        *("/start/gateway", "/start/gateway/secret", "/start/pixel"),
        *("/start/pixel/token", "/start/sale/code"),
    ),
    MemberRole.ANALYST: (
        *("/start/funnel", "/start/gateway", "/start/gateway/secret", "/start/pixel"),
        *("/start/pixel/token", "/start/sale/code", "/start/pixel/test", "/start/tag"),
        "/start/sale",
    ),
}


@pytest.mark.parametrize(
    ("role", "path"), [(role, path) for role, paths in FORMS.items() for path in paths]
)
async def test_owners_set_up_and_others_see(house: House, role: MemberRole, path: str) -> None:
    browser = await house.browser_of(role=role)
    account = house.world.account
    of = account.destination.id if "pixel" in path else account.connections["kiwify"].id
    fields = {"of": str(of), "name": "A", "gateway": "kiwify", "secret": "x", "token": "x"}
    page = f"/start/{path.split('/')[2]}"

    assert (await browser.get(page)).status == 200
    assert (await browser.submit(page, path, **fields, pixel_id="1", address="x")).status == 403


async def test_analysts_see_the_steps_without_forms(house: House) -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    for step in STEPS:
        assert "<form" not in (await browser.get(f"/start/{step}")).text.split("<main")[1], step


async def test_another_tenants_things_are_no_step_of_mine(house: House) -> None:
    mine, other = house.world.account, await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    gateway, pixel = str(mine.connections["kiwify"].id), str(mine.destination.id)
    answers = [await browser.get(f"/start/gateway?of={gateway}")]
    for path, of in (
        *(("gateway/secret", gateway), ("sale", gateway), ("pixel/token", pixel)),
        *(("pixel/test", pixel), ("sale/code", pixel)),
    ):
        fields = {"secret": SECRET, "token": TOKEN, "test_event_code": "T1"}
        answers.append(await browser.submit("/start", f"/start/{path}", of=of, **fields))

    assert {one.status for one in answers} == {404}
    async with house.world.people.transaction(tenant_id=mine.tenant.id) as tx:
        assert await list_audit(tx, tenant_id=mine.tenant.id, limit=5) == []
