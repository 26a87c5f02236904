"""The stand-in over real HTTP: ways to send, who may, failures on order, what can be seen."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.meta.app import APP_ID, APP_SECRET

Event = dict[str, Any]
MakeEvent = Callable[..., Event]
DATASET = "1234567890"
TOKEN = "EAAsandboxtoken"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> tuple[int, int, int | None]:
        error = self.json["error"]
        return self.status, error["code"], error.get("error_subcode")


class Caller:
    """Posts to the sandbox as a caller of Graph would."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http = http
        self.base = base

    async def request(self, method: str, path: str, **more: Any) -> Answer:
        more.setdefault("allow_redirects", False)
        async with self.http.request(method, self.base + path, **more) as response:
            return Answer(response.status, response.headers, await response.text())

    async def post(self, *events: Event, dataset: str = DATASET, **more: Any) -> Answer:
        more.setdefault("headers", BEARER)
        body = {"data": list(events), **more.pop("extra", {})}
        return await self.request("POST", f"/v26.0/{dataset}/events", json=body, **more)


@pytest.fixture
async def caller(
    meta: MetaSandbox, serve: Callable[[Any], Awaitable[str]], http: aiohttp.ClientSession
) -> Caller:
    return Caller(http, await serve(meta))


async def test_a_valid_batch_is_taken_and_counted(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    answer = await caller.post(event(), event(event_id="2"))

    assert answer.status == 200
    assert {k: v for k, v in answer.json.items() if k != "fbtrace_id"} == {
        "events_received": 2,
        "messages": [],
    }
    assert answer.json["fbtrace_id"].startswith("A")
    assert "x-app-usage" in answer.headers
    assert DATASET in json.loads(answer.headers["x-business-use-case-usage"])
    assert [event(), event(event_id="2")] == [e.payload for e in meta.accepted()]


@pytest.mark.parametrize("double", [False, True])
async def test_forms_are_taken_with_data_as_text_and_as_the_sdk_encodes_it_twice(
    caller: Caller, meta: MetaSandbox, event: MakeEvent, *, double: bool
) -> None:
    data = [json.dumps(event())] if double else [event()]

    answer = await caller.request(
        "POST",
        f"/v26.0/{DATASET}/events",
        data={"data": json.dumps(data), "access_token": TOKEN},
    )

    assert answer.status == 200
    assert [event()] == [e.payload for e in meta.accepted()]
    assert meta.summary()["token_in"] == {"body": 1}


async def test_the_token_is_taken_from_the_query_too_and_counted_there(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    answer = await caller.post(event(), headers={}, params={"access_token": TOKEN})

    assert answer.status == 200
    assert meta.summary()["token_in"] == {"query": 1}


async def test_tokens_that_are_unknown_expired_or_absent_are_refused(
    caller: Caller, meta: MetaSandbox, event: MakeEvent, clock: Any
) -> None:
    meta.add_token("EAAold", expires_at=clock.now())

    unknown = await caller.post(event(), headers={"Authorization": "Bearer EAAother"})
    expired = await caller.post(event(), headers={"Authorization": "Bearer EAAold"})
    absent = await caller.post(event(), headers={})

    assert unknown.code == (401, 190, None)
    assert expired.code == (401, 190, 463)
    assert absent.code == (401, 104, None)
    assert meta.accepted() == []


async def test_a_dataset_that_is_unknown_or_not_assigned_is_refused_the_same_way(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.add_dataset("42")

    assert (await caller.post(event(), dataset="41")).code == (400, 100, 33)
    assert (await caller.post(event(), dataset="42")).code == (400, 100, 33)


async def test_a_token_without_the_scope_is_refused(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.add_token("EAAread", scopes=("ads_read",))

    answer = await caller.post(event(), headers={"Authorization": "Bearer EAAread"})

    assert answer.code == (403, 200, None)


async def test_an_appsecret_proof_is_checked_when_there_is_one(
    caller: Caller, event: MakeEvent
) -> None:
    proof = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()

    right = await caller.post(event(), params={"appsecret_proof": proof})
    wrong = await caller.post(event(), params={"appsecret_proof": proof[::-1]})

    assert right.status == 200
    assert wrong.code == (400, 100, None)
    assert "appsecret_proof" in wrong.json["error"]["message"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v20.0/1234567890/events", 2635),
        ("/v9.0/1234567890/events", 2635),
        ("/v99.0/1234567890/events", 2500),
        ("/1234567890/events", 2500),
        ("/v26.0/1234567890/stats", 2500),
        ("/v26.0", 2500),
    ],
)
async def test_paths_without_a_living_version_are_refused(
    caller: Caller, event: MakeEvent, path: str, code: int
) -> None:
    answer = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)

    assert (400, code, None) == answer.code


async def test_a_version_is_refused_from_the_day_it_ends(
    caller: Caller, event: MakeEvent, clock: Any
) -> None:
    path = f"/v21.0/{DATASET}/events"
    before = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)
    clock.moment = dt.datetime(2027, 1, 21, tzinfo=dt.UTC)
    after = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)

    assert (before.status, after.code[1]) == (200, 2635)


