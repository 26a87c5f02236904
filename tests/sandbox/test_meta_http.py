"""The stand-in over real HTTP: ways to send, who may, failures on order, what can be seen."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.meta.app import APP_ID, APP_SECRET

Event = dict[str, Any]
MakeEvent = Callable[..., Event]
DATASET = "1234567890"
TOKEN = "EAAsandboxtoken"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def test_a_valid_batch_is_taken_and_counted(
    caller: Any, meta: MetaSandbox, event: MakeEvent
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
    caller: Any, meta: MetaSandbox, event: MakeEvent, *, double: bool
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
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    answer = await caller.post(event(), headers={}, params={"access_token": TOKEN})

    assert answer.status == 200
    assert meta.summary()["token_in"] == {"query": 1}


async def test_tokens_that_are_unknown_expired_or_absent_are_refused(
    caller: Any, meta: MetaSandbox, event: MakeEvent, clock: Any
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
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.add_dataset("42")

    assert (await caller.post(event(), dataset="41")).code == (400, 100, 33)
    assert (await caller.post(event(), dataset="42")).code == (400, 100, 33)


async def test_a_token_without_the_scope_is_refused(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    meta.add_token("EAAread", scopes=("ads_read",))

    answer = await caller.post(event(), headers={"Authorization": "Bearer EAAread"})

    assert answer.code == (403, 200, None)


async def test_an_appsecret_proof_is_checked_when_there_is_one(
    caller: Any, event: MakeEvent
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
    caller: Any, event: MakeEvent, path: str, code: int
) -> None:
    answer = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)

    assert (400, code, None) == answer.code


async def test_a_version_is_refused_from_the_day_it_ends(
    caller: Any, event: MakeEvent, clock: Any
) -> None:
    path = f"/v21.0/{DATASET}/events"
    before = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)
    clock.moment = dt.datetime(2027, 1, 21, tzinfo=dt.UTC)
    after = await caller.request("POST", path, json={"data": [event()]}, headers=BEARER)

    assert (before.status, after.code[1]) == (200, 2635)


async def test_one_old_event_stores_nothing_of_its_batch(
    caller: Any, meta: MetaSandbox, event: MakeEvent, clock: Any
) -> None:
    old = event(event_time=int(clock.now().timestamp()) - 8 * 86_400, event_id="old")

    answer = await caller.post(event(), old)

    assert answer.code == (400, 100, 2804003)
    assert answer.json["error"]["error_user_title"] == "Event Timestamp Too Old"
    assert meta.accepted() == []
    assert meta.summary()["refused"] == {"100/2804003": 1}


async def test_repeats_within_48_hours_are_received_and_discarded(
    caller: Any, meta: MetaSandbox, event: MakeEvent, clock: Any
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
    caller: Any, meta: MetaSandbox, event: MakeEvent
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
    caller: Any, kind: str
) -> None:
    headers = BEARER | {"Content-Type": kind}
    paths = (f"/v26.0/{DATASET}/events", "/sandbox/faults", "/sandbox/tokens")

    answers = [
        await caller.request("POST", path, data=body, headers=headers)
        for body in NONSENSE
        for path in paths
    ]

    assert {answer.status for answer in answers} <= {400, 401, 422}


async def test_a_body_above_the_cap_is_refused(caller: Any, serve: Any, clock: Any) -> None:
    caller.base = await serve(MetaSandbox(clock, max_body=1000))

    answer = await caller.request("POST", f"/v26.0/{DATASET}/events", data=b"x" * 1001)

    assert answer.code == (413, -3, None)


async def test_only_the_newest_events_are_kept_and_counters_stay_exact(
    caller: Any, meta: MetaSandbox, event: MakeEvent
) -> None:
    await caller.post(*(event(event_id=str(n)) for n in range(250)))

    assert [str(n) for n in range(150, 250)] == [e.event_id for e in meta.accepted()]
    assert meta.summary()["accepted"] == 250


async def test_datasets_and_tokens_are_registered_over_http_until_a_reset(
    caller: Any, event: MakeEvent
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


async def test_what_ads_cost_is_posted_and_told_as_meta_does(caller: Any) -> None:
    day = {"date_start": "2026-11-28", "campaign_id": "55", "campaign_name": "Launch"}
    rows = [{**day, "ad_id": "99", "ad_name": "Video 1", "spend": "12.34"}]
    asked = "level=ad&time_increment=1&fields=spend,ad_id,account_currency"
    asked += "&time_range=%7B%22since%22:%222026-11-28%22,%22until%22:%222026-11-28%22%7D"
    await caller.request("POST", "/sandbox/tokens", json={"token": "reads", "scopes": ["ads_read"]})
    posted = await caller.request("POST", "/sandbox/ad-days", json={"account": "123", "rows": rows})
    refused = await caller.request(
        "POST", "/sandbox/ad-days", json={"account": "act_123", "rows": rows}
    )
    told = await caller.request(
        "GET", f"/v26.0/act_123/insights?{asked}", headers={"Authorization": "Bearer reads"}
    )

    assert (posted.status, refused.status) == (201, 422)
    assert told.json["data"] == [
        {
            "spend": "12.34",
            "ad_id": "99",
            "account_currency": "BRL",
            "date_start": "2026-11-28",
            "date_stop": "2026-11-28",
        }
    ]


async def test_a_time_without_a_zone_is_refused(caller: Any) -> None:
    answer = await caller.request(
        "POST", "/sandbox/tokens", json={"token": "t", "expires_at": "2027-01-01T00:00:00"}
    )

    assert answer.status == 422


async def test_events_can_be_listed_by_dataset_and_name(caller: Any, event: MakeEvent) -> None:
    await caller.post(event(), event(event_name="Lead"))

    found = await caller.request("GET", "/sandbox/events?event_name=Lead")
    none = await caller.request("GET", "/sandbox/events?dataset=41")

    assert [e["event_name"] for e in found.json["events"]] == ["Lead"]
    assert none.json["count"] == 0


async def test_the_test_events_view_shows_those_with_the_code_and_they_count_all_the_same(
    caller: Any, meta: MetaSandbox, event: MakeEvent
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
    caller: Any, event: MakeEvent, accept_language: str, words: str
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
    caller: Any, meta: MetaSandbox, clock: Any
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
