"""Thresholds on the page of alarms: which counts, an account's own, and back to the usual one."""

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from tests.dashboard.test_alarms import fire

from trackai.alarms.choices import Choices
from trackai.dashboard.thresholds import number_of
from trackai.errors import InvalidField
from trackai.model.access import MemberRole
from trackai.model.alarm import INSTALLATION, Limits
from trackai.model.clock import new_id
from trackai.storage.alarm_choices import load_limits_all_tenants
from trackai.storage.audit_logs import Scribe, list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import House

OWN = "/alarms/dlq_depth/threshold"
END = f"{OWN}/end"


def told(page: str, alarm: str = "Eventos não entregues se acumulam") -> str:
    """Return what the page says of an alarm's threshold."""
    listed = unescape(page).replace("\xa0", " ").split('id="thresholds"')[1]
    found = listed.split(f"<strong>{alarm}</strong>")[1].split("</span>")[0]
    return " ".join(re.sub(r"<[^>]+>", "", found).split())


async def limits_of(house: "House") -> Limits | None:
    async with house.world.workers.transaction() as tx:
        found = await load_limits_all_tenants(tx)
    return found.get((house.world.account.tenant.id, "dlq_depth"))


async def deeds(house: "House") -> list[Any]:
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        found = await list_audit(tx, tenant_id=tenant_id, limit=50)
    return [one["details"] for one in reversed(found) if one["action"] == "alarm.threshold"]


async def test_an_account_has_a_threshold_of_its_own_and_gives_it_up(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    usual = told((await browser.get("/alarms")).text)
    chosen = await browser.submit("/alarms", OWN, threshold="500")
    own, kept = told((await browser.get("/alarms")).text), await limits_of(house)
    one = told((await browser.get("/alarms/dlq_depth")).text)
    ended = await browser.submit("/alarms", END)
    after = told((await browser.get("/alarms")).text)

    assert usual == (
        "Toca com mais de 100 eventos, se durar 30 minutos; termina com 90 eventos ou menos."
        " limite de costume"
    )
    assert (chosen.status, chosen.to, ended.status) == (303, "/alarms#thresholds", 303)
    assert own.startswith(
        "Toca com mais de 500 eventos, se durar 30 minutos; termina com 450 eventos ou menos."
        " limite desta conta, Ana Souza, "
    )
    assert (kept, one) == (Limits(500, 450), own)
    assert (await limits_of(house), after) == (None, usual)
    assert await deeds(house) == [{"threshold": 500}, {"threshold": None}]


async def test_the_table_shows_the_threshold_that_counts(house: "House") -> None:
    await fire(house)
    browser = await house.browser_of()
    await browser.submit("/alarms", OWN, threshold="120,5")
    page = unescape((await browser.get("/alarms")).text)

    assert "<td>137 eventos</td><td>120,5 eventos</td>" in page


async def test_what_the_installation_says_counts_for_who_says_nothing(house: "House") -> None:
    world = house.world
    scribe = Scribe(INSTALLATION, "cli:op", world.clock, new_id)
    operator = Choices(world.people, world.envelope, world.clock, new_id, scribe)
    await operator.set_threshold("dlq_depth", 7)
    browser = await house.browser_of()
    page = (await browser.get("/alarms")).text
    await browser.submit("/alarms", OWN, threshold="9")
    own = (await browser.get("/alarms")).text
    await browser.submit("/alarms", END)

    assert "com mais de 7 eventos" in told(page)
    assert told(page).endswith("limite desta instalação")
    assert END not in page
    assert "com mais de 9 eventos" in told(own)
    assert "com mais de 7 eventos" in told((await browser.get("/alarms")).text)


@pytest.mark.parametrize("wrong", ["", "muitos", "-1", "1e9", "1.000.000", "nan", "٣"])
async def test_what_is_no_threshold_is_refused_in_words(house: "House", wrong: str) -> None:
    browser = await house.browser_of()
    refused = await browser.submit("/alarms", OWN, threshold=wrong)

    assert refused.status == 422
    assert "Escreva um limite em algarismos" in refused.text
    assert await limits_of(house) is None


async def test_what_was_chosen_is_in_the_field_as_it_may_be_sent_again(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.OPERATOR)
    await browser.submit("/alarms", OWN, threshold="12345678.5")
    shown = (await browser.get("/alarms")).text
    field = shown.split(f'action="{OWN}"')[1].split('value="12345678.5"')[0]

    assert "</form>" not in field


async def test_a_percentage_is_at_most_all_of_it(house: "House") -> None:
    browser = await house.browser_of()
    refused = await browser.submit("/alarms", "/alarms/webhook_success/threshold", threshold="101")
    taken = await browser.submit("/alarms", "/alarms/webhook_success/threshold", threshold="99.5")
    page = (await browser.get("/alarms")).text

    assert (refused.status, "vai até 100" in refused.text) == (422, True)
    assert taken.status == 303
    assert told(page, "Webhooks com falha").startswith(
        "Toca com menos de 99,5%, se durar 1 minuto; termina com 100% ou mais."
    )


async def test_of_yes_or_no_there_is_no_number_to_choose(house: "House") -> None:
    page = (await (await house.browser_of()).get("/alarms")).text

    assert told(page, "Eventos retidos").startswith("Toca quando acontece, se durar 3 minutos.")
    assert 'action="/alarms/breaker_open/threshold"' not in page


async def test_an_alarm_of_the_installation_is_not_an_accounts(house: "House") -> None:
    browser = await house.browser_of()
    one = await browser.get("/alarms/cpu_busy")
    refused = await browser.submit("/alarms", "/alarms/cpu_busy/threshold", threshold="5")
    unknown = await browser.submit("/alarms", "/alarms/nothing/threshold", threshold="5")

    assert 'id="thresholds"' not in one.text
    assert (refused.status, "é da instalação" in refused.text) == (422, True)
    assert unknown.status == 404


async def test_an_analyst_sees_thresholds_and_changes_none(house: "House") -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    page = (await browser.get("/alarms")).text
    refused = await browser.submit("/account", OWN, threshold="500")
    meant = await browser.post(OWN, threshold="500")

    assert "com mais de 100 eventos" in told(page)
    assert "Guardar limite" not in page
    assert (refused.status, meant.status) == (403, 403)
    assert await limits_of(house) is None


async def test_no_other_page_changes_a_threshold(house: "House") -> None:
    browser = await house.browser_of()
    without = await browser.post(OWN, threshold="500")
    browser.origin = "https://evil.test"
    foreign = await browser.submit("/alarms", OWN, threshold="500")

    assert (without.status, foreign.status) == (403, 403)
    assert await limits_of(house) is None


def test_numbers_are_read_as_people_write_them() -> None:
    assert [number_of(one) for one in ("0", " 12 ", "0,5", "99.5")] == [0.0, 12.0, 0.5, 99.5]
    for wrong in ("1,2,3", "+1", "0x1", "1_000", "12345678901234", "0,12345678901", "²"):
        with pytest.raises(InvalidField):
            number_of(wrong)
