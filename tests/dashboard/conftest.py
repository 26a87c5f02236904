"""The pages over HTTP, and somebody with a browser."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.door import Door, open_door

from trackai.dashboard.app import create_dashboard
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import COOKIE
from trackai.ingest.client_address import TrustedProxies
from trackai.model.access import MemberRole
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from tests.conftest import Serve

_PROOF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: "Mapping[str, str]"
    cookies: list[str]

    @property
    def to(self) -> str:
        """Where it leads."""
        return self.headers.get("Location", "")


@dataclass
class Browser:
    """Keeps a cookie and sends forms as a browser does."""

    http: aiohttp.ClientSession
    url: str
    token: str = ""
    language: str = "pt-BR"
    origin: str | None = field(default=None)
    client: str = "192.0.2.1"  # what the proxy in front says

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return await self._ask("GET", path, None, headers)

    async def post(self, path: str, **fields: str) -> Answer:
        """Send a form from a page of this site, with nothing but these fields."""
        origin = {"Origin": self.url if self.origin is None else self.origin}
        return await self._ask("POST", path, fields, origin if origin["Origin"] else {})

    async def submit(self, page: str, path: str, **fields: str) -> Answer:
        """Open a page and send its form: the proof it holds goes along."""
        found = _PROOF.search((await self.get(page)).text)
        assert found, page
        return await self.post(path, csrf=found[1], **fields)

    async def _ask(
        self, method: str, path: str, fields: Mapping[str, str] | None, more: Mapping[str, str]
    ) -> Answer:
        headers = {"Accept": "text/html", "Accept-Language": self.language, **more}
        headers["X-Forwarded-For"] = self.client
        if self.token:
            headers["Cookie"] = f"{COOKIE}={self.token}"
        async with self.http.request(
            method, self.url + path, data=fields, headers=headers, allow_redirects=False
        ) as got:
            cookies = got.headers.getall("Set-Cookie", [])
            for cookie in cookies:
                name, _, value = cookie.partition(";")[0].partition("=")
                if name == COOKIE:
                    self.token = value.strip('"')
            return Answer(got.status, await got.text(), got.headers, cookies)


@dataclass
class House(Door):
    """A world whose pages are served."""

    url: str = ""
    http: aiohttp.ClientSession = None  # type: ignore[assignment]

    def browser(self, language: str = "pt-BR") -> Browser:
        """Return a browser that nobody has signed in with."""
        return Browser(self.http, self.url, language=language)

    async def browser_of(
        self, email: str = "ana@loja.test", role: MemberRole = MemberRole.OWNER
    ) -> Browser:
        """Return the browser of somebody new who is signed in."""
        await self.member(email, role)
        browser = self.browser()
        browser.token = await self.sign_in(email)
        return browser


@pytest.fixture
async def house(fresh_database_url: str, serve: "Serve") -> AsyncIterator[House]:
    """Yield pages that nobody has opened yet."""
    # The jar is left out: it sends no secure cookie over HTTP; a browser does, to this machine.
    async with (
        open_door(fresh_database_url) as door,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        world = door.world
        tools = DashboardTools(
            *(world.people, door.signing_in, door.team, world.clock, new_id),
            base_url="https://track.loja.test",
            proxies=TrustedProxies(["127.0.0.1"]),
        )
        url = await serve(create_dashboard(tools))
        yield House(world, door.database, door.signing_in, door.team, url, http)
