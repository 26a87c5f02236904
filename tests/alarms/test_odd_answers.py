"""A pager, or what stands in its place, that answers nonsense, half of it, or too slowly."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from trackai.alarms.message import Message
from trackai.alarms.ways.pagerduty import PagerDuty
from trackai.alarms.ways.port import Again
from trackai.destinations.http import HttpLimits, open_http
from trackai.model.alarm import Deed, Severity
from trackai.storage.alarm_routes import Target

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
# Who hangs is not waited for long; who hangs up is heard, however busy the machine is.
HASTY, PATIENT = HttpLimits(total_s=0.5, connect_s=0.5), HttpLimits(total_s=60, connect_s=60)
HEAD = b"HTTP/1.1 202 Accepted\r\n"
MESSAGE = Message(
    *(Deed.TRIGGER, "key", "cpu_busy", "title", "text", Severity.HIGH, "track.example.com", NOON),
    *("https://track.example.com/r", "https://track.example.com/a", {}, "id", "en"),
)


@asynccontextmanager
async def answering(answer: bytes, *, hangs: bool = False) -> AsyncIterator[str]:
    """Yield the address of what answers these bytes, and then hangs up or does not."""

    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(10)
            writer.write(answer)
            await writer.drain()
            if hangs:
                await reader.read()
        except OSError:  # the other side did not wait
            pass
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)
            done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with asyncio.timeout(30):
            await done.wait()


async def told(url: str, limits: HttpLimits) -> object:
    async with open_http(limits) as http:
        return await PagerDuty(http, url).tell(MESSAGE, Target(secret="k" * 32))


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"lol\r\n\r\n", bytes(range(256)), b"HTTP/1.1 202 Acc"),
        *(HEAD + b"Content-Length: abc\r\n\r\n", HEAD + b"Content-Length: 9\r\n\r\nabc"),
        *(HEAD + b"X: " + b"y" * 200_000 + b"\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 3),
    ],
)
async def test_nonsense_is_no_answer_and_the_call_is_made_again(answer: bytes) -> None:
    async with answering(answer) as url:
        assert Again("pagerduty_unreachable") == await told(url, PATIENT)


@pytest.mark.parametrize("answer", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\nabc"])
async def test_who_does_not_come_to_an_end_is_not_waited_for(answer: bytes) -> None:
    async with answering(answer, hangs=True) as url:
        assert Again("pagerduty_timeout") == await told(url, HASTY)
