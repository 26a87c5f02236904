"""Events as they happen: what a stream sends, to whom, how long, and what looking for it costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest
from tests.support.sending import Sender, open_sender

from trackai.dashboard import live, watching
from trackai.dashboard.live import chain_of
from trackai.dashboard.visiting import COOKIE
from trackai.dashboard.watching import Watch
from trackai.model.access import MemberRole
from trackai.telemetry.metrics import LIVE_LOOKS

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dashboard.conftest import Browser, House

STREAM = "/live/stream"
PATIENCE_S = 60
END_SESSIONS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and application_name = 'trackai app'
"""


@pytest.fixture
async def sender(house: "House", serve: "Serve") -> AsyncIterator[Sender]:
    """Yield a house whose account sends."""
    async with open_sender(house.world, serve) as opened:
        yield opened


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(watching, "SHARE", 1.0)


@asynccontextmanager
async def streaming(browser: "Browser") -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Cookie": f"{COOKIE}={browser.token}", "Accept": "text/event-stream"}
    async with browser.http.get(browser.url + STREAM, headers=headers) as got:
        yield got


async def next_of(stream: aiohttp.ClientResponse) -> str:
    """Return what the next event of a stream says; beats are passed over."""
    said: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        async for raw in stream.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("data: "):
                said.append(line.removeprefix("data: "))
            elif said and not line:
                return unescape("\n".join(said))
    raise AssertionError("the stream ended")


async def until(stream: aiohttp.ClientResponse, words: str) -> str:
    """Return the first event that says this."""
    while words not in (found := await next_of(stream)):
        pass
    return found


async def rest_of(stream: aiohttp.ClientResponse) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await stream.content.read()


async def test_what_happens_is_sent_at_once(house: "House", sender: Sender) -> None:
    browser = await house.browser_of(role=MemberRole.ANALYST)
    async with streaming(browser) as stream:
        nothing = await next_of(stream)
        event = await sender.sell(amount_minor=19_700)
        owed = await until(stream, str(event))
        await sender.send()
        sent = await until(stream, "aceito")

    assert stream.headers["Content-Type"].startswith("text/event-stream")
    assert (stream.headers["Cache-Control"], stream.headers["X-Accel-Buffering"]) == (
        "no-store",
        "no",
    )
    assert "nas últimas 24 horas" in nothing
    assert ("R$\xa0197,00" in owed, "a caminho" in owed) == (True, True)
    assert "a caminho" not in sent


async def test_the_page_shows_the_same_without_its_script(house: "House", sender: Sender) -> None:
    event = await sender.sell()
    page = (await (await house.browser_of()).get("/live")).text

    assert f'id="event-{event}"' in page
    assert "<script>" not in page


async def test_nobody_sees_another_tenants_events(house: "House", sender: Sender) -> None:
    own = house.world.account
    stranger = await house.world.open_account("Outra")
    house.world.account = stranger
    theirs = await house.browser_of("bia@outra.test")
    house.world.account = own
    ours = await house.browser_of("ana@loja.test")
    async with streaming(theirs) as outside, streaming(ours) as inside:
        await next_of(outside)
        event = await sender.sell()
        await until(inside, str(event))
        house.world.account = stranger
        other = await sender.sell()
        seen = await until(outside, str(other))

    assert str(event) not in seen


async def test_only_who_is_signed_in_watches(house: "House") -> None:
    async with streaming(house.browser()) as stream:
        assert stream.url.path == "/sign-in"


