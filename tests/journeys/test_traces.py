"""One trace from webhook to Meta through two processes, as a collector gets it over HTTP."""

import asyncio
import gzip
from contextlib import ExitStack
from typing import TYPE_CHECKING

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.program import PATIENCE_S

from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.asgi import (
    Receive,
    Reply,
    Scope,
    Send,
    read_request,
    send_reply,
    serve_lifespan,
)
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.platforms import Person, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import address
from trackai.telemetry import tracing

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span
    from tests.conftest import Serve
    from tests.support.program import Place

SECRET = "a-secret-of-kiwify-0123456789"
WANTED = {tracing.WEBHOOK, tracing.RECEIPT, tracing.OWE, tracing.ATTEMPT}
TOKEN, PIXEL = "EAAtokenOfTheJourney0123456789", "123456789012345"


class Collector:
    """Takes traces as OTLP over HTTP has them."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self.complete = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        request = await read_request(scope, receive, max_body=10_000_000)
        assert request is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert ("POST", "/v1/traces") == (request.method, request.path)
        packed = headers.get("content-encoding") == "gzip"
        body = gzip.decompress(request.body) if packed else request.body
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scoped in resource.scope_spans:
                self.spans += scoped.spans
        if {one.name for one in self.spans} >= WANTED:
            self.complete.set()
        await send_reply(Reply(200, b"", content_type="application/x-protobuf"), receive, send)


async def connect(place: "Place", meta: tuple[MetaSandbox, str]) -> str:
    """Set a shop up; returns its webhook address's path."""
    sandbox, meta_url = meta
    sandbox.add_dataset(PIXEL)
    sandbox.add_token(TOKEN, datasets=[PIXEL])

    def work() -> str:
        place.json("tenant", "create", "Loja")
        url = place.json("gateway", "connect", "Loja", "kiwify", "--secret", SECRET)["webhook_url"]
        to_meta = ("--pixel", PIXEL, "--token", TOKEN, "--api-url", meta_url)
        place.json("destination", "connect", "Loja", "meta", *to_meta)
        return str(url[url.index("/api/") :])

    return await asyncio.to_thread(work)


@pytest.mark.xdist_group("traces")
async def test_a_sale_is_one_trace_through_all_processes(
    place: "Place",
    stack: ExitStack,
    serve: "Serve",
    meta: tuple[MetaSandbox, str],
    http: aiohttp.ClientSession,
) -> None:
    collector = Collector()
    path = await connect(place, meta)
    place.variables["TRACKAI_TRACES_URL"] = await serve(collector)
    server = stack.enter_context(place.start("serve", "--port", "0"))
    worker = stack.enter_context(place.start("worker"))
    base = (await asyncio.to_thread(server.wait_for, "serving"))["address"]
    seller = platform("kiwify", SECRET)
    sale = Sale(seller.transaction(new_id()), SystemClock().now(), buyer=Person())
    webhook = seller.notice(sale, SaleStatus.APPROVED)
    async with http.post(
        address(base + path, webhook),
        data=webhook.body,
        headers={"Content-Type": webhook.content_type, **webhook.headers},
    ) as answer:
        receipt_id = (await answer.json())["receipt_id"]
    await asyncio.to_thread(worker.wait_for, "delivery.attempted")
    async with asyncio.timeout(PATIENCE_S):
        await collector.complete.wait()
    by_id = {one.span_id: one for one in collector.spans}
    roots = [one.name for one in collector.spans if not one.parent_span_id]

    def way(span: "Span") -> list[str]:
        above = by_id.get(span.parent_span_id)
        return [span.name, *(way(above) if above is not None else [])]

    (attempt,) = [one for one in collector.spans if one.name == tracing.ATTEMPT]
    assert {receipt_id.replace("-", "")} == {one.trace_id.hex() for one in collector.spans}
    assert [tracing.WEBHOOK] == roots
    assert [tracing.ATTEMPT, tracing.OWE, tracing.RECEIPT, tracing.WEBHOOK] == way(attempt)
    assert {way(one)[-1] for one in collector.spans} == {tracing.WEBHOOK}
    buyer = Person()
    private = [buyer.email, buyer.phone, buyer.document, TOKEN, SECRET, buyer.last_name]
    assert [] == [word for word in private if word.encode() in collector.raw]


@pytest.mark.xdist_group("traces")
async def test_a_collector_that_is_away_stops_nothing(
    place: "Place", stack: ExitStack, http: aiohttp.ClientSession
) -> None:
    place.variables["TRACKAI_TRACES_URL"] = "http://127.0.0.1:1"
    program = stack.enter_context(place.start("up", "--port", "0"))
    base = (await asyncio.to_thread(program.wait_for, "up"))["address"]
    await asyncio.to_thread(program.wait_for, "up.nobody_may_sign_in")
    async with http.get(f"{base}/readyz") as answer:
        status = answer.status

    assert 200 == status
    assert 0 == await asyncio.to_thread(program.end)
