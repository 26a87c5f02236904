"""HTTP as ASGI gives it: a request's headers and bounded body, and answers ready to send.

No framework: on this path the framework would cost more than the work.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

import msgspec

from trackai.errors import BodyTooLarge, BodyTooSlow, ProofFailed, TrackaiError, UnsupportedBody

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json")
ANY_ORIGIN: Header = (b"access-control-allow-origin", b"*")
EXPOSED: Header = (b"access-control-expose-headers", b"retry-after")
# Ends the connection after the answer, so that the rest of a refused body is not read.
HANG_UP: Header = (b"connection", b"close")

# Longest wait for a whole body.
BODY_TIMEOUT_S = 30.0


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
    """A request whose body has not been read."""

    __slots__ = ("_receive", "headers", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive

    @property
    def query(self) -> str:
        """The query string as sent, without '?'."""
        text: bytes = self.scope["query_string"]
        return text.decode("latin-1")

    @property
    def peer(self) -> str | None:
        """Address of the other end of the connection."""
        client: Sequence[str] | None = self.scope.get("client")
        return client[0] if client else None

    def all_of(self, name: bytes) -> list[str]:
        """Return every value of a header that may come more than once."""
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == name]

    async def body(self, most: int) -> bytes:
        """Read the body, encoded as is; BodyTooLarge as soon as more than `most` bytes come."""
        encoding = self.headers.get(b"content-encoding", b"")
        if encoding.strip().lower() not in (b"", b"identity"):
            raise UnsupportedBody("Send the body without content encoding (not compressed).")
        announced = self.headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                return await self._read(most)
        except TimeoutError:
            raise BodyTooSlow("The body did not arrive in time.") from None

    async def _read(self, most: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            if not message.get("more_body", False):
                return b"".join(chunks) + chunk if chunks else chunk
            chunks.append(chunk)


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
