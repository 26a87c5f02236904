"""The stand-in for PagerDuty holds callers to its documented rules."""

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from trackai.sandbox.pagerduty import PagerDutySandbox
from trackai.sandbox.pagerduty.app import MOST_A_MINUTE
from trackai.sandbox.pagerduty.rules import MOST_BYTES

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.sandbox.conftest import TestClock

KEY = "0123456789abcdef0123456789abcdef"


class Caller:
    """Sends events."""

    def __init__(self, http: aiohttp.ClientSession, url: str, pager: PagerDutySandbox) -> None:
        self.http = http
        self.url = url
        self.pager = pager

    async def send(self, action: str = "trigger", **changes: Any) -> tuple[int, Any]:
        payload = {"summary": "s", "source": "h", "severity": "error"} | changes.pop("payload", {})
        event = {"routing_key": KEY, "event_action": action, "dedup_key": "k", **changes}
        if action == "trigger":
            event["payload"] = {name: value for name, value in payload.items() if value is not None}
        sent = {name: value for name, value in event.items() if value is not None}
        async with self.http.post(f"{self.url}/v2/enqueue", json=sent) as answer:
            return answer.status, await answer.json() if answer.content_length else None


@pytest.fixture
async def caller(http: aiohttp.ClientSession, serve: "Serve", clock: "TestClock") -> Caller:
    pager = PagerDutySandbox(clock)
    pager.add_service(KEY)
    return Caller(http, await serve(pager), pager)


async def test_an_event_is_taken_with_its_key(caller: Caller) -> None:
    said = await caller.send()

    taken = {"status": "success", "message": "Event processed", "dedup_key": "k"}
    assert (202, taken) == said


async def test_the_same_key_is_one_incident_until_it_is_resolved(caller: Caller) -> None:
    for action in ("trigger", "trigger", "acknowledge", "trigger", "resolve", "trigger"):
        assert (await caller.send(action))[0] == 202
    first, second = caller.pager.incidents

    assert ("resolved", 3) == (first.status, first.triggers)
    assert ("triggered", 1) == (second.status, second.triggers)


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
async def test_of_an_unknown_key_it_is_dropped_and_answered_all_the_same(
    caller: Caller, action: str
) -> None:
    status, _ = await caller.send(action)

    assert (202, 1, 0) == (status, caller.pager.dropped, len(caller.pager.incidents))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"routing_key": KEY[:-1]}, "routing_key"),
        ({"routing_key": KEY[::-1]}, "routing_key"),
        ({"event_action": "close"}, "event_action"),
        ({"dedup_key": "k" * 256}, "dedup_key"),
        ({"payload": {"summary": "s" * 1025}}, "summary"),
        ({"payload": {"summary": None}}, "summary"),
        ({"payload": {"source": ""}}, "source"),
        ({"payload": {"severity": "high"}}, "severity"),
        ({"links": [{"href": "runbook"}]}, "href"),
    ],
)
async def test_a_rule_that_is_broken_is_named(
    caller: Caller, changes: dict[str, Any], named: str
) -> None:
    status, said = await caller.send(**changes)

    assert (400, "invalid event") == (status, said["status"])
    assert named in " ".join(said["errors"])
    assert not caller.pager.events


async def test_lengths_at_the_limit_are_taken(caller: Caller) -> None:
    status, _ = await caller.send(dedup_key="k" * 255, payload={"summary": "s" * 1024})

    assert 202 == status


async def test_an_acknowledge_needs_a_key(caller: Caller) -> None:
    assert 400 == (await caller.send("acknowledge", dedup_key=None))[0]


async def test_what_is_too_large_or_no_json_is_refused(caller: Caller) -> None:
    large = {"custom_details": {"x": "y" * MOST_BYTES}}
    async with caller.http.post(f"{caller.url}/v2/enqueue", data=b"{") as answer:
        no_json = answer.status

    assert 400 == (await caller.send(payload=large))[0] == no_json


