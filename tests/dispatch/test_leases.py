"""A dispatcher holds what it works on for a while, keeps it while it works, and then lets it go."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from tests.dispatch.conftest import QUEUED
from tests.dispatch.test_dispatcher import LATER, alter
from tests.support.customer import until
from tests.support.program import PATIENCE_S, POLL_S

from trackai.queue.port import LEASE

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dispatch.conftest import Office


async def test_a_dispatcher_that_outlives_its_lease_undoes_nothing(
    office: "Office", serve: "Serve"
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def first_is_late(scope: Any, receive: Any, send: Any) -> None:
        if asked.is_set():
            await office.meta(scope, receive, send)
            return
        asked.set()
        await go_on.wait()
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    url = await serve(first_is_late)
    await alter(office, "update destinations set api_url = $1", url)
    ids = await office.sell(3)
    late = asyncio.create_task(office.step())
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
    office.world.clock.forward(**LATER)
    await office.another().step()
    arrived = office.arrived()
    go_on.set()
    await late

    assert ids == arrived
    assert ["deferred", "accepted"] == sorted(
        {row["status"] for row in await office.attempts()}, reverse=True
    )
    assert {"accepted"} == {row["status"] for row in await office.deliveries()}
    assert await office.world.rows(QUEUED) == []


async def test_a_lease_is_extended_while_a_request_takes_long(
    office: "Office", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.dispatch.dispatcher.EXTEND_EVERY_S", 0.02)
    ids = await office.sell(2)
    office.meta.script_fault("timeout", seconds=60)
    working = asyncio.create_task(office.step())
    await until(lambda: office.meta.summary()["requests"] > 0, "a request on its way")
    office.world.clock.forward(seconds=LEASE.total_seconds() - 1)
    extended = office.world.clock.now() + LEASE
    async with asyncio.timeout(PATIENCE_S):  # for a task of the dispatcher's
        while {extended} != await _due(office):  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
    office.world.clock.forward(seconds=LEASE.total_seconds() - 1)
    taken_by_another = await office.another().step()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    office.world.clock.forward(**LATER)
    await office.another().step()

    assert not taken_by_another
    assert ids == office.arrived()


async def test_of_a_dispatcher_that_ended_nothing_goes_on(
    office: "Office", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.dispatch.dispatcher.EXTEND_EVERY_S", 0.0)
    await office.sell(1)
    office.meta.script_fault("timeout", seconds=60)
    ending = asyncio.create_task(office.step())
    await until(lambda: office.meta.summary()["requests"] > 0, "a request on its way")
    ending.cancel()
    await asyncio.gather(ending, return_exceptions=True)
    names = [one.get_name() for one in asyncio.all_tasks()]

    assert [] == [one for one in names if one.startswith("dispatch")]


async def _due(office: "Office") -> set[dt.datetime]:
    return {row["run_at"] for row in await office.world.rows(QUEUED)}
