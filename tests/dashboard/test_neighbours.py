"""Every page that is about one thing, asked by another tenant's owner for a thing that there is."""

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.dashboard.test_walls import CLOSED
from tests.support.opened import Raw, raw_rows

from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    from tests.dashboard.conftest import Browser, House

# What an address names: the table that it is in, and the column.
THINGS = {
    "session_id": ("sessions", "id"),
    "delivery_id": ("deliveries", "id"),
    "replay_id": ("replays", "id"),
    "silence_id": ("alarm_silences", "id"),
    "route_id": ("alarm_routes", "id"),
    "user_id": ("memberships", "user_id"),
    "key_id": ("api_keys", "id"),
    "funnel_id": ("funnels", "id"),
    "connection_id": ("gateway_connections", "id"),
    "destination_id": ("destinations", "id"),
}
KEPT = {table for table, _ in THINGS.values()} - {"sessions"}
OF_THINGS = [
    (method, path) for method, path in CLOSED if any(f"{{{one}}}" in path for one in THINGS)
]
# What these forms ask for, so that nothing but whose it is can be wrong.
FIELDS = {
    "role": "analyst",
    "name": "Outra",
    "secret": "outro-segredo-0123456789",
    "token": "EAAoutro",
    "test_event_code": "TEST1",
    "attribution": "last_click",
    "window": "72",
    "visitor_window": "0",
}


async def furnish(house: "House") -> None:
    """Let there be one of each thing, made on the pages."""
    world, browser = house.world, await house.browser_of()
    await world.tell("kiwify", world.sale("kiwify"), SaleStatus.APPROVED)
    forms = {
        "/failures/replays": {"reason": "timeout"},
        "/keys": {"name": "Planilha", "scope_read": "1"},
        "/alarms/silences": {"alarm": "", "hours": "1", "why": "manutenção"},
        "/alarms/routes": {
            "kind": "email",
            "route_name": "Ana",
            "address": "ana@loja.test",
            "least": "medium",
            "language": "pt",
        },
    }
    for path, fields in forms.items():
        answer = await browser.submit("/", path, **fields)
        assert answer.status in {200, 303}, path


def things_of(rows: Raw, tenant_id: object) -> dict[Any, Any]:
    """Return the tenant's rows that pages change."""
    return {
        one: row
        for one, row in rows.items()
        if one[0] in KEPT and row.get("tenant_id") == tenant_id
    }


def things_in(rows: Raw) -> dict[str, Any]:
    """Return an id of each of `THINGS`."""
    return {
        name: next((row[column] for (of, _), row in rows.items() if of == table), None)
        for name, (table, column) in THINGS.items()
    }


async def come_as_stranger(house: "House") -> "tuple[Browser, str]":
    """Sign in an owner of another tenant; return a browser, and what its forms carry."""
    await house.member("bia@loja.test", account=await house.world.open_account("Outra"))
    stranger = house.browser()
    stranger.token = await house.sign_in("bia@loja.test")
    proof = re.search(r'name="csrf" value="([0-9a-f]+)"', (await stranger.get("/")).text)
    assert proof
    return stranger, proof[1]


async def test_another_tenants_things_are_on_no_page_and_stay_as_they_are(house: "House") -> None:
    tenant_id = house.world.account.tenant.id
    await furnish(house)
    before = await raw_rows(house.world.url)
    ids = things_in(before)
    stranger, csrf = await come_as_stranger(house)
    found = {}
    for method, path in OF_THINGS:
        address = path.format(**ids)
        if method == "GET":
            found[method, path] = (await stranger.get(address)).status
        else:
            answer = await stranger.post(address, csrf=csrf, **FIELDS)
            found[method, path] = answer.status
    after = await raw_rows(house.world.url)

    assert None not in ids.values()
    assert len(OF_THINGS) > 20
    assert {one: status for one, status in found.items() if status != 404} == {}
    assert things_of(after, tenant_id) == things_of(before, tenant_id)


# Forms that name a thing in a field: the field, and what is in it of `THINGS`.
NAMED_IN_FIELDS = (
    ("/tenant", "tenant_id", "tenant_id"),
    ("/failures/replays", "delivery_id", "delivery_id"),
    ("/failures/discards", "delivery_id", "delivery_id"),
    ("/connections/gateways", "funnel", "funnel_id"),
    ("/connections/pixels", "funnel", "funnel_id"),
    ("/start/gateway", "funnel", "funnel_id"),
    ("/start/pixel", "funnel", "funnel_id"),
    ("/start/gateway/secret", "of", "connection_id"),
    ("/start/sale", "of", "connection_id"),
    ("/start/pixel/token", "of", "destination_id"),
    ("/start/pixel/test", "of", "destination_id"),
    ("/start/sale/code", "of", "destination_id"),
    ("/alarms/breaker_open/acknowledge", "name", "destination_id"),
)
# What these forms ask for besides.
ASKED = {**FIELDS, "gateway": "hotmart", "pixel_id": "900800700600500", "why": "x"}


async def test_another_tenants_thing_that_a_form_names_stays_as_it_is(house: "House") -> None:
    tenant_id = house.world.account.tenant.id
    await furnish(house)
    before = await raw_rows(house.world.url)
    ids = things_in(before)
    ids["tenant_id"] = tenant_id
    stranger, csrf = await come_as_stranger(house)
    for path, field, thing in NAMED_IN_FIELDS:
        fields = {**ASKED, field: str(ids[thing])}
        answer = await stranger.post(path, csrf=csrf, **fields)
        # Taken as a form, not turned away at the door.
        assert answer.status in {200, 303, 404, 422}, path
        assert str(ids[thing]) not in answer.text, path
    after = await raw_rows(house.world.url)
    strangers = [row for row in after.values() if row.get("tenant_id") not in {None, tenant_id}]

    assert things_of(after, tenant_id) == things_of(before, tenant_id)
    assert strangers
    # Nothing of the stranger's leads to a thing of the other's.
    assert [row for row in strangers if {*ids.values()} & {*map(_plain, row.values())}] == []


def _plain(value: Any) -> Any:
    return value if isinstance(value, UUID) else None
