"""Lists, charts and exports of analytics over the API."""

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.api.test_campaigns import LAUNCH, buy, visit
from tests.api.test_dead_letters import Front, front

from trackai.accounts.api_keys import ApiScope
from trackai.analytics import export
from trackai.analytics.rows import Event
from trackai.api.app import create_api
from trackai.api.tools import ApiTools
from trackai.gateways.registry import gateways
from trackai.housekeeping.rollups import Folder
from trackai.ingest.throttle import Throttle
from trackai.model.click import Utm
from trackai.model.clock import new_id
from trackai.storage import events
from trackai.storage.events import Page, Place, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Serve

    from trackai.storage.pool import Tx

__all__ = ["front"]

ANALYTICS = "/api/v1/analytics/"
ADDRESSES = (
    *("metrics", "match-rate", "performance", "campaigns", "events", "dispatch-attempts"),
    *("export.csv", "export.json"),
)


async def ask(front: Front, what: str, key: str | None = None) -> "Mapping[str, Any]":
    key = key or await front.key(ApiScope.READ)
    status, answer = await front.call("GET", ANALYTICS + what, key)
    assert status == 200, answer
    found: Mapping[str, Any] = answer
    return found


async def download(front: Front, what: str) -> str:
    headers = {"Authorization": f"Bearer {await front.key(ApiScope.READ)}"}
    async with front.http.get(front.url + ANALYTICS + what, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert "attachment" in answer.headers["content-disposition"]
        return await answer.text()


async def test_events_are_paged_to_the_end_each_once(front: Front) -> None:
    for _ in range(7):
        await buy(front, None)
    key = await front.key(ApiScope.READ)
    seen, after = [], ""
    while True:
        page = await ask(front, f"events?limit=3{after}", key)
        seen += [one["id"] for one in page["events"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    rows = await front.world.rows("select id from deliveries where tenant_id = $1")

    assert len(seen) == 7
    assert set(seen) == {str(row["id"]) for row in rows}


async def test_an_event_says_what_it_is_of_and_nothing_of_the_buyer(front: Front) -> None:
    click = await visit(front, LAUNCH)
    await buy(front, click, "ana", amount_minor=1_990)
    (event,) = (await ask(front, "events"))["events"]

    assert (event["gateway"], event["status"], event["sale_status"]) == (
        *("kiwify", "pending"),
        "approved",
    )
    assert (event["strategy"], event["click_id"]) == ("click_id", click)
    assert (event["campaign"], event["content"]) == ("Lançamento|55", "Vídeo 1|99")
    assert (event["amount_minor"], event["currency"]) == (1_990, "BRL")
    assert "exemplo.com.br" not in json.dumps(event)


async def test_filters_find_few_among_many_and_the_place_goes_on(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await buy(front, await visit(front, LAUNCH))
    for _ in range(5):
        await buy(front, None)
    monkeypatch.setattr(events, "MOST_SCANNED", 2)
    key, pages, after = await front.key(ApiScope.READ), 0, ""
    found: list[Any] = []
    while True:
        page = await ask(front, f"events?campaign=Lan%C3%A7amento%7C55{after}", key)
        found, pages = [*found, *page["events"]], pages + 1
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert [one["campaign"] for one in found] == ["Lançamento|55"]
    # Six rows, two a page, and one that finds nothing more.
    assert pages == 4


async def test_one_event_is_found_by_its_id(front: Front) -> None:
    for _ in range(3):
        await buy(front, None)
    all_of_them = (await ask(front, "events"))["events"]
    wanted = all_of_them[1]["event_id"]
    (event,) = (await ask(front, f"events?event_id={wanted}"))["events"]

    assert event["id"] == all_of_them[1]["id"]
    assert (await ask(front, "events?event_id=none"))["events"] == []
    assert (await ask(front, "events?status=dead"))["events"] == []
    assert len((await ask(front, "events?status=pending&gateway=kiwify"))["events"]) == 3


async def test_tries_are_listed_with_their_event(front: Front) -> None:
    await front.world.fill(front.world.account)
    (attempt,) = (await ask(front, "dispatch-attempts"))["attempts"]

    assert (attempt["status"], attempt["reason"]) == ("deferred", "transient_error")
    assert attempt["event_name"] == "Purchase"
    by_id = await ask(front, f"dispatch-attempts?event_id={attempt['event_id']}")
    assert [one["id"] for one in by_id["attempts"]] == [attempt["id"]]
    assert (await ask(front, "dispatch-attempts?status=accepted"))["attempts"] == []
    assert (await ask(front, "dispatch-attempts?event_id=none"))["attempts"] == []


async def test_match_rate_is_told_over_time_by_gateway_and_by_strategy(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH))
    await buy(front, None)
    await buy(front, None, gateway="hotmart")
    found = await ask(front, "match-rate?period=7d")

    assert (found["sales"], found["matched"]) == (3, 1)
    assert found["strategies"] == {"unmatched": 2, "click_id": 1}
    assert {one["gateway"]: one["match_rate"] for one in found["gateways"]} == {
        "hotmart": 0.0,
        "kiwify": 0.5,
    }
    assert sum(one["sales"] for one in found["buckets"]) == 3
    assert (found["grain"], len(found["buckets"])) == ("hour", 7 * 24)
    assert found["previous"] == {"sales": 0, "matched": 0, "match_rate": None}


async def test_performance_tells_stages_and_buckets(front: Front) -> None:
    await front.world.fill(front.world.account)
    found = await ask(front, "performance?period=1h")

    assert set(found["stages"]) == {"match", "wait", "call", "whole"}
    assert found["previous"]["stages"]["whole"]["p95_ms"] is None
    assert found["previous"]["period"]["to"] == found["period"]["from"]
    assert found["grain"] == "minute"
    assert sum(one["attempts"] for one in found["buckets"]) == 1
    assert found["waiting"] == 1


async def test_outcomes_tell_how_tries_went_and_why(front: Front) -> None:
    account = front.world.account
    await front.world.fill(account)
    await front.dead(1)
    await Folder(front.world.workers, front.world.clock).step()
    await front.dead(2)  # not folded in yet
    found = (await ask(front, "performance?period=7d"))["outcomes"]
    dead = (await ask(front, "performance?period=7d&status=dead"))["outcomes"]
    elsewhere = (await ask(front, "performance?period=7d&gateway=stripe"))["outcomes"]

    assert sum(one["attempts"] for one in found) == 1
    assert [(one["status"], one["deliveries"]) for one in dead] == [
        ("dead", 4)
    ]  # with the one that was tried
    assert dead[0]["reason"]
    assert elsewhere == []


async def test_an_export_holds_every_row_once(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 2)
    for _ in range(5):
        await buy(front, await visit(front, Utm(source="FB", campaign='=HYPERLINK("x")')))
    rows = list(csv.DictReader(io.StringIO(await download(front, "export.csv"))))
    told = json.loads(await download(front, "export.json"))
    none = json.loads(await download(front, "export.json?status=dead"))
    tries = await download(front, "export.csv?what=dispatch-attempts")

    assert [row["id"] for row in rows] == [one["id"] for one in told]
    assert len({row["id"] for row in rows}) == 5
    # No spreadsheet runs it.
    assert {row["campaign"] for row in rows} == {'\'=HYPERLINK("x")'}
    assert none == []
    assert tries.splitlines()[0].startswith("id,created_at,delivery_id")


async def test_sales_are_exported_with_what_became_of_them(front: Front) -> None:
    await buy(front, await visit(front, LAUNCH), amount_minor=1_990)
    await buy(front, None, gateway="hotmart")
    told = json.loads(await download(front, "export.json?what=conversions"))
    paid = json.loads(await download(front, "export.json?what=conversions&status=approved"))
    (one,) = json.loads(await download(front, "export.json?what=conversions&gateway=kiwify"))
    headers = {"Authorization": f"Bearer {await front.key(ApiScope.READ)}"}
    url = f"{front.url}{ANALYTICS}export.csv?what=conversions&status=accepted"
    async with front.http.get(url, headers=headers) as answer:
        assert answer.status == 422

    assert len(told) == len(paid) == 2
    assert (one["amount_minor"], one["campaign"]) == (1_990, "Lançamento|55")
    assert (one["status"], one["refunded_minor"], one["bought_before"]) == ("approved", 0, False)


async def test_whoever_leaves_in_the_middle_of_an_export_tears_nothing(
    front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 1)
    for _ in range(30):
        await buy(front, None)
    headers = {"Authorization": f"Bearer {await front.key(ApiScope.READ)}"}
    for _ in range(30):
        async with front.http.get(front.url + ANALYTICS + "export.csv", headers=headers) as answer:
            await answer.content.read(200)
            answer.close()
    whole = await download(front, "export.csv")

    assert len(whole.splitlines()) == 31
    assert [one for one in caplog.records if one.levelname in {"ERROR", "CRITICAL"}] == []


@pytest.mark.parametrize(
    "sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}"]
)
def test_no_spreadsheet_runs_a_text(sign: str) -> None:
    assert export._cell(f"{sign}1+1") == f"'{sign}1+1"


@pytest.mark.parametrize("value", [-5, 0.5, None, True, "", "a=1", "2026-11-03", "'a"])
def test_numbers_and_plain_texts_are_exported_as_they_are(value: object) -> None:
    assert export._cell(value) == value


async def test_every_access_is_written_down(front: Front) -> None:
    key = await front.key(ApiScope.READ)
    headers = {"Authorization": f"Bearer {key}"}
    for address in ADDRESSES:
        async with front.http.get(
            front.url + ANALYTICS + address + "?gateway=kiwify", headers=headers
        ) as answer:
            assert answer.status == 200
    rows = await front.world.rows(
        "select actor, subject, details from audit_logs"
        " where tenant_id = $1 and action = 'analytics.read'"
    )

    assert {row["subject"] for row in rows} == set(ADDRESSES)
    assert all(row["details"] == {"gateway": "kiwify"} for row in rows)
    assert all(row["actor"].startswith("key:") for row in rows)


async def test_an_answer_that_is_known_is_not_sent_again(front: Front) -> None:
    headers = {"Authorization": f"Bearer {await front.key(ApiScope.READ)}"}
    url = front.url + ANALYTICS + "metrics"
    async with front.http.get(url, headers=headers) as first:
        etag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, max-age=1"
    async with front.http.get(url, headers={**headers, "If-None-Match": etag}) as again:
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["etag"] == etag
    await buy(front, None)
    async with front.http.get(url, headers={**headers, "If-None-Match": etag}) as changed:
        assert changed.status == 200
        assert changed.headers["etag"] != etag


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"{one}?period=fortnight", "period") for one in ADDRESSES),
        *((f"{one}?period=%00", "period") for one in ADDRESSES),
        *((f"{one}?gateway=hotmrt", "gateway") for one in ADDRESSES),
        *((f"{one}?colour=red", "colour") for one in ADDRESSES),
        ("events?after=nonsense", "after"),
        ("events?after=MDAwMS0wMS0wMSAx", "after"),
        ("events?limit=0", "limit"),
        ("events?status=deferred", "status"),
        ("events?event_id=%00", "event_id"),
        ("dispatch-attempts?status=dead", "status"),
        ("dispatch-attempts?campaign=x", "campaign"),
        ("export.csv?what=everything", "what"),
        ("export.csv?status=deferred", "status"),
        ("export.json?what=dispatch-attempts&status=dead", "status"),
        ("export.json?what=dispatch-attempts&campaign=x", "campaign"),
        ("campaigns?level=colour", "level"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_the_field(
    front: Front, query: str, field: str
) -> None:
    status, answer = await front.call("GET", ANALYTICS + query, await front.key(ApiScope.READ))

    assert (status, answer["error"]["field"]) == (422, field), answer


@pytest.mark.parametrize("address", ADDRESSES)
async def test_who_may_not_is_refused(front: Front, address: str) -> None:
    assert (await front.call("GET", ANALYTICS + address, None))[0] == 401
    key = await front.key(ApiScope.DELIVER)
    assert (await front.call("GET", ANALYTICS + address, key))[0] == 403


@pytest.mark.parametrize("address", ["events", "dispatch-attempts", "export.json"])
async def test_another_tenant_sees_none_of_it(front: Front, address: str) -> None:
    await front.world.fill(front.world.account)
    other = await front.world.open_account("Outra")
    key = await front.key(ApiScope.READ, account=other)
    event_id = (await front.world.rows("select event_id from deliveries where tenant_id = $1"))[0][
        0
    ]
    _, found = await front.call("GET", ANALYTICS + address, key)
    _, by_id = await front.call("GET", f"{ANALYTICS}{address}?event_id={event_id}", key)

    assert next(iter(found.values()) if isinstance(found, dict) else iter([found])) == []
    assert next(iter(by_id.values()) if isinstance(by_id, dict) else iter([by_id])) == []


async def test_a_place_of_another_tenant_is_only_a_time(front: Front) -> None:
    for _ in range(2):
        await buy(front, None)
    place = (await ask(front, "events?limit=1"))["next"]
    other = await front.world.open_account("Outra")
    key = await front.key(ApiScope.READ, account=other)
    found = await ask(front, f"events?after={place}", key)

    assert found == {"events": [], "next": None}


async def test_who_asks_too_often_is_told_when_to_come_back(front: Front, serve: "Serve") -> None:
    world, throttle = front.world, Throttle(rate=0.1, burst=2, monotonic=lambda: 0.0)
    tools = ApiTools(world.people, world.edge, world.clock, new_id, throttle, [*gateways()])
    narrow = Front(world, front.http, await serve(create_api(tools)))
    other = await world.open_account("Outra")
    mine, theirs = await front.key(ApiScope.READ), await front.key(ApiScope.READ, account=other)
    asked = [await narrow.call("GET", ANALYTICS + "metrics", mine) for _ in range(3)]
    headers = {"Authorization": f"Bearer {mine}"}
    async with front.http.get(narrow.url + ANALYTICS + "export.csv", headers=headers) as answer:
        wait_s = int(answer.headers["retry-after"])
    of_others = await narrow.call("GET", ANALYTICS + "metrics", theirs)

    assert [status for status, _ in asked] == [200, 200, 429]
    assert asked[2][1]["error"]["code"] == "too_many_requests"
    assert 0 < wait_s <= 10
    assert of_others[0] == 200


async def test_an_export_reads_no_page_before_it_is_wanted(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_ROWS", 1)
    for _ in range(4):
        await buy(front, None)
    pages = 0

    async def counted(tx: "Tx", wanted: Wanted, after: Place, **more: Any) -> Page:
        nonlocal pages
        pages += 1
        return await events.list_events(tx, wanted, after, **more)

    now, account = front.world.clock.now(), front.world.account
    rows = export.Stored(
        front.world.people,
        account.tenant.id,
        export.Kind(counted, Event, ()),
        Wanted(now - dt.timedelta(days=1)),
        Place.before(now + dt.timedelta(days=1)),
    )
    told = rows.pages()
    seen = [len(await anext(told)), pages, len(await anext(told)), pages]
    rest = [len(page) async for page in told]

    assert seen == [1, 1, 1, 2]
    assert sum(rest) == 2


def test_throttles_are_per_tenant() -> None:
    throttle = Throttle(rate=1.0, burst=1, monotonic=lambda: 0.0)
    mine, theirs = new_id(), new_id()

    assert throttle.wait_s(mine) == 0
    assert throttle.wait_s(mine) > 0
    assert throttle.wait_s(theirs) == 0
