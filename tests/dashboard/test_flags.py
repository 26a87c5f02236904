"""The page of flags: members see what is off for them, the installation's operators change it."""

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from tests.support.flags import Panel

from trackai.gateways.registry import gateways
from trackai.matching.process import ReceiptProcessor
from trackai.model.access import MemberRole
from trackai.model.alarm import INSTALLATION
from trackai.model.flag import OffMode
from trackai.sandbox.platforms import SaleStatus, platform
from trackai.storage.audit_logs import list_audit
from trackai.storage.feature_flags import list_flags_all_tenants

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

    from trackai.model.flag import FlagSet

KIWIFY, META = "gateway.kiwify", "destination.meta"
DEEDS = ("/flags/everybody", "/flags/everybody/kill", "/flags/everybody/revive", "/flags/account")


async def flags(house: "House") -> "list[FlagSet]":
    async with house.world.workers.transaction() as tx:
        return await list_flags_all_tenants(tx)


def told(page: str, key: str = KIWIFY) -> str:
    """Return what the page says of a flag."""
    found = unescape(page).split(f'id="{key.replace(".", "-")}">')[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


async def hold(house: "House", panel: Panel) -> None:
    """Let a webhook of Kiwify wait."""
    world = house.world
    said = platform("kiwify", "whsec").notices(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", *said)
    worker = ReceiptProcessor(world.workers, world.tools(), gateways(), panel.switches())
    while await worker.step():
        pass


@pytest.mark.parametrize("role", MemberRole)
async def test_members_see_what_is_off_for_them_and_nothing_to_change(
    house: "House", role: MemberRole
) -> None:
    panel, browser = Panel(house.world), await house.browser_of(role=role)
    before = told((await browser.get("/flags")).text)
    await panel.say(KIWIFY, 0, account=house.world.account)
    await hold(house, panel)
    page = (await browser.get("/flags")).text

    assert before == "Kiwify ligado Os avisos são processados assim que chegam."
    assert told(page) == (
        "Kiwify desligado Desligado por enquanto. Os avisos continuam sendo recebidos e guardados; "
        "são processados quando religar, e nenhuma venda se perde. Esperando por isso: 1. "
        "O mais antigo é de 23/11/2026 09:00."
    )
    assert told(page, META) == "Meta ligado Os eventos são enviados assim que surgem."
    assert "/flags/" not in page
    assert "Só quem opera o Track AI muda isto." in page


async def test_how_many_have_it_is_not_for_members_to_know(house: "House") -> None:
    panel, browser = Panel(house.world), await house.browser_of()
    await panel.say(KIWIFY, 37)

    assert "37" not in told((await browser.get("/flags")).text)


@pytest.mark.parametrize("role", MemberRole)
@pytest.mark.parametrize("path", DEEDS)
async def test_no_member_changes_a_flag(house: "House", role: MemberRole, path: str) -> None:
    browser = await house.browser_of(role=role)
    fields = {"key": KIWIFY, "percent": "0", "choice": "off", "off_mode": "store"}

    assert 403 == (await browser.submit("/", path, **fields)).status
    assert [] == await flags(house)


async def test_an_operator_turns_it_off_for_the_account_in_view_and_on_again(
    house: "House",
) -> None:
    other, browser = await house.world.open_account("Outra"), await house.operator()
    await browser.submit("/", "/tenant", tenant_id=str(other.tenant.id))
    own = {"key": KIWIFY, "off_mode": "reject"}
    off = await browser.submit("/flags", "/flags/account", choice="off", **own)
    page = told((await browser.get("/flags")).text)
    (said,) = await flags(house)
    await browser.submit("/flags", "/flags/account", choice="same", **own)
    async with house.world.people.transaction(tenant_id=other.tenant.id) as tx:
        deeds = await list_audit(tx, tenant_id=other.tenant.id, limit=5)
    log = (await browser.get("/audit")).text

    assert (303, "/flags") == (off.status, off.to)
    assert "Kiwify desligado Desligado por enquanto. Os avisos não são recebidos" in page
    assert (other.tenant.id, 0, OffMode.REJECT) == (
        said.tenant_id,
        said.rule.percent,
        said.rule.off_mode,
    )
    assert [] == await flags(house)
    assert ["flag.clear", "flag.set"] == [one["action"] for one in deeds][:2]
    assert {said.set_by} == {one["actor"] for one in deeds}
    assert "ligou ou desligou algo" in log


async def test_an_operator_lets_a_part_have_it_and_pulls_the_kill_switch(house: "House") -> None:
    browser, panel = await house.operator(), Panel(house.world)
    for_all = {"key": KIWIFY, "off_mode": "store"}
    await browser.submit("/flags", "/flags/everybody", percent="30", **for_all)
    part = [one.rule.percent for one in await flags(house)]
    await browser.submit("/flags", "/flags/everybody/kill", key=KIWIFY)
    killed = told((await browser.get("/flags")).text)
    await browser.submit("/flags", "/flags/everybody/revive", key=KIWIFY)
    (after,) = await flags(house)
    details = [one["details"] for one in await panel.deeds(INSTALLATION)]

    assert [30] == part
    assert "Desligado para todos pela chave geral" in killed
    assert "Acabar com o desligamento para todos" in killed
    assert (INSTALLATION, 30, False) == (after.tenant_id, after.rule.percent, after.rule.killed)
    assert [(None, 30, False), (30, 30, True), (30, 30, False)] == [
        ((one["old"] or {}).get("percent"), one["new"]["percent"], one["new"]["killed"])
        for one in details
    ]


@pytest.mark.parametrize(
    ("path", "fields", "status", "says"),
    [
        ("/flags/everybody", {"percent": "101"}, 422, "um número inteiro de 0 a 100"),
        ("/flags/everybody", {"percent": "1.5"}, 422, "um número inteiro de 0 a 100"),
        ("/flags/everybody", {"percent": "٣"}, 422, "um número inteiro de 0 a 100"),
        ("/flags/everybody", {"percent": "0", "key": META, "off_mode": "reject"}, 422, "recusados"),
        ("/flags/account", {"choice": "perhaps"}, 422, "um número inteiro de 0 a 100"),
        ("/flags/everybody/kill", {"key": "gateway.nowhere"}, 404, ""),
        ("/flags/account", {"choice": "off", "off_mode": "burn"}, 404, ""),
    ],
)
async def test_nonsense_changes_nothing(
    house: "House", path: str, fields: dict[str, str], status: int, says: str
) -> None:
    browser = await house.operator()
    answer = await browser.submit("/flags", path, **{"key": KIWIFY, **fields})

    assert status == answer.status
    assert says in unescape(answer.text)
    assert [] == await flags(house)


async def test_a_form_of_elsewhere_pulls_no_switch(house: "House") -> None:
    browser = await house.operator()
    unproved = await browser.post("/flags/everybody/kill", key=KIWIFY)
    browser.origin = "https://elsewhere.test"

    assert 403 == unproved.status
    assert 403 == (await browser.post("/flags/everybody/kill", key=KIWIFY)).status
    assert [] == await flags(house)


async def test_connections_say_what_is_off_and_how_much_waits(house: "House") -> None:
    world, panel = house.world, Panel(house.world)
    browser = await house.browser_of()
    quiet = (await browser.get("/connections")).text
    await panel.say(KIWIFY, 0)
    await hold(house, panel)
    page = unescape((await browser.get("/connections")).text)
    (kiwify,) = [one for one in page.split("<section") if "Kiwify <span" in one]
    (hotmart,) = [one for one in page.split("<section") if "Hotmart <span" in one]
    (pixel,) = [one for one in page.split("<section") if world.account.destination.pixel_id in one]

    assert "Desligado por enquanto" not in quiet
    assert "Os avisos continuam sendo recebidos e guardados" in kiwify
    assert "Esperando por isso: 1." in kiwify
    assert "Esperando" not in hotmart + pixel


async def test_the_page_is_in_the_readers_language(house: "House") -> None:
    browser = await house.browser_of()
    await browser.submit("/account", "/account/language", language="en")
    page = (await browser.get("/flags")).text

    assert "On and off" in page
    assert "Notices are worked on as they come." in page
