"""Fetches one page of the public web, or posts to it, where anybody may have written the address.

What it must not be used for is to reach what only this machine reaches (server-side request
forgery). So a name is resolved once and its addresses are all public ones, or nothing is fetched;
the connection goes to those very addresses, whatever the name says a moment later; each redirect
is judged anew; time, size and redirects are bounded; nothing of ours is sent along, and of what
came back the caller sees the text alone. Facts: RFC 6890 and OWASP's sheet on the subject, 2026.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

WHOLE_S = 10.0
MOST_BYTES = 1024 * 1024
MOST_REDIRECTS = 3
MOST_ADDRESS = 2000
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_OK = 200
# Addresses of the one protocol inside those of the other: what they lead to cannot be judged.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class NoPage(StrEnum):
    """Why there is no page; a key of words."""

    NO_ADDRESS = "no_address"  # not http or https, another port, a user's name in it
    NOT_PUBLIC = "not_public"  # it leads to addresses that are not of the public web
    NO_HOST = "no_host"  # the name leads nowhere
    NOT_REACHED = "not_reached"  # no connection, broken TLS, no HTTP
    TOO_SLOW = "too_slow"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NO_HTML = "no_html"  # an error, or no text


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request goes: an address that was judged, and where its name was found."""

    url: URL
    pinned: Sequence[str]


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public web."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or address.teredo
        if inside or any(address in one for one in _TRANSLATED) or address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


# Last parts of names that never lead into the public web (RFC 6761, RFC 6762; ICANN in 2024).
_NEVER_PUBLIC = frozenset({"localhost", "local", "internal", "invalid"})


def may_be_public(address: str) -> bool:
    """Tell whether an address can be of the public web; nobody is asked where its name leads."""
    url = _parse(address.strip(), any_port=False)
    if url is None or url.raw_host is None:
        return False
    try:
        return is_public(ipaddress.ip_address(url.raw_host))
    except ValueError:  # a name
        before, _, last = url.raw_host.rstrip(".").lower().rpartition(".")
        # A number at the end is an address as old programs wrote it: 127.1, 0x7f.1.
        return bool(before) and last not in _NEVER_PUBLIC and not last[0].isdigit()


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, or of numbers as the system reads them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class PublicWeb:
    """Fetches pages; `allowed` and `any_port` are wider in tests alone."""

    def __init__(
        self,
        *,
        find: Resolve = resolve,
        allowed: Callable[[Address], bool] = is_public,
        any_port: bool = False,
        whole_s: float = WHOLE_S,
    ) -> None:
        self._find = find
        self._allowed = allowed
        self._any_port = any_port
        self._whole_s = whole_s

    async def fetch(self, address: str) -> str | NoPage:
        """Return the page at an address, its first MOST_BYTES, or why there is none."""
        try:
            async with asyncio.timeout(self._whole_s):
                return await self._follow(address.strip())
        except TimeoutError:
            return NoPage.TOO_SLOW

    async def post(self, address: str, body: bytes, headers: Mapping[str, str]) -> int | NoPage:
        """Post to an address and return the answer's status, or why there is none.

        Redirects are not followed: what is posted is for whom it was addressed to.
        """
        try:
            async with asyncio.timeout(self._whole_s):
                target = await self._judge(address.strip())
                return target if isinstance(target, NoPage) else await _post(target, body, headers)
        except TimeoutError:
            return NoPage.TOO_SLOW
        except (aiohttp.ClientError, OSError, ValueError):
            return NoPage.NOT_REACHED

    async def _follow(self, address: str) -> str | NoPage:
        for _ in range(MOST_REDIRECTS + 1):
            target = await self._judge(address)
            if isinstance(target, NoPage):
                return target
            try:
                found = await _get(target)
                if not isinstance(found, _Elsewhere):
                    return found
                address = urljoin(address, found.address)
            except (aiohttp.ClientError, OSError, ValueError):
                return NoPage.NOT_REACHED
        return NoPage.TOO_MANY_REDIRECTS

    async def _judge(self, address: str) -> _Target | NoPage:
        url = _parse(address, any_port=self._any_port)
        if url is None or url.raw_host is None or url.port is None:
            return NoPage.NO_ADDRESS
        try:
            found = await self._find(url.raw_host, url.port)
            addresses = [ipaddress.ip_address(one) for one in found]
        except (OSError, ValueError):  # UnicodeError, of a name that is none, among them
            return NoPage.NO_HOST
        if not addresses:
            return NoPage.NO_HOST
        # One that is not public among others is how a name is made to change its mind.
        if not all(map(self._allowed, addresses)):
            return NoPage.NOT_PUBLIC
        return _Target(url, [str(one) for one in addresses])


def _parse(address: str, *, any_port: bool) -> URL | None:
    """Return an address as the client reads it: two readings could name two hosts."""
    if len(address) > MOST_ADDRESS or not address.isprintable() or "\\" in address:
        return None
    try:
        url = URL(address)
        known = url.scheme in _PORTS and url.user is None and url.password is None
        return url if known and (any_port or url.port in _PORTS.values()) else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """A redirect, not followed yet."""

    address: str


class _Pinned(AbstractResolver):
    """Says what was found before, and of no other name."""

    def __init__(self, target: _Target) -> None:
        self._target = target

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in self._target.pinned
        ]

    @override
    async def close(self) -> None:
        return None


def _session(target: _Target, **headers: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=_Pinned(target), use_dns_cache=False, force_close=True
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        # A compressed page could be a thousand times its size.
        headers={"Accept-Encoding": "identity", "User-Agent": "trackai", **headers},
        auto_decompress=False,
        trust_env=False,
    )


async def _post(target: _Target, body: bytes, headers: Mapping[str, str]) -> int:
    async with (
        _session(target) as session,
        session.post(target.url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


async def _get(target: _Target) -> str | NoPage | _Elsewhere:
    async with (
        _session(target, Accept="text/html") as session,
        session.get(target.url, allow_redirects=False) as answer,
    ):
        if answer.status in _REDIRECTS and "location" in answer.headers:
            return _Elsewhere(answer.headers["location"])
        encoded = answer.headers.get("content-encoding", "identity").lower() != "identity"
        if answer.status != _OK or encoded or "html" not in answer.content_type:
            return NoPage.NO_HTML
        return (await _read(answer.content)).decode("utf-8", "replace")


async def _read(content: aiohttp.StreamReader) -> bytes:
    chunks: list[bytes] = []
    left = MOST_BYTES
    while left > 0 and (chunk := await content.read(left)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)
