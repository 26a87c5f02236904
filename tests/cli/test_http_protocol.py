"""One connection, spoken byte by byte: the short way and uvicorn's give the same answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.conftest import Serve

from trackai.cli import http_protocol
from trackai.cli.http import address_of, http_server, listening
from trackai.ingest.wire import HANG_UP, Answer, Request

BODY = b'{"a":1}'
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)
WHOLE, ASGI = "whole", "asgi"
PATIENCE_S = 60.0
CHUNK_BYTES = 65_536


class Echo:
    """Answers which way a request came, and what it was."""

    def __init__(self) -> None:
        self.hold: asyncio.Event | None = None
        self.arrived = asyncio.Event()
        self.fails = False

    def handles(self, path: str) -> bool:
        return path.startswith("/echo")

    async def answer(self, method: str, path: str, request: Request) -> Answer | None:
        return await self._answer(WHOLE, method, path, request)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request.of(scope, receive)
        answer = await self._answer(ASGI, scope["method"], scope["path"], request)
        await answer.send(send)

    async def _answer(self, way: str, method: str, path: str, request: Request) -> Answer:
        body = await request.body(1_000_000)
        self.arrived.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.fails:
            raise RuntimeError("on purpose")
        said = [method, path, request.query, body.decode(), request.peer or ""]
        headers = (
            (b"x-way", way.encode()),
            *([HANG_UP] if b"x-hang-up" in request.headers else []),
        )
        return Answer(200, "|".join(said).encode(), headers)


class Line:
    """A client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], str]:
        """Read one answer: status, headers, body."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split()[1]), headers, body.decode()

    async def rest(self) -> bytes:
        """Read until the server hangs up, in whichever way."""
        said = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE_S):
                while piece := await self._reader.read(CHUNK_BYTES):
                    said += piece
        return said


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def request(
    target: str = "/echo?q=1", body: bytes = BODY, *lines: str, method: str = "POST"
) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def url(serve: Serve, echo: Echo) -> str:
    return await serve(echo)


async def test_request_in_one_piece_goes_the_short_way(url: str) -> None:
    async with line_to(url) as line:
        await line.send(request())
        status, headers, body = await line.answer()

    assert (200, WHOLE) == (status, headers["x-way"])
    assert f"POST|/echo|q=1|{BODY.decode()}|127.0.0.1" == body
    assert "date" in headers


async def test_request_cut_anywhere_gets_the_same_answer(url: str) -> None:
    raw = request("/echo/a?q=1")
    expected = f"POST|/echo/a|q=1|{BODY.decode()}|127.0.0.1"
    ways = set()
    async with line_to(url) as line:
        for cut in range(1, len(raw)):
            await line.send(raw[:cut])
            # The server must have read the first part alone, or there would be no cut.
            await asyncio.sleep(0.001)
            await line.send(raw[cut:])
            status, headers, body = await line.answer()
            ways.add(headers["x-way"])
            assert (200, expected) == (status, body)

    assert {WHOLE, ASGI} == ways


@pytest.mark.parametrize(
    ("raw", "way", "body"),
    [
        (
            request("/echo/a%20b%2F?x=%20"),
            WHOLE,
            f"POST|/echo/a b/|x=%20|{BODY.decode()}|127.0.0.1",
        ),
        (request("/echo"), WHOLE, f"POST|/echo||{BODY.decode()}|127.0.0.1"),
        (request("/echo", b""), WHOLE, "POST|/echo|||127.0.0.1"),
        (request("/other"), ASGI, f"POST|/other||{BODY.decode()}|127.0.0.1"),
        (request("http://here/echo?q"), ASGI, f"POST|/echo|q|{BODY.decode()}|127.0.0.1"),
        (request("/echo", b"", method="GET"), ASGI, "GET|/echo|||127.0.0.1"),
        (request("/echo#part"), ASGI, f"POST|/echo||{BODY.decode()}|127.0.0.1"),
        (
            CHUNKED,
            WHOLE,
            "POST|/echo||abcde|127.0.0.1",
        ),
    ],
)
async def test_every_form_of_request_is_understood(
    url: str, raw: bytes, way: str, body: str
) -> None:
    async with line_to(url) as line:
        await line.send(raw)
        status, headers, said = await line.answer()

    assert (200, way, body) == (status, headers["x-way"], said)


async def test_large_body_is_taken(url: str) -> None:
    async with line_to(url) as line:
        await line.send(request("/echo", b"x" * 900_000))
        status, _, body = await line.answer()

    assert (200, 900_000) == (status, body.count("x"))


async def test_connection_is_kept_and_both_ways_may_follow_each_other(url: str) -> None:
    ways = []
    async with line_to(url) as line:
        for target in ("/echo", "/other", "/echo", "/other", "/echo"):
            await line.send(request(target))
            ways.append((await line.answer())[1]["x-way"])

    assert [WHOLE, ASGI, WHOLE, ASGI, WHOLE] == ways


async def test_requests_sent_at_once_are_answered_in_order(url: str) -> None:
    targets = ["/echo/1", "/other/2", "/echo/3", "/echo/4", "/other/5"]
    async with line_to(url) as line:
        await line.send(b"".join(map(request, targets)))
        paths = [(await line.answer())[2].split("|")[1] for _ in targets]

    assert targets == paths


@pytest.mark.parametrize(
    "raw",
    [
        request("/echo", BODY, "Connection: close"),
        request("/echo", BODY, "X-Hang-Up: 1"),
        request("/echo").replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_connection_is_closed_where_either_side_says_so(url: str, raw: bytes) -> None:
    async with line_to(url) as line:
        await line.send(raw)
        status, headers, _ = await line.answer()
        rest = await line.rest()

    assert (200, "close", b"") == (status, headers["connection"], rest)


async def test_client_that_waits_to_be_told_to_go_on_is_told(url: str) -> None:
    head, _, body = request("/echo", BODY, "Expect: 100-continue").partition(b"\r\n\r\n")
    async with line_to(url) as line:
        await line.send(head + b"\r\n\r\n")
        told, _, _ = await line.answer()
        await line.send(body)
        status, _, _ = await line.answer()

    assert (100, 200) == (told, status)


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"POST /echo HTTP/9.9\r\n\r\n",
        b"POST /\xff\xfe HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_400_and_the_end(url: str, raw: bytes) -> None:
    async with line_to(url) as line:
        await line.send(raw)
        status, headers, _ = await line.answer()
        rest = await line.rest()

    assert (400, "close", b"") == (status, headers["connection"], rest)


async def test_application_that_fails_ends_the_connection_only(url: str, echo: Echo) -> None:
    loop = asyncio.get_running_loop()
    failures: list[str] = []
    loop.set_exception_handler(lambda _loop, context: failures.append(str(context["exception"])))
    echo.fails = True
    async with line_to(url) as line:
        await line.send(request())
        rest = await line.rest()
    echo.fails = False
    async with line_to(url) as line:
        await line.send(request())
        status, _, _ = await line.answer()

    assert (b"", 200) == (rest, status)


async def test_client_that_leaves_early_harms_nobody(url: str, echo: Echo) -> None:
    echo.hold = asyncio.Event()
    for _ in range(5):
        async with line_to(url) as line:
            await line.send(request())
            await echo.arrived.wait()
    echo.hold.set()
    async with line_to(url) as line:
        await line.send(request())
        status, _, _ = await line.answer()

    assert status == 200


async def test_head_that_does_not_end_is_hung_up_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
    async with line_to(url) as line:
        await line.send(b"POST /echo HTTP/1.1\r\nX-Slow: ")
        # A byte now and then does not buy more time.
        dripping = asyncio.create_task(_drip(line))
        rest = await line.rest()
        dripping.cancel()

    assert rest == b""


async def _drip(line: Line) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await asyncio.sleep(0.02)
            await line.send(b"x")


async def test_silent_connection_is_hung_up_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
    async with line_to(url) as line:
        rest = await line.rest()

    assert rest == b""


async def test_second_head_that_does_not_end_is_hung_up_on(
    url: str, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo.hold = asyncio.Event()
    async with line_to(url) as line:
        await line.send(request())
        # The first has come in its time, however long that was.
        await echo.arrived.wait()
        monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
        echo.hold.set()
        status, _, _ = await line.answer()
        await line.send(b"POST /echo HT")
        rest = await line.rest()

    assert (200, b"") == (status, rest)


async def test_request_under_way_is_answered_before_the_server_ends(echo: Echo) -> None:
    echo.hold = asyncio.Event()
    async with AsyncExitStack() as lines:
        with listening("127.0.0.1", 0) as listener:
            async with http_server(echo, listener):
                line = await lines.enter_async_context(line_to(address_of(listener)))
                await line.send(request())
                await echo.arrived.wait()
                asyncio.get_running_loop().call_later(0.2, echo.hold.set)
        # Here the server has ended.
        status, headers, _ = await line.answer()

    assert (200, "close", WHOLE) == (status, headers["connection"], headers["x-way"])


@pytest.mark.parametrize(
    "opening",
    [
        b"POST /echo HTTP/1.1\r\n",
        b"POST /echo HTTP/1.1\r\nOne-Endless: ",
        b"POST /echo?",
        b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"POST /other HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ],
)
async def test_endless_head_or_trailers_are_cut_off(url: str, opening: bytes) -> None:
    filling = b"a: 1\r\n" * 1000 if opening.endswith(b"\n") else b"a" * 6000
    async with line_to(url) as line:
        await line.send(opening)
        sent = 0
        # Until the server hangs up; a server without a bound would take it all.
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                await line.send(filling)
                sent += len(filling)
                await asyncio.sleep(0)

    assert sent < 6_000_000


async def test_trailers_do_not_become_headers(url: str) -> None:
    raw = CHUNKED.removesuffix(b"\r\n") + b"X-Hang-Up: 1\r\n\r\n"
    async with line_to(url) as line:
        await line.send(raw)
        _, first, _ = await line.answer()
        await line.send(raw)
        status, _, _ = await line.answer()

    assert (None, 200) == (first.get("connection"), status)


async def test_flood_of_pipelined_requests_is_cut_off(url: str) -> None:
    many = request("/other", b"") * 200
    async with line_to(url) as line:
        with contextlib.suppress(ConnectionError):
            await line.send(many)
        said = await line.rest()

    assert said.count(b"200 OK") <= http_protocol.MOST_PIPELINED + 1
    assert b"400 Bad Request" in said


async def test_client_that_does_not_read_is_hung_up_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "READ_TIMEOUT_S", 0.3)
    raw = request("/echo", b"x" * 900_000)
    async with line_to(url) as line, asyncio.timeout(PATIENCE_S):
        with pytest.raises(ConnectionError):
            await _send_on(line, raw)


async def _send_on(line: Line, raw: bytes) -> None:
    """Send without end: the answers fill the buffers between, nobody takes them out."""
    while True:
        await line.send(raw)
