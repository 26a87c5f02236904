"""Performance: the stages of the way to Meta, the queue right now, and what was sent over time."""

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from tests.support.sending import open_sender

from trackai.dashboard.words import say
from trackai.model.access import MemberRole

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dashboard.conftest import House

STAGE = re.compile(r'<tr><th scope="row">([^<]+)</th>((?:<td>[^<]*</td>){4})</tr>')


def stages_of(page: str) -> dict[str, list[str]]:
    """Return what the table of stages says."""
    return {name: re.findall(r"<td>([^<]*)</td>", cells) for name, cells in STAGE.findall(page)}


async def test_stages_and_the_queue_are_told(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        await sender.sell()
        house.world.clock.forward(seconds=4)
        await sender.send()
        await sender.sell()
        house.world.clock.forward(minutes=10)
        browser = await house.browser_of(role=MemberRole.ANALYST)
        page = unescape((await browser.get("/performance")).text)
        stages = stages_of(page)

    assert list(stages)[:4] == [say("pt", f"stage.{one}") for one in STAGES]
    # Times are exact to 2 %.
    assert stages["Tudo"][0] in {"3,9 s", "4,0 s", "4,1 s"}
    assert '<p class="value">1</p>' in page.split(say("pt", "performance.waiting"))[1]
    assert '<p class="value">10 min</p>' in page
    assert say("pt", "performance.late_what") in page


STAGES = ("match", "wait", "call", "whole")


async def test_what_waits_for_its_time_is_not_late(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        sender.meta.script_fault("http_500", times=None)
        await sender.sell()
        await sender.send()
        browser = await house.browser_of()
        page = unescape((await browser.get("/performance")).text)

    assert '<p class="value">1</p>' in page.split(say("pt", "performance.waiting"))[1]
    assert say("pt", "performance.on_time") in page


async def test_how_it_ended_is_told_in_words(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        sender.meta.script_fault("http_500", times=1)
        await sender.sell()
        await sender.send()
        house.world.clock.forward(minutes=5)
        await sender.send()
        browser = await house.browser_of()
        page = unescape((await browser.get("/performance")).text)

    assert '<span class="state deferred">de novo depois</span>' in page
    assert '<span class="state accepted">aceito</span>' in page
    assert say("pt", "reason.transient_error") in page


async def test_what_was_given_up_for_good_is_told(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        event = await sender.sell()
        house.world.clock.forward(days=8)
        await sender.send()
        browser = await house.browser_of()
        fields = {"delivery_id": str(event), "why": "teste"}
        await browser.submit(f"/failures/{event}", "/failures/discards", **fields)
        page = unescape((await browser.get("/performance")).text)
        story = unescape((await browser.get(f"/events/{event}")).text)

    assert '<span class="state discarded">descartado</span>' in page
    assert say("pt", "step.discarded") in story


async def test_a_gateway_can_be_looked_at_alone(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        await sender.sell()
        await sender.send()
        browser = await house.browser_of()
        all_of_it = stages_of((await browser.get("/performance?period=7d")).text)
        other = stages_of((await browser.get("/performance?period=7d&gateway=hotmart")).text)

    assert all_of_it["Tudo"][0] != "–"  # noqa: RUF001 - a dash
    assert set(other["Tudo"]) == {"–"}  # noqa: RUF001 - a dash


async def test_a_part_is_asked_for_alone(house: "House") -> None:
    browser = await house.browser_of()
    part = await browser.get("/performance?gateway=kiwify", **{"HX-Request": "true"})

    assert part.status == 200
    assert "<html" not in part.text
    assert say("pt", "performance.stages") in part.text
    assert say("pt", "performance.quiet") in part.text


@pytest.mark.parametrize("query", ["gateway=paypal", "from=yesterday", "period=x"])
async def test_what_cannot_be_is_said_and_the_page_stays(house: "House", query: str) -> None:
    browser = await house.browser_of()
    page = await browser.get(f"/performance?{query}")

    assert (page.status, page.text.count('role="alert"')) == (200, 1)
    assert say("pt", "performance.stages") in page.text


async def test_another_tenants_queue_is_not_seen(house: "House", serve: "Serve") -> None:
    async with open_sender(house.world, serve) as sender:
        await sender.sell()
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    page = (await browser.get("/performance")).text

    assert '<p class="value">0</p>' in page.split(say("pt", "performance.waiting"))[1]
