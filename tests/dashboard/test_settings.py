"""Settings: what is changed is as by command, what cannot be is said beside its field."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.analytics.test_rezoning import rezoner_of
from tests.housekeeping.test_retention import retention_of

from trackai.housekeeping.retention import SETTLED
from trackai.model.access import MemberRole
from trackai.storage import tenants
from trackai.storage.audit_logs import list_audit

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

    from trackai.model.tenant import Tenant

PART = {"HX-Request": "true"}


async def tenant_of(house: "House") -> "Tenant":
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        found = await tenants.find_tenant(tx, tenant_id)
    assert found is not None
    return found


async def deeds(house: "House") -> list[tuple[object, object]]:
    """Return what was done to the tenant, oldest first, signing in left out."""
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        known = await list_audit(tx, tenant_id=tenant_id, limit=50)
    told = [(one["action"], one["details"]) for one in reversed(known)]
    return [one for one in told if str(one[0]).startswith(("tenant.", "funnel."))]


async def days_of(house: "House") -> int | None:
    tenant_id = house.world.account.tenant.id
    async with house.world.people.transaction(tenant_id=tenant_id) as tx:
        return await tenants.find_keeping(tx, tenant_id=tenant_id)


async def send(browser: "Browser", what: str, **fields: str) -> Any:
    return await browser.submit("/settings", f"/settings/{what}", **fields)


async def test_name_and_currency_are_changed_and_written_down(house: "House") -> None:
    browser = await house.browser_of()
    answer = await send(browser, "account", name=" Café School ", currency="usd")
    again = await send(browser, "account", name="Café School", currency="USD")
    page = await browser.get(answer.to)
    tenant = await tenant_of(house)

    assert (answer.status, again.status) == (303, 303)
    assert (tenant.name, tenant.currency) == ("Café School", "USD")
    assert "Guardado." in page.text
    assert page.text.count("Café School") >= 2  # above the menu, and in its field
    assert '<option value="USD" selected>' in page.text
    assert await deeds(house) == [
        (
            "tenant.change",
            {
                "before": {"name": "Curso", "currency": "BRL"},
                "now": {"name": "Café School", "currency": "USD"},
            },
        )
    ]


async def test_another_time_zone_is_waited_for_and_said_when_it_is_there(house: "House") -> None:
    browser = await house.browser_of()
    answer = await send(browser, "time-zone", time_zone="America/Manaus")
    waits = (await browser.get(answer.to)).text
    looked = re.search(r'hx-get="(/settings\?[^"]+)"', waits)
    assert looked
    part = (await browser.get(looked[1].replace("&amp;", "&"), **PART)).text
    assert await rezoner_of(house.world).run() == 1
    over = (await browser.get(looked[1].replace("&amp;", "&"), **PART)).text
    page = (await browser.get("/settings")).text

    assert "valem os de Brasil, São Paulo até que os de Brasil, Manaus" in waits
    assert '<option value="America/Manaus" selected>' in waits
    assert ("Brasil, Manaus" in part, "<html" in part) == (True, False)
    assert ("os dias agora são os de Brasil, Manaus" in over, "hx-get" in over) == (True, False)
    assert "hx-get" not in page
    assert (await tenant_of(house)).time_zone == "America/Manaus"
    assert [action for action, _ in await deeds(house)] == ["tenant.time_zone"]


async def test_looking_for_what_is_under_way_ends_after_a_while(house: "House") -> None:
    browser = await house.browser_of()
    await send(browser, "time-zone", time_zone="Asia/Tokyo")
    over = (await browser.get("/settings?left=1", **PART)).text

    assert ("hx-get" in over, "não olha mais sozinha" in over) == (False, True)


async def test_keeping_less_is_asked_once_more_and_then_followed(house: "House") -> None:
    browser = await house.browser_of()
    asked = await send(browser, "retention", days="90")
    before = await days_of(house)
    answer = await send(browser, "retention", days="90", sure="90")
    follows = (await browser.get(answer.to)).text
    house.world.clock.moment += SETTLED
    await retention_of(house.world).resettle()
    over = (await browser.get("/settings?waited=keeping", **PART)).text
    longer = await send(browser, "retention", days="730")

    assert (asked.status, before) == (200, 365)
    assert "mais de 90 dias será apagado" in asked.text
    assert "está sendo levado ao novo prazo" in follows
    assert "segue o novo prazo" in over
    assert (longer.status, await days_of(house)) == (303, 730)
    assert await deeds(house) == [
        ("tenant.retention", {"before": 365, "now": 90}),
        ("tenant.retention", {"before": 90, "now": 730}),
    ]


async def test_a_yes_to_another_time_is_no_yes(house: "House") -> None:
    browser = await house.browser_of()
    answer = await send(browser, "retention", days="30", sure="90")

    assert (answer.status, await days_of(house)) == (200, 365)


async def test_how_a_funnels_sales_match_is_changed(house: "House") -> None:
    browser = await house.browser_of()
    funnel = house.world.account.funnel
    fields = {"window": "168", "attribution": "first_click", "visitor_window": "30"}
    answer = await send(browser, f"funnels/{funnel.id}", **fields)
    page = (await browser.get(answer.to)).text

    assert answer.status == 303
    assert "Vale para as próximas vendas" in page
    assert ('value="168"' in page, 'value="30"' in page) == (True, True)
    assert '<option value="first_click" selected>' in page
    assert await deeds(house) == [
        (
            "funnel.change",
            {
                "before": {
                    "name": funnel.name,
                    "attribution_window_h": 72,
                    "attribution": "last_click",
                    "visitor_window_min": 0,
                },
                "now": {
                    "name": funnel.name,
                    "attribution_window_h": 168,
                    "attribution": "first_click",
                    "visitor_window_min": 30,
                },
            },
        )
    ]


MATCHING = {"window": "72", "attribution": "last_click", "visitor_window": "0"}
WRONG = [
    ("account", {"name": " ", "currency": "BRL"}, "name", "nome de até 200"),
    ("account", {"name": "x" * 201, "currency": "BRL"}, "name", "nome de até 200"),
    ("account", {"name": "Loja", "currency": "XXX"}, "currency", "moeda não existe"),
    ("time-zone", {"time_zone": "Mars/Olympus"}, "time_zone", "fuso não existe"),
    ("time-zone", {}, "time_zone", "fuso não existe"),
    ("retention", {"days": "31"}, "days", "um dos prazos"),
    ("retention", {"days": "a year"}, "days", "um dos prazos"),
    *(
        ("funnels/{funnel}", {**MATCHING, "window": hours}, "window-{funnel}", "de 1 a 2160")
        for hours in ("0", "2161", "1.5", "-3", "", "9" * 7, "²")
    ),
    ("funnels/{funnel}", {**MATCHING, "attribution": "all"}, "attribution-{funnel}", "duas formas"),
    ("funnels/{funnel}", {**MATCHING, "visitor_window": "1441"}, "visitor-{funnel}", "0 a 1440"),
]


@pytest.mark.parametrize(("what", "fields", "field", "said"), WRONG)
async def test_what_cannot_be_is_said_beside_its_field_and_stays_written(
    house: "House", what: str, fields: dict[str, str], field: str, said: str
) -> None:
    browser = await house.browser_of()
    names = {"funnel": house.world.account.funnel.id}
    before = await tenant_of(house)
    answer = await send(browser, what.format(**names), **fields)
    beside = re.search(rf'id="bad-{field.format(**names)}">([^<]+)<', answer.text)

    assert answer.status == 422
    assert beside
    assert said in beside[1]
    assert answer.text.count('role="alert"') == 1
    assert f'bad-{field.format(**names)}"' in answer.text.split("aria-invalid")[1]
    assert await deeds(house) == []
    assert (await tenant_of(house), await days_of(house)) == (before, 365)


@pytest.mark.parametrize("role", [MemberRole.OPERATOR, MemberRole.ANALYST])
async def test_others_see_the_settings_and_no_form(house: "House", role: MemberRole) -> None:
    main = (await (await house.browser_of(role=role)).get("/settings")).text.split("<main")[1]

    assert "<form" not in main
    assert "Só proprietários mudam" in main
    for shown in ("Curso", "Brasil, São Paulo", "Real brasileiro (BRL)", "por 365 dias", "72"):
        assert shown in main, shown


async def test_another_tenants_funnel_is_none_of_mine(house: "House") -> None:
    mine, other = house.world.account, await house.world.open_account("Outra")
    await house.member("bia@loja.test", account=other)
    browser = house.browser()
    browser.token = await house.sign_in("bia@loja.test")
    answer = await send(browser, f"funnels/{mine.funnel.id}", **MATCHING)

    assert answer.status == 404
    assert await deeds(house) == []


async def test_a_zone_that_lists_name_otherwise_is_still_chosen(house: "House") -> None:
    browser = await house.browser_of()
    await send(browser, "time-zone", time_zone="America/Buenos_Aires")
    page = (await browser.get("/settings")).text

    assert page.count(" selected>America/Buenos_Aires<") == 1
