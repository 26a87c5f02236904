"""The script in the engines of Firefox and Safari: what Chromium is asked in full, in short."""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.ground import LANDING, Ground
from tests.support import engines
from tests.support.customer import until
from tests.support.ports import proxy
from tests.support.program import PATIENCE_S, POLL_S
from tests.support.proxy import Line

from trackai.model.identity import email_key, phone_key

if TYPE_CHECKING:
    from tests.browser.conftest import Ports

ENGINES = ("firefox", "webkit")
REQUIRED = "TRACKAI_TEST_ENGINES"
TAGGED = "?fbclid=IwAR0aBc-_x&gclid=Gc+Lid&utm_source=facebook&utm_campaign=Lan%C3%A7amento+1"
# Whatever goes wrong in the page or is said on its console.
WATCH = """
<script>
const wrong = [];
onerror = (message) => { wrong.push(String(message)); };
onunhandledrejection = (event) => { wrong.push(String(event.reason)); };
for (const way of ["log", "info", "warn", "error", "debug"]) {
  console[way] = (...words) => { wrong.push(words.join(" ")); };
}
</script>
"""
KIWIFY = "https://pay.kiwify.com.br/aBcDeF1"
READY = "!!window.trackai && !Array.isArray(window.trackai)"
FORM = """
<form action="/obrigado" data-trackai-lead>
  <input type="email" name="contato" value=" Maria@Example.com ">
  <input name="whatsapp" value="(11) 99999-0000"><button id="send">Quero</button>
</form>
"""


@dataclass
class Journey:
    """A page of the customer's in one engine."""

    ground: Ground
    engine: engines.Engine

    async def visit(self, query: str = "") -> None:
        """Open the landing page and wait until the script is there."""
        await self.engine.open(LANDING + "/" + query)
        await self.wait(READY)

    async def wait(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + PATIENCE_S
        while not await self.engine.run(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            await asyncio.sleep(POLL_S)


@pytest.fixture(params=ENGINES)
async def journey(
    request: pytest.FixtureRequest, ground: Ground, ports: "Ports", tmp_path: Path
) -> AsyncIterator[Journey]:
    package = engines.missing(request.param)
    if package and not os.getenv(REQUIRED):
        pytest.skip(f"no such browser: apt-get install {package}")
    home = tmp_path / request.param
    home.mkdir()
    async with proxy(ports.of) as port, engines.started(request.param, home, port) as engine:
        yield Journey(ground, engine)


async def test_a_visit_becomes_a_sale_matched_by_its_click_id(journey: Journey) -> None:
    ground = journey.ground
    ground.put(WATCH + f'<a id="buy" href="{KIWIFY}?src=insta">Comprar</a>')
    await journey.visit(TAGGED)
    await ground.reported("click")
    await journey.engine.run("history.pushState({}, '', '/passo-2')")
    fbc = await journey.engine.run("document.cookie.match(/_fbc=([^;]*)/)[1]")
    wrong = await journey.engine.run("wrong")
    await journey.engine.click("#buy")
    await until(lambda: bool(ground.site.checkout_visits()), "a visit at a checkout")
    ((_, request),) = ground.site.checkout_visits()
    await ground.reported("initiate_checkout")
    await ground.reported("pageview", 2)
    await ground.sell("kiwify", request.query["s1"])
    (click,) = await ground.clicks()

    assert wrong == []
    assert (click["fbclid"], click["gclid"]) == ("IwAR0aBc-_x", "Gc+Lid")
    assert click["utm_campaign"] == "Lançamento 1"
    assert click["fbc"] == fbc
    assert re.fullmatch(r"fb\.2\.\d{13}\.IwAR0aBc-_x", fbc)
    assert request.query == {"src": "insta", "s1": click["click_id"]}
    assert await ground.matches() == [("click_id", click["click_id"])]
    assert [row["page_url"] for row in await ground.events("pageview")] == [
        f"{LANDING}/",
        f"{LANDING}/passo-2",
    ]


@pytest.mark.parametrize(
    "way",
    [
        '<a id="buy" target="_blank" href="{}">Comprar</a>',
        '<button id="buy" onclick="window.open(\'{}\')">Comprar</button>',
        '<form action="{}"><button id="buy">Comprar</button></form>',
        '<button id="buy" onclick="location.href = \'{}\'">Comprar</button>',
    ],
    ids=["tab", "open", "form", "location"],
)
async def test_every_way_to_a_checkout_carries_the_click(journey: Journey, way: str) -> None:
    ground = journey.ground
    ground.put(WATCH + "<div id=late></div>")
    await journey.visit(TAGGED)
    await ground.reported("click")
    added = json.dumps(way.format(KIWIFY))
    await journey.engine.run(f"void (document.getElementById('late').innerHTML = {added})")
    await journey.engine.click("#buy")
    await until(lambda: bool(ground.site.checkout_visits()), "a visit at a checkout")
    ((_, request),) = ground.site.checkout_visits()
    (click,) = await ground.clicks()

    assert request.query == {"s1": click["click_id"]}


async def test_a_lead_is_hashed_in_the_page(journey: Journey) -> None:
    ground = journey.ground
    ground.put(WATCH + FORM)
    ground.put("", "/obrigado")
    await journey.visit(TAGGED)
    await journey.engine.click("#send")
    await ground.reported("lead")

    assert await ground.identities() == {
        "email": ground.keyed(email_key("maria@example.com")),
        "phone": ground.keyed(phone_key("11 99999-0000")),
    }


async def test_without_consent_nothing_is_stored_or_sent_until_it_is_given(
    journey: Journey,
) -> None:
    ground = journey.ground
    ground.put(WATCH, data_consent="denied")
    await journey.visit(TAGGED)
    await asyncio.sleep(0.5)
    before = await journey.engine.run("[document.cookie, localStorage.length, wrong]")
    clicks_before = await ground.clicks()
    await journey.engine.run("trackai.consent('granted')")
    await ground.reported("click")

    assert (before, clicks_before) == (["", 0, []], [])


async def test_what_could_not_be_sent_is_sent_when_the_network_is_back(journey: Journey) -> None:
    ground = journey.ground
    ground.put(WATCH)
    await journey.visit(TAGGED)
    await ground.reported("click")
    ground.edge_line.set_line(Line.REFUSES)
    await journey.engine.run("void trackai.track('lead', {external_id: 'aluno-7'})")
    await asyncio.sleep(0.5)
    lost = await ground.events("lead")
    ground.edge_line.set_line(Line.PASSES)
    await journey.engine.run("dispatchEvent(new Event('online'))")
    await ground.reported("lead")

    assert lost == []
