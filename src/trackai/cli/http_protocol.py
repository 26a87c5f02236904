"""HTTP/1.1 on one connection: uvicorn's protocol with a short way and a bound on slow heads.

A request that arrives in one piece, as a page's report does, is answered without ASGI in between:
no scope, no events, one write. Everything else goes uvicorn's way. What was gained is measured in
`benchmarks/ingest.py`.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from trackai.ingest.wire import HANG_UP, Answer, Request

# Longest wait for a request's first line and headers, from its first byte or the connection's.
HEAD_TIMEOUT_S = 20.0
# Most bytes of head, trailers or chunk lines without a byte of body between them.
MOST_HEAD_BYTES = 64 * 1024
# Requests that wait behind the one under way; no browser and no platform sends more at once.
MOST_PIPELINED = 16
# Longest wait for a client to read what was written to it.
READ_TIMEOUT_S = 30.0
_POST = b"POST"


@runtime_checkable
class AnswersWhole(Protocol):
    """An application that can also be asked without ASGI."""

    def handles(self, path: str) -> bool:
        """Tell whether this path may be asked that way."""
        ...

    def answer(self, method: str, path: str, request: Request) -> Awaitable[Answer | None]:
        """Return the answer to a request, None when there is nobody to answer."""
        ...


class _Cycle(RequestResponseCycle):
    """What uvicorn asks about a request under way, for one that goes the short way."""

    message_event = asyncio.Event()  # nobody waits for it: the body is there

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers = self.app if isinstance(self.app, AnswersWhole) else None
        self._held = False  # a head has come that may go the short way once its body is there
        self._body = b""
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._bytes_without_body = 0
        self._in_body = False

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._head_has_come()
        self._write_has_gone()
        # Those that wait will not be asked any more; each holds a request.
        self.pipeline.clear()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._bytes_without_body += len(data)
        super().data_received(data)
        if self._bytes_without_body > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._held = False
            self.send_400_response("The request's head is larger than 64 KiB.")
        if self._held:
            self._held = False
            if not self.transport.is_closing():
                self._go_the_long_way()
                super().on_body(self._body)
        if self._head_timer is None and self._is_free():
            self._await_head()

    def _is_free(self) -> bool:
        # uvicorn's type says that there always is a cycle; before the first request there is none.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _await_head(self) -> None:
        if not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self.timeout_keep_alive_handler)

    def _head_has_come(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(READ_TIMEOUT_S, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_has_gone()

    def _write_has_gone(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    @override
    def on_message_begin(self) -> None:
        self._in_body = False
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are no headers (RFC 9110, 6.5.1): they came after the request was judged.
        if not self._in_body:
            super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._head_has_come()
        self._in_body = True
        self._bytes_without_body = 0
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")  # answered with 400, and the end
        self._held = self._may_go_the_short_way()
        self._body = b""
        if not self._held:
            self._go_the_long_way()

    def _may_go_the_short_way(self) -> bool:
        url, parser, most = self.url, self.parser, self.limit_concurrency or 1
        return (
            self._answers is not None
            and parser.get_method() == _POST
            and self._is_free()
            and not self.expect_100_continue
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
            and url.startswith(b"/")
            and url.isascii()
            and b"#" not in url
            and len(self.connections) < most
            and len(self.tasks) < most
            and self._answers.handles(_path(url))
        )

    def _go_the_long_way(self) -> None:
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expected
        self.headers.extend(headers)
        super().on_headers_complete()

    @override
    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        if self._held:
            self._body += body
        else:
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        self._bytes_without_body = 0
        if not self._held:
            super().on_message_complete()
            return
        self._held = False
        request = Request(
            self.headers,
            query_string=self.url.partition(b"?")[2],
            peer=self.client[0] if self.client else None,
            body=self._body,
        )
        self.cycle = cycle = _Cycle(keep_alive=self.parser.should_keep_alive())
        task = self.loop.create_task(self._respond(cycle, _path(self.url), request))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _respond(self, cycle: _Cycle, path: str, request: Request) -> None:
        assert self._answers is not None  # noqa: S101 - for the type checker
        try:
            answer = await self._answers.answer("POST", path, request)
            if self.flow.write_paused:
                await self.flow.drain()
            if answer is None or cycle.disconnected:
                return
            cycle.keep_alive = cycle.keep_alive and HANG_UP not in answer.headers
            self.transport.write(_bytes_of(answer, self.server_state.default_headers, cycle))
            cycle.response_complete = True
        finally:
            if not (cycle.response_complete and cycle.keep_alive):
                self.transport.close()
        self.on_response_complete()


def _path(url: bytes) -> str:
    path = url.partition(b"?")[0].decode("ascii")
    return unquote(path) if "%" in path else path


def _bytes_of(answer: Answer, default_headers: list[tuple[bytes, bytes]], cycle: _Cycle) -> bytes:
    lines = [STATUS_LINE[answer.status]]
    for name, value in (*default_headers, *answer.headers):
        lines += (name, b": ", value, b"\r\n")
    if not cycle.keep_alive and HANG_UP not in answer.headers:
        lines.append(b"connection: close\r\n")
    lines.append(b"content-length: %d\r\n\r\n" % len(answer.body))
    lines.append(answer.body)
    return b"".join(lines)
