"""Alarms from the first measurement to the all-clear, on a real database and a strict pager."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.alarms.conftest import ENVIRONMENT, ROUTING_KEY, evaluator_of

from trackai.alarms.choices import Hush, NewRoute
from trackai.errors import Conflict, NotFound
from trackai.model.alarm import (
    INSTALLATION,
    RouteKind,
    Severity,
    Standing,
    State,
    Subject,
)
from trackai.storage.alarm_calls import list_calls_all_tenants
from trackai.storage.alarm_history import list_history_all_tenants
from trackai.storage.alarm_signals import save_signals_all_tenants
from trackai.storage.breakers import lock_breaker
from trackai.storage.destinations import disable_destination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.alarms.conftest import Tower
    from tests.support.world import Account

    from trackai.storage.pool import Row

OPEN = "update breakers set state = 'open' where tenant_id = $1"
CLOSE = "update breakers set state = 'closed' where tenant_id = $1"


async def history(tower: "Tower", alarm: str | None = None) -> "list[tuple[str, str]]":
    """Return what happened, the oldest first."""
    async with tower.world.workers.transaction() as tx:
        rows = await list_history_all_tenants(tx, alarm=alarm, limit=1000)
    return [(row["event"], row["state"]) for row in reversed(rows)]


async def calls(tower: "Tower") -> "Sequence[Row]":
    async with tower.world.workers.transaction() as tx:
        return list(reversed(await list_calls_all_tenants(tx, limit=1000)))


async def breaker(tower: "Tower", account: "Account", statement: str) -> None:
    ids = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with tower.world.workers.transaction() as tx:
        await lock_breaker(tx, **ids, now=tower.world.clock.now())
        await tx.execute(statement, account.tenant.id)


async def test_what_is_not_measured_is_not_known_and_not_well(tower: "Tower") -> None:
    await tower.look()
    found = await tower.standings()

    unknown = {one.alarm for one, standing in found.items() if standing.state is State.NO_DATA}
    assert {"cpu_busy", "certificate_expiring", "scheduler_late"} <= unknown
    assert State.OK is (await tower.standing("queue_depth")).state
    assert not {"alarm", "pending"} & {one.state.value for one in found.values()}


async def test_an_alarm_goes_its_whole_way(tower: "Tower") -> None:
    await tower.page()
    await tower.look(2, cpu_percent=20)
    await tower.look(0.5, cpu_percent=95)
    pending = await tower.standing("cpu_busy")
    await tower.look(2, cpu_percent=95)
    firing = await tower.standing("cpu_busy")
    incident = tower.pager.open(tower.key("cpu_busy"))
    await tower.look(3, cpu_percent=20)
    ended = await tower.standing("cpu_busy")

    assert (State.PENDING, State.ALARM, State.OK) == (pending.state, firing.state, ended.state)
    assert incident is not None
    assert ("warning", "resolved") == (incident.severity, incident.status)
    assert "A process is busy all the time: 95% (limit 80%)" == incident.summary
    assert [
        "https://track.example.com/runbooks/cpu-busy",
        "https://track.example.com/alarms/cpu_busy",
    ] == incident.links
    assert [
        *(("changed", "ok"), ("changed", "pending"), ("changed", "alarm"), ("fired", "alarm")),
        *(("called", "alarm"), ("changed", "ok"), ("resolved", "ok")),
    ] == await history(tower, "cpu_busy")
    assert 0 == tower.pager.dropped


async def test_a_restart_neither_loses_nor_repeats(tower: "Tower") -> None:
    await tower.page()
    await tower.look(2, cpu_percent=95)
    tower.evaluator = evaluator_of(tower.world)
    await tower.look(2, cpu_percent=95)
    tower.evaluator = evaluator_of(tower.world)
    await tower.look(4, cpu_percent=10)

    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_who_dies_while_evaluating_has_done_nothing(tower: "Tower") -> None:
    await tower.page()
    await tower.look(0.5, cpu_percent=95)
    tower.world.clock.forward(minutes=1)
    await tower.say(cpu_percent=95)
    doomed = evaluator_of(tower.world)
    tx_ended = asyncio.Event()

    async def note(*_: object) -> None:
        tx_ended.set()
        raise RuntimeError("killed")

    doomed._note = note  # type: ignore[assignment,method-assign]
    with pytest.raises(RuntimeError):
        await doomed.step()
    between = await calls(tower)
    await tower.look(0, cpu_percent=95)

    assert tx_ended.is_set()
    assert [] == between
    assert ["trigger"] == [one["event_action"] for one in tower.pager.events]


async def test_many_workers_fire_once(tower: "Tower") -> None:
    await tower.page()
    others = [evaluator_of(tower.world) for _ in range(3)]
    for _ in range(6):
        tower.world.clock.forward(seconds=30)
        await tower.say(cpu_percent=95)
        await asyncio.gather(*(one.step() for one in others), tower.evaluator.step())
    await tower.look(0.5, cpu_percent=95)

    assert 1 == len(tower.pager.events)


async def test_a_process_that_is_silent_makes_it_not_known_and_ends_nothing(
    tower: "Tower",
) -> None:
    await tower.page()
    await tower.look(2, cpu_percent=95)
    await tower.look(3)
    silent = await tower.standing("cpu_busy")
    await tower.look(4, cpu_percent=5)

    assert State.NO_DATA is silent.state
    assert silent.incident_id is not None
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_a_silence_keeps_calls_back_and_loses_none(tower: "Tower") -> None:
    await tower.page()
    now = tower.world.clock.now()
    choices = tower.choices()
    hush = Hush("new disks", now, now.replace(hour=13), alarm="cpu_busy")
    silence = await choices.silence(hush)
    await tower.look(3, cpu_percent=95)
    meanwhile = list(tower.pager.events)
    await choices.end_silence(silence)
    await tower.look(0.5, cpu_percent=95)

    assert [] == meanwhile
    assert ["trigger"] == [one["event_action"] for one in tower.pager.events]
    with pytest.raises(NotFound):
        await choices.end_silence(silence)


async def test_what_ended_under_a_silence_is_never_called_for(tower: "Tower") -> None:
    await tower.page()
    now = tower.world.clock.now()
    await tower.choices().silence(Hush("new disks", now, now.replace(hour=13)))
    await tower.look(3, cpu_percent=95)
    await tower.look(5, cpu_percent=5)
    tower.world.clock.forward(hours=1)
    await tower.look(0.5, cpu_percent=5)

    assert State.OK is (await tower.standing("cpu_busy")).state
    assert [] == await calls(tower)


async def test_an_acknowledgement_reaches_the_pager(tower: "Tower") -> None:
    await tower.page()
    await tower.look(2, cpu_percent=95)
    await tower.choices().acknowledge("cpu_busy")
    with pytest.raises(Conflict):
        await tower.choices().acknowledge("cpu_busy")
    await tower.look(1, cpu_percent=95)
    incident = tower.pager.open(tower.key("cpu_busy"))
    taken = await tower.standing("cpu_busy")
    status = incident.status if incident else None
    await tower.look(3, cpu_percent=5)

    assert "acknowledged" == status
    assert ("cli:ana", True) == (taken.acknowledged_by, taken.acknowledge_called)
    assert ["trigger", "acknowledge", "resolve"] == [
        one["event_action"] for one in tower.pager.events
    ]
    for name in ("", "\x00"):
        with pytest.raises(NotFound):
            await tower.choices().acknowledge("cpu_busy", name)


async def test_who_takes_what_just_ended_is_not_told_of_after_the_end(tower: "Tower") -> None:
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    await tower.look(2, cpu_percent=95)
    await tower.look(2, cpu_percent=5)
    await tower.choices().acknowledge("cpu_busy")
    await tower.look(2, cpu_percent=5)

    assert State.OK is (await tower.standing("cpu_busy")).state
    assert ["trigger", "resolve"] == [row["deed"] for row in await calls(tower)]


async def test_who_took_it_under_a_silence_is_known_when_it_is_called_for(tower: "Tower") -> None:
    await tower.page()
    now = tower.world.clock.now()
    silence = await tower.choices().silence(Hush("new disks", now, now.replace(hour=13)))
    await tower.look(2, cpu_percent=95)
    await tower.choices().acknowledge("cpu_busy")
    await tower.look(1, cpu_percent=95)
    await tower.choices().end_silence(silence)
    await tower.look(1, cpu_percent=95)

    assert ["trigger", "acknowledge"] == [one["event_action"] for one in tower.pager.events]


async def test_a_tenants_own_threshold_counts(tower: "Tower") -> None:
    tenant_id = tower.world.account.tenant.id
    await tower.choices(tenant_id).set_threshold("signature_failures", 0)
    await tower.choices().set_threshold("cpu_busy", 10)
    for _ in range(2):
        await tower.world.fill(tower.world.account)
        await tower.look(0.5, cpu_percent=15)
    chosen = await tower.standing("signature_failures", tenant_id)
    everybodys = await tower.standing("cpu_busy")
    await tower.choices().set_threshold("cpu_busy", None)
    await tower.look(0.5, cpu_percent=15)

    assert State.PENDING is chosen.state
    assert State.PENDING is everybodys.state
    assert State.OK is (await tower.standing("cpu_busy")).state


async def test_many_pixels_held_at_once_are_one_call(tower: "Tower") -> None:
    await tower.page()
    others = [await tower.world.open_account(f"Loja {number}") for number in range(12)]
    for one in others:
        await breaker(tower, one, OPEN)
    await tower.look(4)
    called = list(tower.pager.events)
    for one in others[:-1]:
        await breaker(tower, one, CLOSE)
    await tower.look(4)
    nearly = len(tower.pager.events)
    await breaker(tower, others[-1], CLOSE)
    await tower.look(4)

    assert 1 == len(called) == nearly
    assert "Events are held back: 12 at once" == called[0]["payload"]["summary"]
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_a_shared_call_ends_with_its_last_whenever_that_began(tower: "Tower") -> None:
    await tower.page()
    others = [await tower.world.open_account(f"Loja {number}") for number in range(7)]
    for one in others[:-1]:
        await breaker(tower, one, OPEN)
    await tower.look(4)
    await breaker(tower, others[-1], OPEN)
    await tower.look(4)
    for one in others[:-1]:
        await breaker(tower, one, CLOSE)
    await tower.look(4)
    nearly = [one["event_action"] for one in tower.pager.events]
    await breaker(tower, others[-1], CLOSE)
    await tower.look(4)

    assert ["trigger"] == nearly
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_the_next_incident_ends_for_those_who_were_told_of_it(tower: "Tower") -> None:
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    route, _ = await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "old", "old@example.com"))
    await tower.look(2, cpu_percent=95)
    await tower.look(4, cpu_percent=5)
    await tower.choices().end_route(route.id)
    await tower.look(2, cpu_percent=95)
    await tower.look(4, cpu_percent=5)

    to = [letter.to for letter in tower.post.letters]
    assert (4, 2) == (to.count("ops@example.com"), to.count("old@example.com"))
    assert {"sent"} == {row["state"] for row in await calls(tower)}


async def test_a_tenants_route_hears_of_its_own_and_of_nothing_else(tower: "Tower") -> None:
    other = await tower.world.open_account("Outra")
    mine = tower.world.account
    await tower.choices(mine.tenant.id).add_route(
        NewRoute(RouteKind.EMAIL, "owner", "ana@loja.test", language="pt")
    )
    for one in (mine, other):
        await breaker(tower, one, OPEN)
    await tower.look(4, cpu_percent=99)
    await breaker(tower, mine, CLOSE)
    await tower.look(3, cpu_percent=99)

    pixel = mine.destination.pixel_id
    assert [
        f"Eventos retidos, Curso, {pixel}: 1 (limite 0)",
        f"Resolvido: Eventos retidos, Curso, {pixel}",
    ] == [letter.subject for letter in tower.post.letters]
    assert {"ana@loja.test"} == {letter.to for letter in tower.post.letters}
    assert "https://track.example.com/runbooks/circuit-breaker-trip" in tower.post.letters[0].text


async def test_a_route_hears_of_what_is_bad_enough_for_it(tower: "Tower") -> None:
    await tower.page(Severity.HIGH)
    await tower.look(3, cpu_percent=95, pool_percent=95)

    assert [tower.key("pool_in_use")] == [one["dedup_key"] for one in tower.pager.events]


async def test_where_something_else_pages_we_do_not(tower: "Tower") -> None:
    await tower.page()
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    tower.evaluator = evaluator_of(tower.world, pages=False)
    await tower.look(3, cpu_percent=95)

    assert [] == list(tower.pager.events)
    assert 1 == len(tower.post.letters)


async def test_a_tenants_own_pager_is_called_whoever_pages_the_environment(tower: "Tower") -> None:
    await tower.page()
    mine, key = tower.world.account, "f" * 32
    tower.pager.add_service(key)
    own = NewRoute(RouteKind.PAGERDUTY, "owner", secret=key)
    await tower.choices(mine.tenant.id).add_route(own)
    tower.evaluator = evaluator_of(tower.world, pages=False)
    await breaker(tower, mine, OPEN)
    await tower.look(4)

    assert [key] == [one["routing_key"] for one in tower.pager.events]


async def test_what_is_gone_ends_its_alarm(tower: "Tower") -> None:
    await tower.page()
    await tower.choices().add_route(NewRoute(RouteKind.EMAIL, "ops", "ops@example.com"))
    mine = tower.world.account
    await breaker(tower, mine, OPEN)
    await tower.look(4)
    async with tower.world.people.transaction(tenant_id=mine.tenant.id) as tx:
        ids = {"tenant_id": mine.tenant.id, "destination_id": mine.destination.id}
        await disable_destination(tx, **ids, now=tower.world.clock.now())
    await tower.look(1)

    found = await tower.standings()
    assert not [one for one in found if one.alarm == "breaker_open"]
    assert ("gone", "alarm") in await history(tower, "breaker_open")
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]
    assert [
        f"Events are held back, Curso, {mine.destination.pixel_id}: 1 (limit 0)",
        f"Over: Events are held back, Curso, {mine.destination.pixel_id}",
    ] == [letter.subject for letter in tower.post.letters]


async def test_an_alarm_of_a_newer_release_is_not_ours_to_end(tower: "Tower") -> None:
    subject, now = Subject(INSTALLATION, "of_a_newer_release"), tower.world.clock.now()
    standing = Standing(State.PENDING, now, 1.0, bad_since=now)
    async with tower.world.workers.transaction() as tx:
        await save_signals_all_tenants(tx, {subject: standing})
    await tower.look(2, cpu_percent=5)

    assert standing == (await tower.standings())[subject]


async def test_nobody_looked_for_long_and_what_was_pending_begins_anew(tower: "Tower") -> None:
    await tower.look(0.5, cpu_percent=95)
    tower.world.clock.forward(minutes=30)
    await tower.look(0.5, cpu_percent=95)

    assert State.PENDING is (await tower.standing("cpu_busy")).state


async def test_every_call_names_its_environment(tower: "Tower") -> None:
    await tower.page()
    await tower.look(2, cpu_percent=95)

    assert {f"{ENVIRONMENT}/cpu_busy"} == {one["dedup_key"] for one in tower.pager.events}
    assert {ROUTING_KEY} == {one["routing_key"] for one in tower.pager.events}
