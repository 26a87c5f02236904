import asyncio
import contextlib
import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from trackai.destinations.http import HttpLimits, open_http
from trackai.destinations.meta.destination import MOST_REQUESTS, MetaDestination
from trackai.destinations.port import Destination
from trackai.destinations.registry import destinations
from trackai.errors import InvalidField
from trackai.model.delivery import Accepted, Deferred, Outcome, OutgoingEvent, Rejected
from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking
from trackai.model.tenant import DestinationAccount
from trackai.telemetry.metrics import FIELDS_DROPPED

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TOKEN = "EAAtoken"
PIXEL = "1234567890"

Events = list[dict[str, Any]]
Reply = Callable[[web.Request, Events], Awaitable[web.StreamResponse]]


class StillClock:
    def now(self) -> dt.datetime:
        return NOW


@dataclass
class Graph:
    """A tiny Graph: answers by script, then says yes; remembers what it was asked."""

    url: str = ""
    script: list[Reply] = field(default_factory=list)
    rule: Reply | None = None  # instead of yes
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        return [len(body["data"]) for body in self.bodies]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read() or b'{"data":[]}')
        self.requests.append(request)
        self.bodies.append(body)
        reply = self.script.pop(0) if self.script else self.rule or yes
        return await reply(request, body["data"])


async def yes(_request: web.Request, events: Events) -> web.Response:
    return web.json_response({"events_received": len(events), "messages": [], "fbtrace_id": "A1"})


def replies(
    status: int, body: object, headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)

    async def reply(_request: web.Request, _events: Events) -> web.Response:
        return web.Response(status=status, text=text, headers=headers, content_type=kind)

    return reply


def refuses(code: int, subcode: int | None = None, words: str = "", status: int = 400) -> Reply:
    error = {
        "message": "Invalid parameter",
        "type": "OAuthException",
        "code": code,
        "error_subcode": subcode,
        "is_transient": False,
        "error_user_title": "Título localizado",
        "error_user_msg": words,
        "fbtrace_id": "A2",
    }
    return replies(status, {"error": error})


def blames(bad: set[str], *, names_it: bool) -> Reply:
    """Refuse every request that has one of these events in it, as Meta does."""

    async def reply(request: web.Request, events: Events) -> web.StreamResponse:
        positions = [place for place, event in enumerate(events) if event["event_id"] in bad]
        if not positions:
            return await yes(request, events)
        words = f"The parameter $['data'][{positions[0]}]['user_data'] is required."
        return await refuses(100, 2804019, words if names_it else "")(request, events)

    return reply


async def cut(request: web.Request, _events: Events) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def cut_in_the_body(request: web.Request, _events: Events) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"events_received":1')
    assert request.transport is not None
    request.transport.close()
    return response


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    graph = Graph()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", graph.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    graph.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield graph
    await runner.cleanup()


@pytest.fixture
async def meta() -> AsyncIterator[Destination]:
    async with open_http(HttpLimits(total_s=60)) as http:
        yield destinations(http, StillClock())["meta"]


def account(graph: Graph, **changes: Any) -> DestinationAccount:
    values: dict[str, Any] = {
        "tenant_id": uuid.UUID(int=1),
        "id": uuid.UUID(int=2),
        "funnel_id": None,
        "kind": "meta",
        "pixel_id": PIXEL,
        "token": TOKEN,
        "api_url": graph.url,
    }
    return DestinationAccount(**(values | changes))


def sale(number: int, **changes: Any) -> OutgoingEvent:
    values: dict[str, Any] = {
        "delivery_id": uuid.UUID(int=number),
        "event_name": "Purchase",
        "event_id": f"kiwify:{number}",
        "event_time": NOW - dt.timedelta(minutes=5),
        "gateway": "kiwify",
        "transaction": str(number),
        "money": Money(19700, "BRL"),
        "product": Product("p1", "Curso"),
        "buyer": Buyer(email=f"ana{number}@exemplo.com.br"),
        "tracking": Tracking(),
        "click": None,
    }
    return OutgoingEvent(**(values | changes))


def sales(count: int) -> list[OutgoingEvent]:
    return [sale(number) for number in range(count)]


def kinds(outcomes: Sequence[Outcome]) -> list[type[Outcome]]:
    return [type(outcome) for outcome in outcomes]


async def the_one_deferral(
    meta: Destination, graph: Graph, reply: Reply, count: int = 3
) -> Deferred:
    """Send a batch that gets one answer; return what all its events share."""
    graph.script = [reply]
    outcomes = await meta.send(account(graph), sales(count))
    first = outcomes[0]
    assert isinstance(first, Deferred)
    assert {first} == set(outcomes)
    assert len(graph.requests) == 1
    return first


