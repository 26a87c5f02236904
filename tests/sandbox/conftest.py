"""A clock the tests own, and a stand-in for Meta served over real HTTP on this machine."""

import datetime as dt
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.program import PATIENCE_S

from trackai.sandbox.meta import MetaSandbox

if TYPE_CHECKING:
    from tests.conftest import Serve

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


class TestClock:
    """Stands still until it is moved."""

    __test__ = False

    def __init__(self, now: dt.datetime = NOON) -> None:
        self.moment = now

    def now(self) -> dt.datetime:
        """Return the moment it stands at."""
        return self.moment

    def forward(self, **by: float) -> None:
        """Move it on."""
        self.moment += dt.timedelta(**by)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield session


DATASET = "1234567890"
TOKEN = "EAAsandboxtoken"  # an invented one


@pytest.fixture
def meta(clock: TestClock) -> MetaSandbox:
    """A sandbox with one dataset and one token for it."""
    sandbox = MetaSandbox(clock, keep=100)
    sandbox.add_dataset(DATASET, "Curso")
    sandbox.add_token(TOKEN, datasets=[DATASET])
    return sandbox


@pytest.fixture
def event(clock: TestClock) -> Callable[..., dict[str, Any]]:
    """Make a valid event; keyword arguments replace its fields."""

    def make(**changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = {
            "event_name": "Purchase",
            "event_time": int(clock.now().timestamp()) - 60,
            "event_id": "perfectpay:PPCPMTB1",
            "action_source": "website",
            "event_source_url": "https://curso.example.com/",
            "user_data": {"em": [hashlib.sha256(b"maria@example.com").hexdigest()]},
            "custom_data": {"value": 197.0, "currency": "BRL"},
        }
        return made | changes

    return make


@dataclass
class Answer:
    status: int
    headers: Any
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> tuple[int, int, int | None]:
        error = self.json["error"]
        return self.status, error["code"], error.get("error_subcode")


class Caller:
    """Posts to the sandbox as a caller of Graph would."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self.http = http
        self.base = base

    async def request(self, method: str, path: str, **more: Any) -> Answer:
        more.setdefault("allow_redirects", False)
        async with self.http.request(method, self.base + path, **more) as response:
            return Answer(response.status, response.headers, await response.text())

    async def raw(self, event: dict[str, Any]) -> tuple[int, bytes]:
        """Post an event; return the answer as it came."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.base}/v26.0/{DATASET}/events"
        async with self.http.post(url, json={"data": [event]}, headers=headers) as response:
            return response.status, await response.read()

    async def post(self, *events: dict[str, Any], dataset: str = DATASET, **more: Any) -> Answer:
        more.setdefault("headers", {"Authorization": f"Bearer {TOKEN}"})
        body = {"data": list(events), **more.pop("extra", {})}
        return await self.request("POST", f"/v26.0/{dataset}/events", json=body, **more)


@pytest.fixture
async def caller(meta: MetaSandbox, serve: "Serve", http: aiohttp.ClientSession) -> Caller:
    return Caller(http, await serve(meta))
