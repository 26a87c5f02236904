"""The fire drill: every alarm, from the first bad value to the all-clear; nothing of it is real."""

import json
from typing import TYPE_CHECKING

import pytest
from tests.alarms.conftest import ROUTING_KEY
from tests.support.program import Place

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.drill import Drill, Ground, beyond, well_of
from trackai.alarms.message import Sender as Who
from trackai.alarms.rules import is_bad, limits_of
from trackai.alarms.upkeep import AlarmUpkeep
from trackai.alarms.ways.opening import open_ways
from trackai.model.alarm import INSTALLATION, Alarm, Limits, RouteKind, Severity
from trackai.model.clock import new_id
from trackai.storage.alarm_calls import list_calls_all_tenants
from trackai.storage.alarm_history import list_history_all_tenants
from trackai.storage.alarm_routes import Route, Target
from trackai.tracker.public_web import PublicWeb

if TYPE_CHECKING:
    from pathlib import Path

    from tests.alarms.conftest import Tower
    from tests.conftest import Serve

    from trackai.destinations.http import Http


async def ground(tower: "Tower", http: "Http", url: str) -> Ground:
    world = tower.world
    route = Route(INSTALLATION, new_id(), RouteKind.PAGERDUTY, "d", Severity.MEDIUM, "en")

    async def ask(key: str) -> bool:
        return tower.pager.open(key) is not None

    return Ground(
        world.workers,
        {route.id: (route, Target(secret=ROUTING_KEY))},
        open_ways(http, world.clock, None, pagerduty_url=url, web=PublicWeb()),
        Who("https://track.example.com", "test", drill=True),
        world.clock,
        new_id,
        ask,
    )


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
@pytest.mark.parametrize("threshold", [None, 0, 1, 0.5], ids=str)
def test_what_a_drill_pretends_is_bad_and_then_good(alarm: Alarm, threshold: float | None) -> None:
    limits = limits_of(alarm, [None if threshold is None else Limits(threshold, threshold)])

    assert is_bad(alarm, limits, beyond(alarm, limits), firing=False)
    assert not is_bad(alarm, limits, well_of(alarm, limits), firing=True)


async def test_a_drill_is_heard_and_is_not_real(
    tower: "Tower", http: "Http", serve: "Serve"
) -> None:
    await tower.page()
    await tower.look(1, cpu_percent=10)
    before = await tower.standings()
    held = Drill(await ground(tower, http, await serve(tower.pager)), new_id(), dict(ALARMS))
    found = await held.run(ALARMS["cpu_busy"])
    await tower.look(0.5, cpu_percent=10)
    after = await tower.standings()
    events = list(tower.pager.events)
    async with tower.world.workers.transaction() as tx:
        calls = await list_calls_all_tenants(tx, limit=10)
        real = await list_history_all_tenants(tx, alarm="cpu_busy", limit=100)
        drilled = await list_history_all_tenants(tx, limit=100, drill=held.id)
    await held.clear()

    assert found.whole
    assert (0, 60, 60) == (found.pending_s, found.fired_s, found.notified_s)
    assert ["trigger", "resolve"] == [one["event_action"] for one in events]
    assert events[0]["payload"]["summary"].startswith("[DRILL] ")
    assert events[0]["dedup_key"].startswith("test/drill/")
    assert {one: s.state for one, s in before.items()} == {one: s.state for one, s in after.items()}
    assert [] == calls
    assert ["changed"] == [row["event"] for row in real]
    assert "fired" in {row["event"] for row in drilled}


async def test_a_pager_that_does_not_answer_fails_the_drill(
    tower: "Tower", http: "Http", serve: "Serve"
) -> None:
    tower.pager.fail(*[400] * 10)
    held = Drill(await ground(tower, http, await serve(tower.pager)), new_id(), dict(ALARMS))
    found = await held.run(ALARMS["calls_lost"])

    assert (False, None) == (found.whole, found.notified_s)
    assert found.trouble


def test_the_command_fires_every_alarm(tmp_path: "Path", fresh_database_url: str) -> None:
    done = Place(tmp_path, fresh_database_url).run("alarms", "drill")
    *_, last = done.stdout.splitlines()

    assert (0, "") == (done.returncode, done.stderr)
    assert dict.fromkeys(("alarms", "fired", "notified", "resolved"), len(ALARMS)) == json.loads(
        last
    )


def test_a_route_of_any_kind_can_be_tried(tmp_path: "Path", fresh_database_url: str) -> None:
    place = Place(tmp_path, fresh_database_url)
    added = place.json("alarms", "routes", "add", "email", "Ana", "--address", "ana@example.com")
    done = place.run("alarms", "drill", "cpu_busy", "--route", added["route_id"])

    # Without a mail server the console shows letters.
    assert 0 == done.returncode, done.stderr
    assert "[DRILL] A process is busy all the time, drill: 161% (limit 80%)" in done.stdout
    assert "Over: A process is busy all the time, drill" in done.stdout


def test_a_real_pager_is_used_only_when_there_is_one(
    tmp_path: "Path", fresh_database_url: str
) -> None:
    done = Place(tmp_path, fresh_database_url).run("alarms", "drill", "cpu_busy", "--real-pager")

    assert 2 == done.returncode
    assert "routes add pagerduty" in done.stderr


LEFT = """
select (select count(*) from alarm_signals where drill = $1)
  + (select count(*) from alarm_calls where drill = $1)
  + (select count(*) from alarm_samples where drill = $1) as number
"""


async def test_what_a_killed_drill_left_goes_with_what_is_old(
    tower: "Tower", http: "Http", serve: "Serve"
) -> None:
    tower.pager.fail(*[500] * 100)
    world = tower.world
    killed = Drill(await ground(tower, http, await serve(tower.pager)), new_id(), dict(ALARMS))
    await killed.run(ALARMS["cpu_busy"])

    async def left() -> int:
        async with world.workers.transaction() as tx:
            (row,) = await tx.fetch(LEFT, killed.id)
        return int(row["number"])

    before = await left()
    world.clock.forward(days=91)
    await AlarmUpkeep(world.workers, world.clock).run()

    assert before > 0
    assert 0 == await left()