async def test_accepted_events_carry_the_facts_of_their_request(
    meta: Destination, graph: Graph
) -> None:
    outcomes = await meta.send(account(graph), sales(3))

    assert [Accepted, Accepted, Accepted] == kinds(outcomes)
    assert (200, "A1", 3) == (
        outcomes[0].facts.http_status,
        outcomes[0].facts.trace_id,
        outcomes[0].facts.batch_size,
    )
    assert outcomes[0].facts.duration_ms > 0


async def test_the_token_travels_in_the_header_and_never_in_the_address(
    meta: Destination, graph: Graph
) -> None:
    await meta.send(account(graph, test_event_code="TEST1"), sales(1))

    request = graph.requests[0]
    assert f"/v26.0/{PIXEL}/events" == request.path_qs
    assert f"Bearer {TOKEN}" == request.headers["Authorization"]
    assert request.headers["Content-Type"] == "application/json"
    assert graph.bodies[0]["test_event_code"] == "TEST1"
    assert TOKEN not in json.dumps(graph.bodies[0])


async def test_events_meta_would_refuse_are_rejected_here_and_the_others_go_on(
    meta: Destination, graph: Graph
) -> None:
    events = [sale(0), sale(1, event_time=NOW - dt.timedelta(days=8)), sale(2, money=None), sale(3)]
    outcomes = await meta.send(account(graph), events)

    assert [Accepted, Rejected, Rejected, Accepted] == kinds(outcomes)
    assert ["event_too_old", "money_missing"] == [
        outcome.reason for outcome in outcomes if isinstance(outcome, Rejected)
    ]
    assert [["kiwify:0", "kiwify:3"]] == [
        [event["event_id"] for event in body["data"]] for body in graph.bodies
    ]


async def test_nothing_is_sent_when_no_event_can_be(meta: Destination, graph: Graph) -> None:
    outcomes = await meta.send(account(graph), [sale(0, buyer=Buyer(city="Recife"))])

    assert [Rejected] == kinds(outcomes)
    assert graph.requests == []


async def test_dropped_fields_are_counted(meta: Destination, graph: Graph) -> None:
    counter = FIELDS_DROPPED.labels("meta", "ph")
    before = counter._value.get()
    buyer = Buyer(email="ana@exemplo.com.br", phone="190")
    await meta.send(account(graph), [sale(0, buyer=buyer), sale(1, buyer=buyer)])

    assert before + 2 == counter._value.get()


@pytest.mark.parametrize(("names_it", "most_requests"), [(True, 3), (False, 21)])
async def test_one_bad_event_among_a_thousand_is_found_and_the_others_are_taken(
    meta: Destination, graph: Graph, *, names_it: bool, most_requests: int
) -> None:
    graph.rule = blames({"kiwify:617"}, names_it=names_it)
    outcomes = await meta.send(account(graph), sales(1000))

    rejected = [place for place, outcome in enumerate(outcomes) if isinstance(outcome, Rejected)]
    assert rejected == [617]
    assert kinds(outcomes).count(Accepted) == 999
    assert len(graph.requests) <= most_requests


async def test_a_rejection_tells_metas_title_and_the_path_and_no_value(
    meta: Destination, graph: Graph
) -> None:
    words = "The parameter $['data'][0]['user_data'] is wrong: ana@exemplo.com.br."
    graph.script = [refuses(100, 2804019, words)]
    outcome = (await meta.send(account(graph), sales(1)))[0]

    assert isinstance(outcome, Rejected)
    assert outcome.detail == "Título localizado $['data'][0]['user_data']"
    assert (outcome.facts.error_code, outcome.facts.error_subcode) == (100, 2804019)


async def test_a_wrong_index_costs_a_request_and_no_event(meta: Destination, graph: Graph) -> None:
    graph.script = [refuses(100, 2804019, "$['data'][0]['user_data']")]
    graph.rule = blames({"kiwify:2"}, names_it=False)
    outcomes = await meta.send(account(graph), sales(4))

    assert [Accepted, Accepted, Rejected, Accepted] == kinds(outcomes)


async def test_an_index_outside_the_batch_is_not_believed(meta: Destination, graph: Graph) -> None:
    graph.script = [refuses(100, 2804019, "$['data'][99]['user_data']")]
    outcomes = await meta.send(account(graph), sales(2))

    assert [Accepted, Accepted] == kinds(outcomes)
    assert graph.sizes == [2, 1, 1]


async def test_a_batch_of_bad_events_alone_ends_within_the_bound(
    meta: Destination, graph: Graph
) -> None:
    graph.rule = refuses(100, 2804050)
    outcomes = await meta.send(account(graph), sales(200))

    assert len(graph.requests) == MOST_REQUESTS
    assert {"user_data_thin", "batch_unresolved"} == {
        outcome.reason for outcome in outcomes if not isinstance(outcome, Accepted)
    }
    assert Rejected in kinds(outcomes)


