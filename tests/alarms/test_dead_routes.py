"""A route that takes no calls is its owner's trouble: nobody else is kept waiting, or woken."""

from typing import TYPE_CHECKING

import pytest

from trackai.accounts.closing import close_tenant
from trackai.alarms.choices import NewRoute
from trackai.alarms.sender import MOST_TRIES
from trackai.errors import InvalidField
from trackai.model.alarm import INSTALLATION, RouteKind, Severity, Standing, State
from trackai.model.clock import new_id
from trackai.storage.alarm_calls import list_calls_all_tenants
from trackai.storage.alarm_names import list_subjects_all_tenants
from trackai.storage.alarm_routes import Route, Target, insert_route
from trackai.storage.breakers import lock_breaker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from tests.alarms.conftest import Tower

    from trackai.mail.port import Letter
    from trackai.storage.pool import Row

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


async def slack(tower: "Tower", address: str, owner: "UUID") -> Route:
    """Store a route to an address that nobody may name any more."""
    route = Route(owner, new_id(), RouteKind.SLACK, "#ops", Severity.MEDIUM, "en")
    world = tower.world
    async with world.people.transaction(tenant_id=owner) as tx:
        await insert_route(
            *(tx, world.envelope, route, Target(address)), by="cli:ana", now=world.clock.now()
        )
    return route


async def rows(tower: "Tower") -> "Sequence[Row]":
    async with tower.world.workers.transaction() as tx:
        return await list_calls_all_tenants(tx, limit=100)


async def calls(tower: "Tower") -> set[tuple[str, str, str, str | None]]:
    """Return what became of calls, all of which are of another alarm or route."""
    found = await rows(tower)
    return {(row["alarm"], row["deed"], row["state"], row["reason"]) for row in found}


async def lost_by(tower: "Tower", alarm: str, route: str) -> Standing:
    """Return how the alarm of lost calls stands of the route of this name."""
    async with tower.world.workers.transaction() as tx:
        names = await list_subjects_all_tenants(tx)
    standings = await tower.standings()
    (found,) = [
        standing
        for one, standing in standings.items()
        if one.alarm == alarm and names.get(one.name) == route
    ]
    return found


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
    assert State.OK is (await lost_by(tower, "calls_lost", "on call")).state
    assert State.ALARM is (await lost_by(tower, "tenant_calls_lost", "owner")).state


async def test_a_tenants_dead_route_is_told_of_by_name_and_wakes_nobody(tower: "Tower") -> None:
    await tower.page(Severity.HIGH)
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "desk", "desk@example.com"))
    tenant_id = tower.world.account.tenant.id
    closed = NewRoute(RouteKind.SLACK, "#ops", "https://localhost/closed")
    with pytest.raises(InvalidField):
        await tower.choices(tenant_id).add_route(closed)
    route = await slack(tower, "https://127.0.0.1/closed", tenant_id)
    await hold_events_back(tower)
    await tower.look(6)
    key = tower.key("tenant_calls_lost", tenant_id, route.id)
    told = {(one.to, one.subject) for one in tower.post.letters if "takes no calls" in one.subject}
    await tower.choices(tenant_id).end_route(route.id)
    await tower.look(1)

    assert {
        (to, "A way to call this account takes no calls, Curso, #ops: 1 call (limit 0 calls)")
        for to in ("desk@example.com", "ana@loja.test")
    } == told
    assert ["breaker_open"] == [one["payload"]["component"] for one in tower.pager.events]
    assert {"Over: A way to call this account takes no calls, Curso, #ops"} == {
        one.subject for one in tower.post.letters[-2:]
    }
    assert {"trigger", "resolve"} == {row["deed"] for row in await rows(tower) if row["key"] == key}


async def test_a_dead_route_of_the_installation_wakes_by_the_others_and_has_a_name(
    tower: "Tower",
) -> None:
    await tower.page(Severity.HIGH)
    await slack(tower, "https://127.0.0.1/closed", INSTALLATION)
    await tower.look(3, cpu_percent=95)

    (event,) = tower.pager.events
    assert (
        "Somebody was not told of an alarm, #ops: 1 call (limit 0 calls)"
        == (event["payload"]["summary"])
    )
    assert "error" == event["payload"]["severity"]


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
    async with world.workers.transaction() as tx:
        written = await tx.fetch(
            "select event from alarm_history where tenant_id = $1 and event = 'gone'", tenant_id
        )

    assert [] == written
    assert ("breaker_open", "resolve", "dead", "route_gone") in await calls(tower)


async def test_who_never_heard_that_it_began_hears_of_no_end_but_of_the_next(
    tower: "Tower",
) -> None:
    route = str(await tower.page())
    tower.pager.fail(*[500] * 9, 400)
    await tower.look(2, cpu_percent=95)
    await tower.choices().acknowledge("cpu_busy")
    await tower.look(1, cpu_percent=95)
    await tower.look(4, cpu_percent=5)
    await tower.look(2, cpu_percent=95)
    before = await rows(tower)
    for _ in range(8):
        tower.world.clock.forward(hours=1)
        await tower.look(0, cpu_percent=95)
    ours = [
        (row["deed"], row["state"], row["reason"])
        for row in reversed(await rows(tower))
        if row["alarm"] == "cpu_busy"
    ]
    lost = (await tower.standing("calls_lost", name=route)).value

    assert {"waiting"} == {row["state"] for row in before}
    assert [
        ("trigger", "dead", "pagerduty_400"),
        ("acknowledge", "dead", "never_told"),
        ("resolve", "dead", "never_told"),
        ("trigger", "sent", None),
    ] == ours
    assert 1 == lost


async def test_the_end_of_a_lost_call_is_not_lost_by_the_same_route(tower: "Tower") -> None:
    route = str(await tower.page())
    tower.pager.fail(*[400] * 100)
    await tower.look(2, cpu_percent=95)
    fired = await tower.standing("calls_lost", name=route)
    await tower.look(4, cpu_percent=5)
    tower.world.clock.forward(hours=25)
    await tower.look(1, cpu_percent=5)
    tower.world.clock.forward(minutes=1)
    await tower.look(1, cpu_percent=5)

    assert fired.incident_id is not None
    assert State.OK is (await tower.standing("calls_lost", name=route)).state
    assert {"trigger"} == {deed for _, deed, *_ in await calls(tower)}
