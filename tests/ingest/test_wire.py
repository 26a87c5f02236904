"""Bodies that lie, stall or break off, spoken byte by byte."""

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.support.program import PATIENCE_S

from trackai.ingest import wire

if TYPE_CHECKING:
    from tests.ingest.conftest import World

CLICKS = "select click_id from clicks where tenant_id = $1"


class Line:
    """One connection, written and read by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, world: "World") -> "Line":
        where = urlsplit(world.url)
        return cls(*await asyncio.open_connection(where.hostname, where.port))

    def head(self, world: "World", *lines: str) -> None:
        """Write the head of a click."""
        head = [
            "POST /api/v1/track/click HTTP/1.1",
            "Host: edge",
            "Content-Type: application/json",
            f"X-Site-Key: {world.tenant.site_key}",
            *lines,
        ]
        self.writer.write("\r\n".join([*head, "", ""]).encode())

    async def status(self) -> int:
        """Read an answer to its end; return its status."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            fields = dict(
                line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
            )
            await self.reader.readexactly(int(fields["content-length"]))
        return int(head.split()[1])

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def test_announced_length_over_the_bound_is_413_before_the_body(world: "World") -> None:
    line = await Line.open(world)
    line.head(world, "Content-Length: 999999999")
    status = await line.status()
    rest = await line.reader.read()
    await line.close()

    assert (413, b"") == (status, rest)


async def test_chunked_body_is_cut_off_at_the_bound(world: "World") -> None:
    line = await Line.open(world)
    line.head(world, "Transfer-Encoding: chunked")
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    for _ in range(17):
        line.writer.write(chunk)
    status = await line.status()
    await line.close()

    assert status == 413


async def test_body_just_under_the_bound_is_taken_in_chunks(world: "World") -> None:
    body = json.dumps({"click_id": "c1", "unknown": ""}).encode()
    body = body[:-2] + b"x" * (64 * 1024 - len(body)) + body[-2:]
    line = await Line.open(world)
    line.head(world, "Transfer-Encoding: chunked")
    for start in range(0, len(body), 10_000):
        part = body[start : start + 10_000]
        line.writer.write(b"%x\r\n" % len(part) + part + b"\r\n")
    line.writer.write(b"0\r\n\r\n")
    status = await line.status()
    await line.close()

    assert status == 201


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999999999", "٣"])
async def test_absurd_length_is_refused(world: "World", length: str) -> None:
    line = await Line.open(world)
    line.head(world, f"Content-Length: {length}")
    status = await line.status()
    await line.close()

    assert status in {400, 413}


async def test_client_that_hangs_up_in_mid_body_leaves_nothing_behind(world: "World") -> None:
    for _ in range(20):
        line = await Line.open(world)
        line.head(world, "Content-Length: 100")
        line.writer.write(b'{"click_id":"half"')
        await line.writer.drain()
        await line.close()
    good = await world.track("click", {"click_id": "whole"})

    assert good.status == 201
    assert ["whole"] == [row["click_id"] for row in await world.rows(CLICKS)]


async def test_body_that_does_not_arrive_is_408(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "BODY_TIMEOUT_S", 0.05)
    line = await Line.open(world)
    line.head(world, "Content-Length: 100")
    line.writer.write(b'{"click_id":')
    status = await line.status()
    rest = await line.reader.read()
    await line.close()

    assert (408, b"") == (status, rest)


async def test_connection_is_kept_for_the_next_report(world: "World") -> None:
    line = await Line.open(world)
    statuses = []
    for body in (b"{}", b"{", b"{}"):
        line.head(world, f"Content-Length: {len(body)}")
        line.writer.write(body)
        statuses.append(await line.status())
    await line.close()

    assert [201, 400, 201] == statuses


async def test_pipelined_reports_are_answered_in_order(world: "World") -> None:
    line = await Line.open(world)
    for _ in range(5):
        line.head(world, "Content-Length: 2")
        line.writer.write(b"{}")
    statuses = [await line.status() for _ in range(5)]
    await line.close()

    assert [201] * 5 == statuses


async def test_unfinished_bodies_of_all_are_bounded_together(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_UNFINISHED_BYTES", 50_000)
    slow = [await Line.open(world) for _ in range(3)]
    for line in slow:
        line.head(world, "Content-Length: 60000")
        line.writer.write(b" " * 20_000)
        await line.writer.drain()
    # One of the three found no room; the others still wait for their rest.
    statuses = [asyncio.create_task(line.status()) for line in slow]
    done, waiting = await asyncio.wait(statuses, return_when=asyncio.FIRST_COMPLETED)
    for line in slow:
        await line.close()
    await asyncio.gather(*waiting, return_exceptions=True)
    good = await world.track("click", {"click_id": "later"})

    assert [503] == [one.result() for one in done]
    assert good.status == 201
