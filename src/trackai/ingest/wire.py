"""HTTP as ASGI gives it: a request's headers and bounded body, and answers ready to send.

No framework: on this path the framework would cost more than the work.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from trackai.errors import (
    BodyTooLarge,
    BodyTooSlow,
    ProofFailed,
    TrackaiError,
    Unavailable,
    UnsupportedBody,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json")
ANY_ORIGIN: Header = (b"access-control-allow-origin", b"*")
EXPOSED: Header = (b"access-control-expose-headers", b"retry-after")
# Ends the connection after the answer, so that the rest of a refused body is not read.
HANG_UP: Header = (b"connection", b"close")

# Longest wait for a whole body.
BODY_TIMEOUT_S = 30.0
# Most bytes of unfinished bodies in this process; over it callers are told to come back.
MOST_UNFINISHED_BYTES = 128 * 1024 * 1024


class ClientGone(Exception):
    """The client hung up before its body was complete; there is nobody to answer."""


class NotProved(ProofFailed):
    """A webhook without proof; `reason` says to whoever set it up what was wrong."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Answer(NamedTuple):
    """A response, complete."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [*self.headers, (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class Request:
    """A request whose body has been read whole, or has not been read."""

    __slots__ = ("_receive", "_whole", "all_headers", "headers", "peer", "query_string")

    def __init__(
        self,
        headers: Sequence[Header],
        *,
        query_string: bytes,
        peer: str | None,
        body: bytes | Receive,
    ) -> None:
        """`peer` is the address of the other end; `body` the bytes, or where to get them."""
        self.all_headers = headers
        self.headers = dict(headers)
        self.query_string = query_string
        self.peer = peer
        self._whole = body if isinstance(body, bytes) else b""
        self._receive = None if isinstance(body, bytes) else body

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> Self:
        """Return the request of an ASGI call."""
        client: Sequence[str] | None = scope.get("client")
        return cls(
            scope["headers"],
            query_string=scope["query_string"],
            peer=client[0] if client else None,
            body=receive,
        )

    @property
    def query(self) -> str:
        """The query string as sent, without '?'."""
        return self.query_string.decode("latin-1")

    def all_of(self, name: bytes) -> list[str]:
        """Return every value of a header that may come more than once."""
        return [value.decode("latin-1") for key, value in self.all_headers if key == name]

    async def body(self, most: int) -> bytes:
        """Read the body, encoded as is; BodyTooLarge as soon as more than `most` bytes come."""
        encoding = self.headers.get(b"content-encoding", b"")
        if encoding.strip().lower() not in (b"", b"identity"):
            raise UnsupportedBody("Send the body without content encoding (not compressed).")
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > most:
            raise _too_large(most)
        receive = self._receive
        if receive is None:
            if len(self._whole) > most:
                raise _too_large(most)
            return self._whole
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                return await _read(receive, most)
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time.") from None


class Bounded:
    """An application behind what reads its bodies: whole, in time, and up to a bound."""

    def __init__(
        self,
        app: AsgiApp,
        most: int,
        *,
        headers: tuple[Header, ...] = (),
        check: Callable[[Scope], None] | None = None,
        told: Callable[[Scope, TrackaiError], Answer] | None = None,
    ) -> None:
        """`told` makes the answer of a refusal; without it that is JSON, with these headers."""
        self._app = app
        self._most = most
        self._check = check  # raises for what is not even read
        self._told = told or (lambda _, error: refusal(error, headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if self._check is not None:
                self._check(scope)
            body = await Request.of(scope, receive).body(self._most)
        except ClientGone:
            return
        except TrackaiError as error:
            await self._told(scope, error).send(send)
            return
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)


def refusal(error: TrackaiError, headers: tuple[Header, ...] = ()) -> Answer:
    """Return the answer for an error, with Retry-After where waiting helps."""
    about = {"code": error.code, "message": str(error)}
    if error.field is not None:
        about["field"] = error.field
    if isinstance(error, NotProved):
        about["reason"] = error.reason
    more: list[Header] = [JSON_TYPE, *headers]
    if error.retry_after_s is not None:
        more.append((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after_s))))
    if isinstance(error, BodyTooLarge | BodyTooSlow):
        more.append(HANG_UP)
    return Answer(error.status, msgspec.json.encode({"error": about}), tuple(more))


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {most} bytes.")


class _Unfinished:
    """How much memory the bodies on their way take, all together."""

    def __init__(self) -> None:
        self.held = 0

    def take(self, size: int) -> None:
        """Count bytes in; Unavailable when there is no room."""
        self.held += size
        if self.held > MOST_UNFINISHED_BYTES:
            raise Unavailable("The server is busy; send the same request again.", retry_after_s=1.0)


_UNFINISHED = _Unfinished()


async def _read(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size = held = 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            if not message.get("more_body", False):
                return b"".join(chunks) + chunk if chunks else chunk
            chunks.append(chunk)
            held += len(chunk)
            _UNFINISHED.take(len(chunk))
    finally:
        _UNFINISHED.held -= held
