"""The database goes away under the edge: pages are heard, platforms told to come back, at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.ingest.conftest import TOKEN
from tests.support.customer import until
from tests.support.program import PATIENCE_S, POLL_S
from tests.support.proxy import Line, Proxy, database_proxy
from tests.support.world import open_world

from trackai.ingest.keeper import Keeper
from trackai.ingest.outage import Reach
from trackai.ingest.spool import SEGMENT, SET_ASIDE, Spool
from trackai.model.click import AdIdentifiers, Click, Utm, Visitor
from trackai.model.clock import new_id

if TYPE_CHECKING:
    from tests.ingest.conftest import BuildWorld, Reply, World

MIB = 1024 * 1024
CLICKS = "select click_id from clicks where tenant_id = $1 order by received_at, click_id"
LEADS = "select event_key from page_events where tenant_id = $1 and kind = 'lead'"
RECEIPTS = "select id from webhook_receipts where tenant_id = $1"


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Proxy]:
    """Yield a line to the tests' database server."""
    proxy = database_proxy(database_url)
    async with proxy.listening():
        yield proxy


async def _build(
    build: "BuildWorld",
    line: Proxy,
    directory: Path,
    most_bytes: int = 8 * MIB,
    **limits: float,
) -> "World":
    spool = Spool(directory, new_id(), most_bytes=most_bytes)
    world = await build(spool=spool, line=line, **limits)
    await world.track("pageview", {"event_id": "known"})
    return world


async def _webhook(world: "World") -> "Reply":
    body = {"token": TOKEN, "n": new_id().hex}
    return await world.webhook(json.dumps(body).encode())


def _files(directory: Path, suffix: str) -> list[Path]:
    return sorted(directory.glob(f"*{suffix}"))


async def _until_back(world: "World") -> None:
    """Wait until a webhook is taken again."""
    deadline = time.monotonic() + PATIENCE_S
    while (await _webhook(world)).status == 503:
        assert time.monotonic() < deadline, "the database was never found back"
        await asyncio.sleep(POLL_S)


# Of one that is silent only time tells that it is away.
@pytest.mark.parametrize(("how", "patience_s"), [(Line.REFUSES, PATIENCE_S), (Line.SILENT, 2.0)])
async def test_pages_are_heard_and_brought_in_when_it_is_back(
    build: "BuildWorld", line: Proxy, tmp_path: Path, how: Line, patience_s: float
) -> None:
    world = await _build(build, line, tmp_path, patience_s=patience_s)
    await world.track("click", {"click_id": "before"})
    line.set_line(how)
    during = [await world.track("click", {"click_id": f"c{number}"}) for number in range(5)]
    lead = await world.track("lead", {"event_id": "e1", "click_id": "c1", "email": "a@b.example"})
    unseen = await world.rows(CLICKS)
    line.set_line(Line.PASSES)
    await _until_back(world)

    assert {reply.status for reply in (*during, lead)} == {201}
    assert [row["click_id"] for row in unseen] == ["before"]
    assert [row["click_id"] for row in await world.rows(CLICKS)] == [
        "before",
        *(f"c{number}" for number in range(5)),
    ]
    assert [row["event_key"] for row in await world.rows(LEADS)] == ["e1"]
    assert _files(tmp_path, SEGMENT) == []