async def test_one_old_event_stores_nothing_of_its_batch(
    caller: Caller, meta: MetaSandbox, event: MakeEvent, clock: Any
) -> None:
    old = event(event_time=int(clock.now().timestamp()) - 8 * 86_400, event_id="old")

    answer = await caller.post(event(), old)

    assert answer.code == (400, 100, 2804003)
    assert answer.json["error"]["error_user_title"] == "Event Timestamp Too Old"
    assert meta.accepted() == []
    assert meta.summary()["refused"] == {"100/2804003": 1}


async def test_repeats_within_48_hours_are_received_and_discarded(
    caller: Caller, meta: MetaSandbox, event: MakeEvent, clock: Any
) -> None:
    await caller.post(event())
    clock.forward(hours=47)
    again = await caller.post(event(), event(event_name="Lead"))
    clock.forward(hours=1)
    await caller.post(event())

    assert again.json["events_received"] == 2
    assert [e.event_name for e in meta.duplicates] == ["Purchase"]
    assert [e.event_name for e in meta.accepted()] == ["Purchase", "Lead", "Purchase"]
    assert (meta.summary()["accepted"], meta.summary()["duplicates"]) == (3, 1)


async def test_events_without_an_id_are_never_duplicates(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    await caller.post(event(event_id=None), event(event_id=None))

    assert (meta.summary()["accepted"], meta.summary()["duplicates"]) == (2, 0)


NONSENSE = [
    b"",
    b"[]",
    b"null",
    b"{",
    b'{"data":null}',
    b'{"data":{}}',
    b'{"data":"x"}',
    b'{"data":["x"]}',
    b'{"data":[null]}',
    b'{"data":[[]]}',
    b"[" * 100_000,
    b'{"data":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"data":[{"event_name":[],"event_time":{},"action_source":[],"user_data":""}]}',
    b'{"data":[{"event_name":"a","event_time":1e400,"action_source":"web","user_data":{}}]}',
    b'{"data":[{"event_name":"a","event_time":' + b"9" * 5000 + b"}]}",
    b"\xff\xfe",
    b'{"data":"\\ud800"}',
    b'{"data":[],"access_token":[]}',
]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
)
async def test_whatever_is_sent_the_answer_is_a_refusal_and_not_a_crash(
    caller: Caller, kind: str
) -> None:
    headers = BEARER | {"Content-Type": kind}
    paths = (f"/v26.0/{DATASET}/events", "/sandbox/faults", "/sandbox/tokens")

    answers = [
        await caller.request("POST", path, data=body, headers=headers)
        for body in NONSENSE
        for path in paths
    ]

    assert {answer.status for answer in answers} <= {400, 401, 422}


async def test_a_body_above_the_cap_is_refused(
    serve: Any, http: aiohttp.ClientSession, clock: Any
) -> None:
    caller = Caller(http, await serve(MetaSandbox(clock, max_body=1000)))

    answer = await caller.request("POST", f"/v26.0/{DATASET}/events", data=b"x" * 1001)

    assert answer.code == (413, -3, None)


