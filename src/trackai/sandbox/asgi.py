"""The little HTTP the stand-ins need: read a bounded request, send a reply, cut a connection."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_MAX_FORM_FIELDS = 200  # more are refused before they cost time
_LANGUAGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]+)*\s*(?:;\s*q=([0-9.]{1,5}))?\s*")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: after `stall_s`, or never when `cut` says to drop the connection."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    stall_s: float = 0.0
    cut: bool = False


class NotJson(ValueError):
    """Bytes that are no JSON document."""


def parse_json(data: bytes | str) -> object:
    """Parse JSON strictly; NotJson for whatever cannot be read, however malicious."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise NotJson("not a JSON document") from error


def parse_form(body: bytes) -> dict[str, str]:
    """Parse a URL-encoded form; ValueError when it is no such form."""
    pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS)
    return dict(pairs)


async def read_request(scope: Scope, receive: Receive, *, max_body: int) -> Request | None:
    """Read the request; None when its body is larger than `max_body` bytes."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_body:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]},
        body=b"".join(chunks),
    )


async def send_reply(reply: Reply, receive: Receive, send: Send) -> None:
    """Send the reply, late or not at all where it says so."""
    if reply.stall_s and await _caller_left(receive, within_s=reply.stall_s):
        return
    if reply.cut:
        await _cut(receive, send)
        return
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        **reply.headers,
    }
    encoded = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": reply.body})


async def serve_lifespan(receive: Receive, send: Send) -> None:
    """Answer the server's start and stop; there is nothing to open or close."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def language_of(request: Request, known: tuple[str, ...]) -> str:
    """Return the first known language the caller asks for, by ?lang= and then Accept-Language."""
    asked = request.query.get("lang", "")[:2].lower()
    if asked in known:
        return asked
    ranked: list[tuple[float, int, str]] = []
    header = request.headers.get("accept-language", "")[:200]
    for place, part in enumerate(header.split(",")):
        found = _LANGUAGE.fullmatch(part)
        if found and found[1].lower() in known:
            ranked.append((-_quality(found[2]), place, found[1].lower()))
    return min(ranked)[2] if ranked else known[0]


def _quality(text: str | None) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


async def _caller_left(receive: Receive, *, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _cut(receive: Receive, send: Send) -> None:
    # uvicorn hands out a bound method of the request's cycle; its transport can be aborted, which
    # is what a lost answer looks like to a caller. Elsewhere a body that never comes must do.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        return
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
