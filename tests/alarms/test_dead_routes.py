"""A route that takes no calls is its owner's trouble: nobody else is kept waiting, or woken."""

from typing import TYPE_CHECKING

import pytest

from trackai.accounts.closing import close_tenant
from trackai.alarms.choices import NewRoute
from trackai.alarms.sender import MOST_TRIES
from trackai.model.alarm import RouteKind, State
from trackai.model.clock import new_id
from trackai.storage.alarm_calls import list_calls_all_tenants
from trackai.storage.breakers import lock_breaker

if TYPE_CHECKING:
    from tests.alarms.conftest import Tower

    from trackai.mail.port import Letter

OPEN = "update breakers set state = 'open' where tenant_id = $1"
# As if another key had sealed it.
DAMAGE = "update alarm_routes set target_sealed = 'x' where tenant_id = $1"


async def hold_events_back(tower: "Tower") -> None:
    """Have the account's owner called for a breaker that is open."""
    account, world = tower.world.account, tower.world
    tenant_id = account.tenant.id
    new = NewRoute(RouteKind.EMAIL, "owner", "ana@loja.test")
    await tower.choices(tenant_id).add_route(new)
    ids = {"tenant_id": tenant_id, "destination_id": account.destination.id}
    async with world.workers.transaction() as tx:
        await lock_breaker(tx, **ids, now=world.clock.now())
        await tx.execute(OPEN, tenant_id)


async def calls(tower: "Tower") -> set[tuple[str, str, str, str | None]]:
    """Return what became of calls, all of which are of another alarm or route."""
    async with tower.world.workers.transaction() as tx:
        rows = await list_calls_all_tenants(tx, limit=100)
    return {(row["alarm"], row["deed"], row["state"], row["reason"]) for row in rows}


async def test_a_route_that_does_not_open_is_tried_again_alone(tower: "Tower") -> None:
    await hold_events_back(tower)
    tenant_id = tower.world.account.tenant.id
    async with tower.world.people.transaction(tenant_id=tenant_id) as tx:
        await tx.execute(DAMAGE, tenant_id)
    await tower.page()
    await tower.look(4, cpu_percent=95)

    keys = [one["dedup_key"] for one in tower.pager.events]
    assert tower.key("cpu_busy") in keys
    assert ("cpu_busy", "trigger", "sent", None) in await calls(tower)
    assert ("breaker_open", "trigger", "waiting", "route_does_not_open") in await calls(tower)


async def test_a_call_that_breaks_is_a_try_and_ends_as_lost(
    tower: "Tower", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(letter: "Letter") -> None:
        raise ZeroDivisionError(letter.kind)

    monkeypatch.setattr(tower.post, "send", send)
    await hold_events_back(tower)
    await tower.page()
    await tower.look(4, cpu_percent=95)
    began = await calls(tower)
    for _ in range(MOST_TRIES):
        tower.world.clock.forward(hours=1)
        await tower.look(1)

    assert ("breaker_open", "trigger", "waiting", "call_broke") in began
    assert ("cpu_busy", "trigger", "sent", None) in began
    assert ("breaker_open", "trigger", "dead", "call_broke") in await calls(tower)
    assert tower.key("calls_lost") in [one["dedup_key"] for one in tower.pager.events]


async def test_a_tenant_that_is_gone_is_told_nothing_any_more(tower: "Tower") -> None:
    await hold_events_back(tower)
    await tower.look(4)
    world, tenant_id = tower.world, tower.world.account.tenant.id
    await close_tenant(
        *(world.people, world.envelope, world.clock, new_id), tenant_id=tenant_id, by="cli:ana"
    )
    await tower.page()
    await tower.look(4, cpu_percent=95)

    assert [tower.key("cpu_busy")] == [one["dedup_key"] for one in tower.pager.events]
    assert ("breaker_open", "resolve", "dead", "route_gone") in await calls(tower)


async def test_the_end_of_a_lost_call_is_not_lost_by_the_same_route(tower: "Tower") -> None:
    await tower.page()
    tower.pager.fail(*[400] * 100)
    await tower.look(2, cpu_percent=95)
    fired = await tower.standing("calls_lost")
    await tower.look(4, cpu_percent=5)
    tower.world.clock.forward(hours=25)
    await tower.look(1, cpu_percent=5)
    tower.world.clock.forward(minutes=1)
    await tower.look(1, cpu_percent=5)

    assert fired.incident_id is not None
    assert State.OK is (await tower.standing("calls_lost")).state
    assert {"trigger"} == {deed for _, deed, *_ in await calls(tower)}