async def test_only_the_newest_events_are_kept_and_counters_stay_exact(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    await caller.post(*(event(event_id=str(n)) for n in range(250)))

    assert [str(n) for n in range(150, 250)] == [e.event_id for e in meta.accepted()]
    assert meta.summary()["accepted"] == 250


OUTAGES = [
    ({"kind": "http_500"}, 500, 1),
    ({"kind": "throttle"}, 400, 4),
    ({"kind": "throttle_buc", "minutes": 7}, 400, 80004),
    ({"kind": "token_expired"}, 401, 190),
    ({"kind": "error", "code": 17, "subcode": 2446079}, 400, 17),
    ({"kind": "timeout", "seconds": 0.01}, 503, 2),
]


@pytest.mark.parametrize(("fault", "status", "code"), OUTAGES)
async def test_an_ordered_failure_happens_as_often_as_ordered_and_stores_nothing(
    caller: Caller, meta: MetaSandbox, event: MakeEvent, fault: Event, status: int, code: int
) -> None:
    order = {"times": 2, "match": DATASET} | fault
    ordered = await caller.request("POST", "/sandbox/faults", json=order)
    answers = [await caller.post(event()) for _ in range(3)]

    assert ordered.status == 201
    assert [status, status, 200] == [a.status for a in answers]
    assert code == answers[0].code[1]
    assert meta.summary()["accepted"] == 1


async def test_throttling_says_in_its_headers_when_to_come_back(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("throttle_buc", minutes=7)
    meta.script_fault("throttle")

    buc = json.loads((await caller.post(event())).headers["x-business-use-case-usage"])
    app = json.loads((await caller.post(event())).headers["x-app-usage"])

    ((usage,),) = buc.values()
    assert (usage["call_count"], usage["estimated_time_to_regain_access"]) == (100, 7)
    assert app["call_count"] == 100


async def test_a_failure_for_one_dataset_leaves_the_others_alone(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("http_500", match="42")

    assert (await caller.post(event())).status == 200


async def test_a_proxys_error_page_is_no_json(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("http_503_html")

    answer = await caller.post(event())

    assert (answer.status, answer.headers["content-type"]) == (503, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


async def test_a_lost_answer_leaves_the_event_stored_and_the_caller_without_a_status(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("answer_lost")

    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await caller.post(event())
    again = await caller.post(event())

    assert again.status == 200
    assert (meta.summary()["accepted"], meta.summary()["duplicates"]) == (1, 1)


async def test_a_truncated_answer_leaves_the_event_stored(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("truncated_json")

    answer = await caller.post(event())

    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)
    assert meta.summary()["accepted"] == 1


async def test_a_bad_event_can_be_found_by_halving_only(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.script_fault("bad_event", times=None, event_id="3")

    whole = await caller.post(*(event(event_id=str(n)) for n in range(4)))
    half = await caller.post(event(event_id="0"), event(event_id="1"))
    other = await caller.post(event(event_id="3"))

    assert (400, 100, 2804019) == whole.code == other.code
    assert "[3]" not in whole.text
    assert half.status == 200


async def test_titles_come_in_other_languages_while_codes_stay(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
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
        {"kind": "error", "status": 200},
        {"kind": "bad_event"},
        {"kind": "localized", "locale": "xx"},
        {},
    ],
)
async def test_a_failure_that_cannot_be_acted_on_is_refused(caller: Caller, fault: Event) -> None:
    answer = await caller.request("POST", "/sandbox/faults", json=fault)

    assert answer.status == 422
    assert answer.json["error"]


async def test_datasets_and_tokens_are_registered_over_http_until_a_reset(
    caller: Caller, event: MakeEvent
) -> None:
    await caller.request("POST", "/sandbox/datasets", json={"id": "42", "name": "Outra"})
    await caller.request(
        "POST",
        "/sandbox/tokens",
        json={"token": "EAAnew", "datasets": ["42"], "expires_at": "2027-01-01T00:00:00Z"},
    )
    headers = {"Authorization": "Bearer EAAnew"}
    before = await caller.post(event(), dataset="42", headers=headers)
    await caller.request("POST", "/sandbox/reset")
    after = await caller.post(event(), dataset="42", headers=headers)

    assert (before.status, after.status) == (200, 401)


async def test_a_time_without_a_zone_is_refused(caller: Caller) -> None:
    answer = await caller.request(
        "POST", "/sandbox/tokens", json={"token": "t", "expires_at": "2027-01-01T00:00:00"}
    )

    assert answer.status == 422


async def test_events_can_be_listed_by_dataset_and_name(caller: Caller, event: MakeEvent) -> None:
    await caller.post(event(), event(event_name="Lead"))

    found = await caller.request("GET", "/sandbox/events?event_name=Lead")
    none = await caller.request("GET", "/sandbox/events?dataset=41")

    assert [e["event_name"] for e in found.json["events"]] == ["Lead"]
    assert none.json["count"] == 0


async def test_the_test_events_view_shows_those_with_the_code_and_they_count_all_the_same(
    caller: Caller, meta: MetaSandbox, event: MakeEvent
) -> None:
    await caller.post(event(), extra={"test_event_code": "TEST123"})
    await caller.post(event(event_id="2"))

    seen = await caller.request("GET", "/sandbox/test-events?code=TEST123")

    assert [e["event_id"] for e in seen.json["events"]] == ["perfectpay:PPCPMTB1"]
    assert meta.summary()["accepted"] == 2


@pytest.mark.parametrize(
    ("accept_language", "words"),
    [("pt-BR,pt;q=0.9", "Eventos recebidos"), ("en-US,en;q=0.9", "Events received")],
)
async def test_the_page_speaks_both_languages_and_escapes_what_arrived(
    caller: Caller, event: MakeEvent, accept_language: str, words: str
) -> None:
    await caller.post(event(event_name="<script>alert(1)</script>"))

    page = await caller.request(
        "GET",
        "/sandbox/test-events?view=all",
        headers={"Accept": "text/html", "Accept-Language": accept_language},
    )

    assert words in page.text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_debug_token_describes_a_token_to_the_app_and_to_nobody_else(
    caller: Caller, meta: MetaSandbox, clock: Any
) -> None:
    meta.add_token("EAAold", datasets=[DATASET], expires_at=clock.now() - dt.timedelta(days=1))
    path, app = "/v26.0/debug_token", {"access_token": f"{APP_ID}|{APP_SECRET}"}

    good = await caller.request("GET", path, params=app | {"input_token": TOKEN})
    old = await caller.request("GET", path, params=app | {"input_token": "EAAold"})
    none = await caller.request("GET", path, params=app | {"input_token": "EAAnone"})
    stranger = await caller.request(
        "GET", path, params={"input_token": TOKEN, "access_token": "1|x"}
    )

    data = good.json["data"]
    assert (data["is_valid"], data["expires_at"], data["type"]) == (True, 0, "SYSTEM_USER")
    assert data["granular_scopes"][0]["target_ids"] == [DATASET]
    assert (old.json["data"]["is_valid"], old.json["data"]["error"]["subcode"]) == (False, 463)
    assert (none.json["data"]["is_valid"], none.json["data"]["scopes"]) == (False, [])
    assert stranger.code == (401, 190, None)