async def test_a_stream_ends_and_whoever_was_signed_out_does_not_come_again(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LASTS_S", 0.3)
    browser = await house.browser_of()
    async with streaming(browser) as stream:
        first = await rest_of(stream)
    await browser.submit("/account", "/sign-out")
    async with streaming(browser) as stream:
        again = stream.url.path

    assert first.startswith(b"retry: 1000\n\n")
    assert again == "/sign-in"


async def test_what_says_nothing_new_still_beats(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BEAT_S", 0.1)
    said: list[bytes] = []
    async with streaming(await house.browser_of()) as stream, asyncio.timeout(PATIENCE_S):
        # Once it is shown it is looked at many times between two beats.
        while said[-2:] != [b":\n", b":\n"]:
            said += [line] if (line := await stream.content.readline()).strip() else []
        house.watch.end()
        said += (await rest_of(stream)).splitlines()

    assert 1 == sum(line.startswith(b"data: <p") for line in said)


async def test_pages_end_with_the_process(house: "House") -> None:
    browser = await house.browser_of()
    async with streaming(browser) as stream:
        await next_of(stream)
        house.watch.end()
        await rest_of(stream)
    async with streaming(browser) as refused:
        assert refused.status == 503


async def test_only_so_many_pages_watch(house: "House", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_PAGES", 1)
    browser = await house.browser_of()
    async with streaming(browser) as stream:
        await next_of(stream)
        async with streaming(browser) as refused:
            status = refused.status

    assert status == 503


async def test_all_pages_of_a_tenant_share_a_look_and_nobody_watching_costs_none(
    house: "House", monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(house.world.people, house.world.clock)
    looks = 0
    view_of = watching.view_of

    async def counted(*args: Any, **more: Any) -> watching.View:
        nonlocal looks
        looks += 1
        return await view_of(*args, **more)

    monkeypatch.setattr(watching, "view_of", counted)
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 60)
    monkeypatch.setattr(watching, "LONGEST_PAUSE_S", 60)
    tenant_id = house.world.account.tenant.id
    with watch.watching(tenant_id) as one, watch.watching(tenant_id) as other:
        views = [await room.after(0, timeout_s=PATIENCE_S) for room in (one, other)]
    while_watched = looks

    assert (one is other, while_watched) == (True, 1)
    assert None not in views
    with watch.watching(tenant_id) as later:
        assert await later.after(0, timeout_s=0.05) is None  # the next look is a minute away


@pytest.mark.parametrize(
    ("took_s", "tenants", "pause_s"),
    [
        (0.003, 1, 0.997),  # once a second
        (0.03, 10, 0.97),
        (0.15, 50, 3.0),  # a twentieth of the time
        (1.5, 50, 3.0),  # it waited for others
        (0.6, 200, 10.0),  # nobody waits longer
        (0.8, 1, 0.2),
    ],
)
def test_the_more_are_watched_the_longer_is_the_pause(
    monkeypatch: pytest.MonkeyPatch, took_s: float, tenants: int, pause_s: float
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 1.0)
    monkeypatch.setattr(watching, "SHARE", 0.05)

    assert watching.pause_after(took_s, tenants) == pytest.approx(pause_s)


async def test_a_database_that_is_away_leaves_what_is_shown(house: "House", sender: Sender) -> None:
    def failed() -> float:
        number: float = LIVE_LOOKS.labels("failed")._value.get()
        return number

    event, before = await sender.sell(), failed()
    owner = await asyncpg.connect(house.world.url)
    name = await owner.fetchval("select quote_ident(current_database())")
    async with streaming(await house.browser_of()) as stream:
        await until(stream, str(event))
        await owner.execute(f"alter database {name} connection limit 0")
        await owner.execute(END_SESSIONS)
        for _ in range(500):
            if failed() == before:
                await asyncio.sleep(0.02)
        noticed = failed() > before
        await owner.execute(f"alter database {name} connection limit -1")
        another = await sender.sell()
        await until(stream, str(another))
    await owner.close()

    assert noticed


@pytest.mark.parametrize(
    ("row", "tones"),
    [
        ({"status": "pending", "strategy": None, "attempts": 0}, "wait good wait wait wait"),
        ({"status": "pending", "strategy": "click_id", "attempts": 2}, "good good good wait wait"),
        ({"status": "accepted", "strategy": "unmatched", "attempts": 1}, "- good - good good"),
        ({"status": "dead", "strategy": "email", "attempts": 5}, "good good good bad bad"),
        ({"status": "withheld", "strategy": "fbp", "attempts": 0}, "good good good - -"),
    ],
)
def test_a_way_is_told_in_five_parts(row: dict[str, Any], tones: str) -> None:
    clicked = row["strategy"] not in {None, "unmatched"}
    chain = chain_of({**row, "clicked_at": object() if clicked else None, "id": UUID(int=0)})

    assert [link.name for link in chain] == ["click", "webhook", "match", "try", "answer"]
    assert " ".join(link.tone or "-" for link in chain) == tones
