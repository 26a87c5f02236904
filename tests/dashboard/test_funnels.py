"""The page of funnels: what each brought, when it was last heard of, its name and its tag."""

import asyncio
import datetime as dt
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from trackai.accounts.onboarding import Onboarding
from trackai.dashboard.formats import NOTHING
from trackai.dashboard.words import say
from trackai.housekeeping.rollups import Folder
from trackai.model.access import MemberRole
from trackai.model.click import AdIdentifiers, Click, Utm, Visitor
from trackai.model.clock import new_id
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.audit_logs import list_audit
from trackai.storage.clicks import insert_clicks

if TYPE_CHECKING:
    from uuid import UUID

    from tests.dashboard.conftest import House


async def made(house: "House", name: str = "Mentoria") -> "UUID":
    """Create another funnel; return its id."""
    world = house.world
    onboarding = Onboarding(world.people, world.envelope, world.clock, new_id)
    return (await onboarding.create_funnel(world.account.tenant.id, name)).id


async def visit(house: "House", funnel: "UUID") -> None:
    """Click on an ad that leads to a page of this funnel."""
    world = house.world
    click = Click(
        tenant_id=world.account.tenant.id,
        click_id="of-funnel",
        received_at=world.clock.now(),
        ads=AdIdentifiers(),
        utm=Utm(),
        visitor=Visitor(),
        funnel_id=funnel,
    )
    async with world.edge.transaction() as tx:
        await insert_clicks(tx, world.envelope, [click])


def rows(page: str) -> dict[str, list[str]]:
    """Return the cells of each funnel."""
    found = re.findall(r'<a href="#funnel-[^"]+">([^<]+)</a></th>(.*?)</tr>', page, re.DOTALL)
    return {
        name: [one.replace("\xa0", " ") for one in re.findall(r"<td>([^<]*)</td>", cells)]
        for name, cells in found
    }


async def test_two_people_give_one_name_at_the_same_moment(house: "House") -> None:
    browser = await house.browser_of()
    ids = [await made(house, name) for name in ("Mentoria", "Clube", "Comunidade")]
    renamed = await asyncio.gather(
        *(browser.submit("/funnels", f"/funnels/{one}/name", name="Um só") for one in ids)
    )
    created = await asyncio.gather(
        *(browser.submit("/funnels", "/funnels", name="Outro só") for _ in range(3))
    )

    for answers in (renamed, created):
        assert sorted(one.status for one in answers) == [303, 422, 422]
        refused = next(one for one in answers if one.status == 422)
        assert say("pt", "start.funnel_taken") in unescape(refused.text)


@pytest.mark.parametrize("folded", [False, True])
async def test_each_funnel_tells_what_it_brought_and_when(house: "House", *, folded: bool) -> None:
    world, mentoring = house.world, await made(house)
    world.clock.forward(hours=1)
    await visit(house, mentoring)
    await world.click("c2", ago=dt.timedelta(minutes=5))
    clicked = world.clock.now()
    # On the hour: how long minutes are kept is the database's clock's to say.
    world.clock.forward(hours=1)
    await world.tell("kiwify", world.sale("kiwify", amount_minor=19_700), SaleStatus.APPROVED)
    sold = world.clock.now()
    if folded:
        await Folder(world.workers, world.clock).step()
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = unescape((await browser.get("/funnels?period=30d")).text)
    told = rows(page)

    assert told["Mentoria"][:3] == ["1", "0", NOTHING]
    assert told["Mentoria"][3].endswith(local(clicked))
    assert told["Mentoria"][4] == NOTHING
    assert told[world.account.funnel.name][1:3] == ["1", "R$ 197,00"]
    assert told[world.account.funnel.name][4].endswith(local(sold))
    assert say("pt", "funnels.astray", number="1") in page


def local(moment: dt.datetime) -> str:
    return moment.astimezone(dt.timezone(dt.timedelta(hours=-3))).strftime("%H:%M")


async def test_a_funnel_is_created_renamed_and_written_down(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    done = await browser.submit("/funnels", "/funnels", name=" Mentoria ")
    page = (await browser.get("/funnels")).text
    funnel = page.split('">Mentoria</a>')[0].rpartition("#funnel-")[2]
    path = f"/funnels/{funnel}/name"
    renamed = await browser.submit("/funnels", path, name="Mentoria 2027")
    told = rows(unescape((await browser.get("/funnels")).text))
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        deeds = await list_audit(tx, tenant_id=tenant_id, limit=2)

    assert (done.status, renamed.status) == (303, 303)
    assert "Mentoria 2027" in told
    assert "Mentoria" not in told
    assert [one["action"] for one in deeds] == ["funnel.change", "funnel.create"]
    assert all(str(one["actor"]).startswith("user:") for one in deeds)
    assert deeds[0]["details"]["now"]["name"] == "Mentoria 2027"


async def test_a_name_that_cannot_be_is_said(house: "House") -> None:
    browser = await house.browser_of()
    funnel, other = house.world.account.funnel, await made(house)
    blank = await browser.submit("/funnels", "/funnels", name=" ")
    taken = await browser.submit("/funnels", "/funnels", name=funnel.name)
    renamed = await browser.submit("/funnels", f"/funnels/{other}/name", name=funnel.name)
    same = await browser.submit("/funnels", f"/funnels/{other}/name", name="Mentoria")

    assert [one.status for one in (blank, taken, renamed, same)] == [422, 422, 422, 303]
    assert say("pt", "connections.bad_name") in blank.text
    assert say("pt", "start.funnel_taken") in taken.text
    assert say("pt", "start.funnel_taken") in renamed.text


async def test_analysts_only_look(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = (await browser.get("/funnels")).text
    path = f"/funnels/{house.world.account.funnel.id}/name"

    assert say("pt", "funnels.who") in page
    assert 'method="post" action="/funnels' not in page
    assert (await browser.submit("/", "/funnels", name="x")).status == 403
    assert (await browser.submit("/", path, name="x")).status == 403


async def test_a_funnel_leads_to_its_pages_its_connections_and_its_tag(house: "House") -> None:
    world, mentoring = house.world, await made(house)
    browser = await house.browser_of()
    page = unescape((await browser.get("/funnels")).text)
    own = (await browser.get(f"/connections?funnel={world.account.funnel.id}")).text
    none = (await browser.get(f"/connections?funnel={mentoring}")).text

    for path in ("conversions", "campaigns", "events", "match-rate"):
        assert f"/{path}?period=30d&funnel={mentoring}" in page
    assert f'data-funnel="{mentoring}"' in page
    assert own.count("/connections/gateways/") > none.count("/connections/gateways/")
    assert "Mentoria" in none


async def test_another_tenants_funnel_is_not_renamed(house: "House") -> None:
    mine = house.world.account
    other = await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    path = f"/funnels/{mine.funnel.id}/name"

    assert (await browser.submit("/funnels", path, name="Roubado")).status == 404
    assert str(mine.funnel.id) not in (await browser.get("/funnels")).text
