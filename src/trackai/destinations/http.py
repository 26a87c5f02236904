"""The one outgoing HTTP session to ad platforms: bounded in time, connections and answer size.

It follows no redirects, keeps no cookies, takes no proxy from the environment and never repeats
a POST by itself. No error text holds an address or a header: either may carry a token.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from trackai.errors import DestinationTimeout, DestinationUnreachable


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of every request."""

    # Meta answers in 0.6 s mostly; a request of 1000 events gets this long, from connect to end.
    total_s: float = 20.0
    connect_s: float = 5.0
    connections: int = 32
    # Answers are a few hundred bytes; an error page's rest is of no interest.
    answer_bytes: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, cut at the limit; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """Sends requests; safe to share between tasks."""

    def __init__(self, session: aiohttp.ClientSession, limits: HttpLimits) -> None:
        self._session = session
        self._limits = limits

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        """Send a body; DestinationTimeout or DestinationUnreachable when no answer came.

        After either the request may have been carried out all the same.
        """
        return await self._request("POST", url, headers=headers, body=body)

    async def get(
        self, url: str, *, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> HttpAnswer:
        """Ask; DestinationTimeout or DestinationUnreachable when no answer came."""
        return await self._request("GET", url, headers=headers, query=query)

    async def _request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        try:
            async with self._session.request(
                method, url, data=body, params=query, headers=headers, allow_redirects=False
            ) as response:
                return HttpAnswer(
                    response.status,
                    {name.lower(): value for name, value in response.headers.items()},
                    await self._read(response.content),
                )
        # The causes are not chained: their texts may hold the address.
        except TimeoutError:
            raise DestinationTimeout("The ad platform did not answer in time.") from None
        except (aiohttp.ClientError, OSError) as error:
            kind = type(error).__name__
            raise DestinationUnreachable(f"The ad platform was not reached ({kind}).") from None

    async def _read(self, content: aiohttp.StreamReader) -> bytes:
        chunks: list[bytes] = []
        left = self._limits.answer_bytes
        while left > 0 and (chunk := await content.read(left)):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)


@asynccontextmanager
async def open_http(limits: HttpLimits | None = None) -> AsyncIterator[Http]:
    """Open the session; it is closed at the end, with its connections."""
    bounds = limits or HttpLimits()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=bounds.connections),
        timeout=aiohttp.ClientTimeout(total=bounds.total_s, connect=bounds.connect_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        # Answers are small; compressed ones would be understood all the same.
        headers={"Accept-Encoding": "identity", "User-Agent": "trackai"},
        trust_env=False,
    ) as session:
        yield Http(session, bounds)