async def test_platforms_are_told_to_come_back_and_then_taken(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    await _webhook(world)
    line.set_line(Line.REFUSES)
    replies = [await _webhook(world) for _ in range(3)]
    line.set_line(Line.PASSES)
    await _until_back(world)

    assert {(503, "storage_unavailable", "2")} == {
        (reply.status, reply.code, reply.headers["retry-after"]) for reply in replies
    }
    assert len(await world.rows(RECEIPTS)) == 2


async def test_a_tenant_that_never_called_is_heard_too(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    first = await _build(build, line, tmp_path)
    spool = Spool(tmp_path / "second", new_id(), most_bytes=MIB)
    second = await build(spool=spool, line=line)
    line.set_line(Line.REFUSES)
    reply = await second.track("click", {"click_id": "c1"}, x_site_key=first.tenant.site_key)

    assert reply.status == 201


async def test_the_same_click_again_is_one(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    await world.track("click", {"click_id": "c1"})
    line.set_line(Line.REFUSES)
    again = [await world.track("click", {"click_id": "c1"}) for _ in range(3)]
    line.set_line(Line.PASSES)
    await _until_back(world)

    assert {reply.status for reply in again} == {201}
    assert len(await world.rows(CLICKS)) == 1


async def test_a_full_spool_is_said(build: "BuildWorld", line: Proxy, tmp_path: Path) -> None:
    world = await _build(build, line, tmp_path, 20_000)
    line.set_line(Line.REFUSES)
    replies = []
    for number in range(40):
        padded = {"click_id": f"c{number}", "page_url": "https://a.example/" + "p" * 1000}
        replies.append(await world.track("click", padded))
    line.set_line(Line.PASSES)
    await _until_back(world)
    taken = [reply for reply in replies if reply.status == 201]

    assert 1 < len(taken) < 40
    assert {(503, "spool_full")} == {
        (reply.status, reply.code) for reply in replies if reply.status != 201
    }
    assert len(await world.rows(CLICKS)) == len(taken)


async def test_what_an_edge_left_is_brought_in_by_the_next(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    line.set_line(Line.REFUSES)
    await world.track("click", {"click_id": "left"})
    await world.edge.close()
    line.set_line(Line.PASSES)
    left = _files(tmp_path, SEGMENT)
    heir = Spool(tmp_path / "heir", new_id(), most_bytes=MIB)
    for path in left:
        path.rename(tmp_path / "heir" / path.name)
        (tmp_path / "heir" / f"{path.name.partition('-')[0]}.lock").touch()
    other = await build(spool=heir, line=line)
    await _until_back(other)

    assert len(left) == 1
    assert [row["click_id"] for row in await world.rows(CLICKS)] == ["left"]


async def test_what_nobody_can_read_is_set_aside_and_the_rest_goes_in(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    line.set_line(Line.REFUSES)
    await world.track("click", {"click_id": "c1"})
    (segment,) = _files(tmp_path, SEGMENT)
    foreign = Spool(tmp_path / "foreign", new_id(), most_bytes=MIB)
    foreign.append([b"\x00" * 100])
    foreign.close()
    (record,) = _files(tmp_path / "foreign", SEGMENT)
    segment.write_bytes(record.read_bytes() + segment.read_bytes())
    line.set_line(Line.PASSES)
    await _until_back(world)

    assert [row["click_id"] for row in await world.rows(CLICKS)] == ["c1"]
    assert len(_files(tmp_path, SET_ASIDE)) == 1


async def test_no_report_is_left_behind_by_an_outages_end(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    told: list[str] = []

    async def report(number: int) -> None:
        click_id = f"c{number:04}"
        if (await world.track("click", {"click_id": click_id})).status == 201:
            told.append(click_id)

    async def flicker() -> None:
        for _ in range(15):
            line.set_line(Line.REFUSES)
            await asyncio.sleep(0.02)
            line.set_line(Line.PASSES)
            await asyncio.sleep(0.05)

    flickering = asyncio.create_task(flicker())
    for start in range(0, 600, 20):
        await asyncio.gather(*(report(number) for number in range(start, start + 20)))
    await flickering
    await _until_back(world)

    assert len(told) == 600
    assert set(told) == {row["click_id"] for row in await world.rows(CLICKS)}
    assert _files(tmp_path, SEGMENT) == []


async def test_a_flipped_bit_costs_one_report(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    line.set_line(Line.REFUSES)
    for number in range(5):
        await world.track("click", {"click_id": f"c{number}"})
    (segment,) = _files(tmp_path, SEGMENT)
    data = bytearray(segment.read_bytes())
    data[60] ^= 1
    segment.write_bytes(data)
    line.set_line(Line.PASSES)
    await _until_back(world)

    stored = [row["click_id"] for row in await world.rows(CLICKS)]
    assert stored == ["c1", "c2", "c3", "c4"]
    assert len(_files(tmp_path, SET_ASIDE)) == 1


async def test_a_segment_that_cannot_be_read_keeps_nobody_waiting(
    build: "BuildWorld", line: Proxy, tmp_path: Path
) -> None:
    world = await _build(build, line, tmp_path)
    line.set_line(Line.REFUSES)
    await world.track("click", {"click_id": "c1"})
    (segment,) = _files(tmp_path, SEGMENT)
    segment.with_name(f"{segment.name.partition('-')[0]}-00000000{SEGMENT}").mkdir()
    line.set_line(Line.PASSES)
    await _until_back(world)

    assert [row["click_id"] for row in await world.rows(CLICKS)] == ["c1"]
    assert len(_files(tmp_path, SET_ASIDE)) == 1


async def test_no_webhook_is_taken_before_another_processs_clicks_are_in(
    fresh_database_url: str, tmp_path: Path
) -> None:
    async with open_world(fresh_database_url) as world:
        first, second = Reach(world.edge), Reach(world.edge)
        slow = Keeper(first, world.envelope, Spool(tmp_path, new_id(), most_bytes=MIB))
        quick = Keeper(second, world.envelope, Spool(tmp_path, new_id(), most_bytes=MIB))
        second.begin_outage("test")
        click = Click(
            *(world.account.tenant.id, "c1", world.clock.now(), AdIdentifiers(), Utm(), Visitor())
        )
        await slow.keep([click])
        async with quick.running():
            await asyncio.sleep(0.5)
            waits = second.is_gone
            async with slow.running():
                await until(lambda: not second.is_gone, "the outage's end")
                stored = await world.rows("select click_id from clicks where tenant_id = $1")

    assert waits
    assert ["c1"] == [row["click_id"] for row in stored]