async def test_too_much_data_is_halved_until_it_fits(meta: Destination, graph: Graph) -> None:
    async def at_most_three(request: web.Request, events: Events) -> web.StreamResponse:
        reply = yes if len(events) <= 3 else refuses(-3)
        return await reply(request, events)

    graph.rule = at_most_three
    outcomes = await meta.send(account(graph), sales(10))

    assert [Accepted] * 10 == kinds(outcomes)
    assert graph.sizes == [10, 5, 2, 3, 5, 2, 3]


async def test_an_event_that_is_too_large_alone_is_rejected(
    meta: Destination, graph: Graph
) -> None:
    graph.rule = replies(413, "<html>", kind="text/html")
    outcomes = await meta.send(account(graph), sales(1))

    assert isinstance(outcomes[0], Rejected)
    assert outcomes[0].reason == "event_too_large"


async def test_a_refused_token_defers_all_and_stops(meta: Destination, graph: Graph) -> None:
    outcome = await the_one_deferral(meta, graph, refuses(190, 463, status=401))

    assert outcome.reason == "token_refused"
    assert outcome.facts.http_status == 401


async def test_throttling_defers_for_as_long_as_meta_asks(meta: Destination, graph: Graph) -> None:
    reply = replies(429, {"error": {"code": 4, "message": "limit"}}, {"Retry-After": "120"})
    outcome = await the_one_deferral(meta, graph, reply)

    assert (outcome.reason, outcome.retry_after_s) == ("throttled", 120.0)


async def test_throttling_in_the_midst_of_a_search_leaves_the_rest_unsent(
    meta: Destination, graph: Graph
) -> None:
    limit = replies(429, "{}", {"Retry-After": "7"})
    graph.script = [refuses(100), refuses(100), yes, limit]
    outcomes = await meta.send(account(graph), sales(8))

    assert [Accepted] * 2 + [Deferred] * 6 == kinds(outcomes)
    assert graph.sizes == [8, 4, 2, 2]
    last = outcomes[-1]
    assert isinstance(last, Deferred)
    assert (last.reason, last.retry_after_s) == ("throttled", 7.0)


async def test_an_error_page_defers(meta: Destination, graph: Graph) -> None:
    outcome = await the_one_deferral(
        meta, graph, replies(500, "<html>Sorry</html>", kind="text/html")
    )

    assert (outcome.reason, outcome.facts.http_status) == ("transient_error", 500)


async def test_a_proxys_refusal_is_not_taken_for_metas(meta: Destination, graph: Graph) -> None:
    outcome = await the_one_deferral(meta, graph, replies(403, "<html>", kind="text/html"))

    assert outcome.reason == "unreadable_answer"


async def test_a_yes_that_is_cut_short_defers(meta: Destination, graph: Graph) -> None:
    outcome = await the_one_deferral(meta, graph, replies(200, '{"events_receiv'))

    assert outcome.reason == "unreadable_answer"


async def test_a_yes_to_another_number_defers_and_is_logged(
    meta: Destination, graph: Graph
) -> None:
    with capture_logs() as logs:
        outcome = await the_one_deferral(
            meta, graph, replies(200, {"events_received": 2, "messages": []})
        )

    assert outcome.reason == "events_received_differs"
    assert ["meta.count_differs"] == [line["event"] for line in logs]


async def test_a_redirect_is_not_followed(meta: Destination, graph: Graph) -> None:
    outcome = await the_one_deferral(
        meta, graph, replies(302, "", {"Location": f"{graph.url}/elsewhere"})
    )

    assert outcome.reason == "unreadable_answer"


@pytest.mark.parametrize("reply", [cut, cut_in_the_body])
async def test_a_cut_connection_defers(meta: Destination, graph: Graph, reply: Reply) -> None:
    outcome = await the_one_deferral(meta, graph, reply)

    assert outcome.reason == "unreachable"
    assert outcome.facts.http_status is None


async def test_a_closed_port_defers(meta: Destination) -> None:
    outcomes = await meta.send(account(Graph(url="http://127.0.0.1:9")), sales(2))

    assert ["unreachable"] * 2 == [
        outcome.reason for outcome in outcomes if isinstance(outcome, Deferred)
    ]


async def test_a_stalled_answer_defers_as_timeout(graph: Graph) -> None:
    never = asyncio.Event()

    async def stall(_request: web.Request, _events: Events) -> web.Response:
        with contextlib.suppress(asyncio.CancelledError):
            await never.wait()
        return web.Response()

    async with open_http(HttpLimits(total_s=0.2)) as http:
        meta = MetaDestination(http, StillClock())
        outcome = await the_one_deferral(meta, graph, stall)
    never.set()

    assert outcome.reason == "timeout"


