"""The commands around alarms, as somebody on call gives them."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.alarms.conftest import ROUTING_KEY

from trackai.alarms.catalogue import watched
from trackai.model.alarm import INSTALLATION, Deed, Standing, State, Subject
from trackai.model.clock import SystemClock, new_id
from trackai.storage.alarm_calls import NewCall, insert_calls_all_tenants
from trackai.storage.alarm_signals import save_signals_all_tenants
from trackai.storage.pool import Role

if TYPE_CHECKING:
    from tests.support.program import Place


def fire(place: "Place", alarm: str) -> None:
    async def work() -> None:
        now = SystemClock().now()
        standing = Standing(State.ALARM, now, 99.0, incident_id=new_id(), fired_at=now)
        async with (
            place.here().database(Role.PIPELINE) as database,
            database.transaction() as tx,
        ):
            await save_signals_all_tenants(tx, {Subject(INSTALLATION, alarm): standing})

    asyncio.run(work())


def tell(place: "Place", route_id: UUID, tenant_id: UUID) -> None:
    """Let a route be called."""

    async def work() -> None:
        call = NewCall(tenant_id, new_id(), route_id, Deed.TRIGGER, "a key", "dlq_depth", {})
        async with (
            place.here().database(Role.PIPELINE) as database,
            database.transaction() as tx,
        ):
            await insert_calls_all_tenants(tx, [call], now=SystemClock().now())

    asyncio.run(work())


def test_before_anybody_looked_nothing_is_known(place: "Place") -> None:
    found = place.json("alarms", "list")

    severities = [row["severity"] for row in found]
    assert set(watched(production=False)) == {row["alarm"] for row in found}
    assert severities == sorted(severities, key=("critical", "high", "medium").index)
    assert {"no_data"} == {row["state"] for row in found}
    assert [] == place.json("alarms", "history")


def test_what_goes_on_comes_first_and_is_taken(place: "Place") -> None:
    fire(place, "queue_depth")
    first, *_ = place.json("alarms", "list")
    shown = place.json("alarms", "show", "queue_depth")
    taken = place.json("alarms", "acknowledge", "queue_depth")
    again = place.run("alarms", "acknowledge", "queue_depth")
    (after,) = place.json("alarms", "show", "queue_depth")["unwell"]
    (told,) = place.json("alarms", "history", "queue_depth")

    assert ("queue_depth", "alarm", 1) == (first["alarm"], first["state"], first["alarms"])
    assert "more than 1,000 events for 2 min" == shown["fires"]
    assert taken["by"] == after["acknowledged_by"] == told["by"]
    assert "acknowledged" == told["event"]
    assert 1 == again.returncode
    assert "has it already" in again.stderr


def test_a_silence_is_made_shown_and_ended(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    made = place.json(
        *("alarms", "silence", "dlq_depth", "--tenant", "Loja", "--hours", "2", "--why", "replay")
    )
    (listed,) = place.json("alarms", "silences", "--tenant", "Loja")
    everybodys = place.json("alarms", "silences")
    place.json("alarms", "unsilence", made["silence_id"], "--tenant", "Loja")

    assert ("dlq_depth", "replay", False) == (listed["alarm"], listed["why"], listed["weekly"])
    assert [("Loja", listed["silence_id"])] == [
        (row["tenant"], row["silence_id"]) for row in everybodys
    ]
    assert [] == place.json("alarms", "silences", "--tenant", "Loja")
    assert [] == place.json("alarms", "silences")


def test_a_silence_behind_the_end_of_time_is_refused(place: "Place") -> None:
    done = place.run("alarms", "silence", "--why", "x", "--start", "9999-12-31T23:30:00")

    assert (1, "trackai: There is no such time. [invalid_field]") == (
        *(done.returncode, done.stderr.strip()),
    )


def test_a_threshold_is_chosen_and_given_up(place: "Place") -> None:
    chosen = place.json("alarms", "threshold", "queue_depth", "50")
    shown = place.json("alarms", "show", "queue_depth")["fires"]
    place.json("alarms", "threshold", "queue_depth")

    assert {"alarm": "queue_depth", "threshold": 50.0, "ends_at": 25.0} == chosen
    assert shown.startswith("more than 50 events")
    assert "1,000" in place.json("alarms", "show", "queue_depth")["fires"]


def test_a_route_is_added_without_showing_where_it_leads(place: "Place") -> None:
    variables = {"TRACKAI_ALARM_SECRET": ROUTING_KEY}
    added = place.run("alarms", "routes", "add", "pagerduty", "On call", **variables)
    place.json("alarms", "routes", "add", "email", "Ana", "--address", "ana@example.com")
    hook = place.json(
        *("alarms", "routes", "add", "webhook", "Own", "--address", "https://ops.example.com/x")
    )
    listed = place.run("alarms", "routes", "list", "--json")
    place.json("alarms", "routes", "remove", hook["route_id"])

    assert 0 == added.returncode, added.stderr
    assert hook["secret"].startswith("whsec_")
    hidden = ("ana@", "ops.example", ROUTING_KEY, hook["secret"])
    assert [] == [word for word in hidden if word in listed.stdout]
    assert 2 == len(place.json("alarms", "routes", "list"))
    assert [] == place.json("alarms", "routes", "calls")


def test_calls_name_their_route_and_whose_it_is(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    (tenant,) = place.json("tenant", "list")
    ana = ("alarms", "routes", "add", "email", "Ana", "--address", "ana@example.com")
    ops = ("alarms", "routes", "add", "webhook", "Ops", "--address", "https://ops.example.com/x")
    place.json(*ana, "--tenant", tenant["name"])
    place.json(*ops)
    place.json("alarms", "deployed")
    owner = place.json("alarms", "routes", "list", "--tenant", tenant["name"])[0]
    tell(place, UUID(owner["route_id"]), UUID(tenant["tenant_id"]))
    rows = place.json("alarms", "routes", "calls")

    assert {(None, "Ops"), (tenant["name"], "Ana")} == {
        (row["tenant"], row["route"]) for row in rows
    }


@pytest.mark.parametrize("command", ["show", "acknowledge", "threshold", "history", "drill"])
def test_an_unknown_alarm_is_answered_with_those_that_there_are(
    place: "Place", command: str
) -> None:
    done = place.run("alarms", command, "nothing")

    assert 1 == done.returncode
    assert "dlq_depth" in done.stderr


def test_the_doctor_says_that_nobody_is_called_and_what_goes_on(place: "Place") -> None:
    fire(place, "queue_depth")
    never = {one["check"]: one for one in place.json("doctor", "--offline")}
    asyncio.run(
        place.rows(
            "insert into jobs (name, every_s, next_at, finished_at)"
            " values ('alarms', 15, now(), now() - interval '1 hour')"
        )
    )
    done = place.run("doctor", "--offline")

    assert "nobody has looked" in never["alarms"]["found"]
    assert 1 == done.returncode
    for said in ("nobody is called", "nobody has looked at them since", "alarm queue_depth"):
        assert said in done.stdout


def test_rules_are_rendered_with_what_the_installation_chose(place_with_tenant: "Place") -> None:
    place = place_with_tenant
    place.run("alarms", "threshold", "cpu_busy", "91")
    place.run("alarms", "threshold", "dlq_depth", "7", "--tenant", "Loja")
    chosen = place.run("alarms", "render", "prometheus", "--chosen")

    busy = 'trackai_process{job="trackai",metric="cpu_percent"} >'
    assert f"{busy} 91" in chosen.stdout
    assert f"{busy} 80" not in chosen.stdout
    assert 'metric="dead_letters"} > 100' in chosen.stdout


def test_a_deployment_is_told_to_whoever_is_called(place: "Place") -> None:
    nobody = place.run("alarms", "deployed", "--json")
    place.variables["TRACKAI_ALARM_SECRET"] = ROUTING_KEY
    place.json("alarms", "routes", "add", "pagerduty", "On call")
    told = place.json("alarms", "deployed", "--version", "1.4.0", "--summary", "Faster")
    wrong = place.run("alarms", "deployed", "--link", "nowhere")
    (call,) = place.json("alarms", "routes", "calls")

    assert (0, True) == (nobody.returncode, "no route" in nobody.stderr)
    assert 1 == told["calls"]
    assert 1 == wrong.returncode
    assert ("deployed", "change", "waiting") == (call["alarm"], call["deed"], call["state"])