async def test_too_many_in_a_minute_are_refused_until_it_is_over(
    caller: Caller, clock: "TestClock"
) -> None:
    taken = [(await caller.send())[0] for _ in range(MOST_A_MINUTE + 1)]
    clock.forward(minutes=1)

    assert [202] * MOST_A_MINUTE + [429] == taken
    assert 202 == (await caller.send())[0]


async def test_what_people_would_see_can_be_asked_for(caller: Caller) -> None:
    await caller.send()
    async with caller.http.get(f"{caller.url}/sandbox/incidents") as answer:
        (incident,) = await answer.json()

    assert ("k", "s", "triggered") == (incident["key"], incident["summary"], incident["status"])


async def test_it_fails_on_order(caller: Caller) -> None:
    caller.pager.fail(503, 0)
    first, _ = await caller.send()
    with pytest.raises(aiohttp.ClientError):
        await caller.send()

    assert (503, 202) == (first, (await caller.send())[0])


# Changes ---------------------------------------------------------------------------------------

CHANGE = {"routing_key": KEY, "payload": {"summary": "s"}}


async def change(caller: Caller, **changes: Any) -> tuple[int, Any]:
    payload = {**CHANGE["payload"], **changes.pop("payload", {})}  # type: ignore[dict-item]
    event = {**CHANGE, "payload": payload, **changes}
    async with caller.http.post(f"{caller.url}/v2/change/enqueue", json=event) as answer:
        return answer.status, await answer.json()


async def test_a_change_is_taken_and_is_no_incident(caller: Caller) -> None:
    details = {"timestamp": "2026-11-29T08:42:58.315+0000", "source": "h", "custom_details": {}}
    said = await change(caller, payload=details, links=[{"href": "https://ci.example.com/2"}])
    async with caller.http.get(f"{caller.url}/sandbox/changes") as answer:
        (seen,) = await answer.json()

    assert (202, {"status": "success", "message": "Change event processed"}) == said
    assert ("s", None) == (seen["payload"]["summary"], seen["routing_key"])
    assert 0 == len(caller.pager.incidents) == len(caller.pager.events)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"routing_key": KEY[:-1]}, "routing_key"),
        ({"routing_key": KEY[::-1]}, "routing_key"),
        ({"payload": {"summary": "s" * 1025}}, "summary"),
        ({"payload": {"summary": ""}}, "summary"),
        ({"payload": {"source": 7}}, "source"),
        ({"payload": {"timestamp": "yesterday"}}, "timestamp"),
        ({"payload": {"custom_details": "x"}}, "custom_details"),
        ({"links": [{"text": "no address"}]}, "href"),
    ],
)
async def test_a_rule_that_a_change_breaks_is_named(
    caller: Caller, changes: dict[str, Any], named: str
) -> None:
    status, said = await change(caller, **changes)

    assert 400 == status
    assert named in " ".join(said["errors"])
    assert not caller.pager.changes


async def on_call(caller: Caller, key: str = "a-key", **query: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Token token={key}"}
    url = f"{caller.url}/oncalls"
    async with caller.http.get(url, params=query, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_who_is_on_call_is_told_to_who_has_a_key(caller: Caller) -> None:
    caller.pager.on_call.keys.add("a-key")
    caller.pager.on_call.add("P1", "Ana", schedule="S1", policy="E1")
    caller.pager.on_call.add("P2", "Bia", schedule="S2", policy="E1")
    _, everybody = await on_call(caller)
    _, of_schedule = await on_call(caller, **{"schedule_ids[]": "S2"})
    _, of_policy = await on_call(caller, **{"escalation_policy_ids[]": "E1"})
    _, nobody = await on_call(caller, **{"schedule_ids[]": "S3"})
    (found,) = of_schedule["oncalls"]

    assert [2, 1, 2, 0] == [
        len(one["oncalls"]) for one in (everybody, of_schedule, of_policy, nobody)
    ]
    assert ("P2", "user_reference", "Bia") == tuple(
        found["user"][name] for name in ("id", "type", "summary")
    )
    assert (False, 0) == (everybody["more"], everybody["offset"])
    assert 401 == (await on_call(caller, key="another"))[0]