async def test_an_endless_answer_is_read_only_to_the_limit(graph: Graph) -> None:
    async def endless(request: web.Request, _events: Events) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65536)
        return response

    async with open_http(HttpLimits(total_s=60, answer_bytes=100_000)) as http:
        meta = MetaDestination(http, StillClock())
        outcome = await the_one_deferral(meta, graph, endless)

    assert outcome.reason == "unreadable_answer"


@pytest.mark.parametrize(
    "wrong",
    [
        {"pixel_id": "12/../me"},
        {"pixel_id": ""},
        {"token": "EAA\r\nX-Evil: 1"},
        {"token": ""},
        {"api_url": "ftp://host"},
    ],
)
async def test_a_wrong_account_defers_without_a_request(
    meta: Destination, graph: Graph, wrong: dict[str, str]
) -> None:
    outcomes = await meta.send(account(graph, **wrong), sales(2))

    assert ["account_invalid"] * 2 == [
        outcome.reason for outcome in outcomes if isinstance(outcome, Deferred)
    ]
    assert graph.requests == []


async def test_a_wrong_account_is_told_without_a_request(meta: Destination, graph: Graph) -> None:
    wrong = account(graph, pixel_id="x")
    health = await meta.check_token(wrong)

    assert health.valid is False
    assert graph.requests == []
    with pytest.raises(InvalidField, match="digits"):
        meta.validate(wrong)


async def test_more_than_meta_takes_goes_in_several_requests(
    meta: Destination, graph: Graph
) -> None:
    outcomes = await meta.send(account(graph), sales(1001))

    assert [Accepted] * 1001 == kinds(outcomes)
    assert graph.sizes == [1000, 1]


async def test_a_retired_version_is_logged_once(meta: Destination, graph: Graph) -> None:
    header = {"X-Ad-Api-Version-Warning": "The call has been auto-upgraded to v28.0"}
    graph.rule = replies(200, {"events_received": 1, "messages": []}, header)
    with capture_logs() as logs:
        await meta.send(account(graph), sales(1))
        await meta.send(account(graph), sales(1))

    assert ["meta.version_retired"] == [line["event"] for line in logs]


async def test_nothing_of_buyer_or_token_is_logged_or_told(meta: Destination, graph: Graph) -> None:
    graph.rule = refuses(190, words=f"Malformed access token {TOKEN} of ana0@exemplo.com.br")
    with capture_logs() as logs:
        outcomes = await meta.send(account(graph), sales(1))

    told = repr(outcomes) + repr(logs)
    assert TOKEN not in told
    assert "exemplo" not in told


async def test_a_valid_token_is_told_with_its_end_and_scopes(
    meta: Destination, graph: Graph
) -> None:
    ends = NOW + dt.timedelta(days=30)
    data = {
        "is_valid": True,
        "expires_at": int(ends.timestamp()),
        "data_access_expires_at": 0,
        "scopes": ["ads_management"],
    }
    graph.script = [replies(200, {"data": data})]
    health = await meta.check_token(account(graph))

    assert health.valid is True
    assert health.expires_at == ends
    assert health.scopes == ("ads_management",)
    assert graph.requests[0].path == "/v26.0/debug_token"
    assert TOKEN not in health.found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (replies(200, {"id": "1"}), True),  # the scopes named an ad account that has the pixel
        (refuses(100, subcode=33), False),
        (refuses(1, status=500), True),  # not told: no reason to refuse it
    ],
)
async def test_scopes_that_name_something_else_are_asked_about(
    meta: Destination, graph: Graph, answer: Any, *, expected: bool
) -> None:
    granular = [{"scope": "ads_management", "target_ids": ["act_1"]}]
    data = {"is_valid": True, "scopes": ["ads_management"], "granular_scopes": granular}
    graph.script = [replies(200, {"data": data}), answer]
    health = await meta.check_token(account(graph))

    assert health.valid is expected
    assert [one.path for one in graph.requests] == ["/v26.0/debug_token", f"/v26.0/{PIXEL}"]


async def test_a_token_that_cannot_be_asked_about_is_neither_valid_nor_not(
    meta: Destination, graph: Graph
) -> None:
    unreachable = await meta.check_token(account(graph, api_url="http://127.0.0.1:9"))
    graph.script = [refuses(100)]
    refused = await meta.check_token(account(graph))

    assert (None, None) == (unreachable.valid, refused.valid)


async def test_a_token_meta_refuses_is_not_valid(meta: Destination, graph: Graph) -> None:
    graph.script = [refuses(190, status=401)]
    health = await meta.check_token(account(graph))

    assert health.valid is False
