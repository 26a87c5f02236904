"""The pages over HTTP, and somebody with a browser."""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.door import Door, open_door

from trackai.cli.checklist import Pages
from trackai.cli.installation import Installation
from trackai.dashboard.app import create_dashboard
from trackai.dashboard.errands import Errands
from trackai.dashboard.tools import DashboardTools
from trackai.dashboard.visiting import COOKIE, HALF_COOKIE
from trackai.dashboard.watching import Watch
from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.errors import MailNotSent
from trackai.ingest.client_address import TrustedProxies
from trackai.ingest.throttle import Throttle
from trackai.mail.port import Letter
from trackai.model.access import MemberRole
from trackai.model.clock import new_id
from trackai.settings import Settings
from trackai.storage import users
from trackai.tracker.public_web import PublicWeb

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
    half: str = ""  # what is held while a code is awaited
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
        held = {COOKIE: self.token, HALF_COOKIE: self.half}
        if any(held.values()):
            headers["Cookie"] = "; ".join(f"{name}={one}" for name, one in held.items() if one)
        async with self.http.request(
            method, self.url + path, data=fields, headers=headers, allow_redirects=False
        ) as got:
            cookies = got.headers.getall("Set-Cookie", [])
            for cookie in cookies:
                name, _, value = cookie.partition(";")[0].partition("=")
                if name == COOKIE:
                    self.token = value.strip('"')
                if name == HALF_COOKIE:
                    self.half = value.strip('"')
            return Answer(got.status, await got.text(), got.headers, cookies)


@dataclass
class Postbox:
    """Where messages come that pages send; how it works is the test's."""

    letters: asyncio.Queue[Letter] = field(default_factory=asyncio.Queue)
    works: bool = True
    reaches_people: bool = False
    # Closed: messages wait.
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def send(self, letter: Letter) -> None:
        """Keep a message."""
        await self.gate.wait()
        if not self.works:
            raise MailNotSent
        self.letters.put_nowait(letter)


@dataclass
class House(Door):
    """A world whose pages are served."""

    url: str = ""
    http: aiohttp.ClientSession = None  # type: ignore[assignment]
    postbox: "Postbox" = None  # type: ignore[assignment]
    errands: Errands = None  # type: ignore[assignment]
    watch: Watch = None  # type: ignore[assignment]

    def browser(self, language: str = "pt-BR") -> Browser:
        """Return a browser that nobody has signed in with."""
        return Browser(self.http, self.url, language=language)

    async def operator(self) -> Browser:
        """Return the browser of somebody new who runs the installation."""
        browser = await self.browser_of()
        await self.operates()
        return browser

    async def operates(self, email: str = "ana@loja.test") -> None:
        """Let somebody run the installation."""
        async with self.database.transaction() as tx:
            user = await users.find_by_email(tx, self.world.envelope, email)
            assert user is not None
            await users.make_platform_operator(tx, user_id=user.id)

    async def browser_of(
        self, email: str = "ana@loja.test", role: MemberRole = MemberRole.OWNER
    ) -> Browser:
        """Return the browser of somebody new who is signed in."""
        await self.member(email, role)
        browser = self.browser()
        browser.token = await self.sign_in(email)
        return browser


@asynccontextmanager
async def open_house(
    url: str, serve: "Serve", postbox: Postbox | None, **tried: Any
) -> AsyncIterator[House]:
    """Open pages that nobody has opened yet."""
    # The jar is left out: it sends no secure cookie over HTTP; a browser does, to this machine.
    async with (
        open_door(url) as door,
        open_http() as platforms,
        aclosing(Errands()) as errands,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        world = door.world
        watch = Watch(world.people, world.clock)
        tools = DashboardTools(
            database=world.people,
            envelope=world.envelope,
            platforms=destinations(platforms, world.clock),
            signing_in=door.signing_in,
            team=door.team,
            second_factor=door.second_factor,
            new_passwords=door.new_passwords,
            proving=door.proving,
            mail=postbox,
            clock=world.clock,
            new_id=new_id,
            base_url="https://track.loja.test",
            proxies=TrustedProxies(["127.0.0.1"]),
            errands=errands,
            refusals_kept=dt.timedelta(days=3),
            watch=watch,
            golive=Pages(Installation(Settings(), url, world.envelope)),
            **{
                "web": PublicWeb(),
                "page_checks": Throttle(rate=0.001, burst=20),
                "platform_asks": Throttle(rate=0.001, burst=200),
                **tried,
            },
        )
        address = await serve(create_dashboard(tools))
        yield House(
            **vars(door),
            url=address,
            http=http,
            postbox=postbox or Postbox(),
            errands=errands,
            watch=watch,
        )


@pytest.fixture
async def house(fresh_database_url: str, serve: "Serve") -> AsyncIterator[House]:
    """Yield pages that nobody has opened yet."""
    async with open_house(fresh_database_url, serve, Postbox()) as made:
        yield made


@pytest.fixture
async def mailless(fresh_database_url: str, serve: "Serve") -> AsyncIterator[House]:
    """Yield pages that cannot send messages."""
    async with open_house(fresh_database_url, serve, None) as made:
        yield made
