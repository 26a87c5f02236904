"""Failures on order: what the caller sees of each, and what is stored all the same."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from trackai.sandbox.asgi import NotJson, parse_json
from trackai.sandbox.meta import MetaSandbox

Event = dict[str, Any]
MakeEvent = Callable[..., Event]
DATASET = "1234567890"

OUTAGES = [
    ({"kind": "http_500"}, 500, 1),
    ({"kind": "throttle"}, 400, 4),
    ({"kind": "throttle_buc", "minutes": 7}, 400, 80004),
    ({"kind": "throttle_429", "retry_after": 3}, 429, 4),
    ({"kind": "token_expired"}, 401, 190),
    ({"kind": "error", "code": 17, "subcode": 2446079}, 400, 17),
    ({"kind": "timeout", "seconds": 0.01}, 503, 2),
]


@pytest.mark.parametrize(("fault", "status", "code"), OUTAGES)
async def test_an_ordered_failure_happens_as_often_as_ordered_and_stores_nothing(
    caller: Any, meta: MetaSandbox, event: MakeEvent, fault: Event, status: int, code: int
) -> None:
    order = {"times": 2, "match": DATASET} | fault
    ordered = await caller.request("POST", "/sandbox/faults", json=order)
    answers = [await caller.post(event()) for _ in range(3)]

    assert ordered.status == 201
    assert [status, status, 200] == [a.status for a in answers]
    assert code == answers[0].code[1]
    assert meta.summary()["accepted"] == 1


async def test_throttling_says_in_its_headers_when_to_come_back(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("throttle_buc", minutes=7)
    meta.script_fault("throttle")
    meta.script_fault("throttle_429", retry_after=3)

    buc = json.loads((await caller.post(event())).headers["x-business-use-case-usage"])
    app = json.loads((await caller.post(event())).headers["x-app-usage"])
    plain = await caller.post(event())

    ((usage,),) = buc.values()
    assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 7)
    assert app["call_count"] == 100
    assert (plain.status, plain.headers["retry-after"]) == (429, "3")


async def test_garbage_is_a_yes_without_json_and_stores_nothing(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("garbage")

    status, body = await caller.raw(event())

    assert status == 200
    with pytest.raises(NotJson):
        parse_json(body)
    assert meta.summary()["accepted"] == 0


async def test_a_failure_for_one_dataset_leaves_the_others_alone(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("http_500", match="42")

    assert (await caller.post(event())).status == 200


async def test_a_proxys_error_page_is_no_json(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("http_503_html")

    answer = await caller.post(event())

    assert (answer.status, answer.headers["content-type"]) == (503, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_lost_answer_leaves_the_event_stored_and_the_caller_without_a_status(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("answer_lost")

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await caller.post(event())
    again = await caller.post(event())

    assert again.status == 200
    assert (meta.summary()["accepted"], meta.summary()["duplicates"]) == (1, 1)


async def test_a_truncated_answer_leaves_the_event_stored(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("truncated_json")

    answer = await caller.post(event())

    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert meta.summary()["accepted"] == 1


async def test_a_bad_event_can_be_found_by_halving_only(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("bad_event", times=None, event_id="3")

    whole = await caller.post(*(event(event_id=str(n)) for n in range(4)))
    half = await caller.post(event(event_id="0"), event(event_id="1"))
    other = await caller.post(event(event_id="3"))

    assert (400, 100, 2804019) == whole.code == other.code
    assert "[3]" not in whole.text
    assert half.status == 200


async def test_titles_come_in_other_languages_while_codes_stay(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("localized", locale="fr")
    thin = event(user_data={"ct": [hashlib.sha256(b"x").hexdigest()]})

    french, english = await caller.post(thin), await caller.post(thin)

    assert french.code == english.code == (400, 100, 2804050)
    assert french.json["error"]["error_user_title"] == "Informations client insuffisantes"
    assert french.json["error"]["error_user_title"] != english.json["error"]["error_user_title"]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rain"},
        {"kind": "http_500", "times": 0},
        {"kind": "http_500", "tiems": 2},
        {"kind": "timeout", "seconds": 1e9},
        {"kind": "throttle_429", "retry_after": -1},
        {"kind": "throttle_buc", "minutes": 1e9},
        {"kind": "error", "status": 200},
        {"kind": "bad_event"},
        {"kind": "localized", "locale": "xx"},
        {},
    ],
)
async def test_a_failure_that_cannot_be_acted_on_is_refused(caller: Any, fault: Event) -> None:
    answer = await caller.request("POST", "/sandbox/faults", json=fault)

    assert answer.status == 422
    assert answer.json["error"]


async def test_failures_can_be_called_off(caller: Any, event: MakeEvent) -> None:
    await caller.request("POST", "/sandbox/faults", json={"kind": "http_500", "times": None})
    failed = await caller.post(event())
    called_off = await caller.request("DELETE", "/sandbox/faults")

    assert (failed.status, called_off.status) == (500, 200)
    assert (await caller.post(event())).status == 200


async def test_usage_near_the_limit_is_told_and_the_event_is_taken(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("usage", percent=90)
    answer = await caller.post(event())

    ((usage,),) = json.loads(answer.headers["x-business-use-case-usage"]).values()
    assert (answer.status, usage["call_count"]) == (200, 90)
    assert meta.summary()["accepted"] == 1
