"""The program watches itself: processes say how they are, and every alarm is looked at."""

import asyncio
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.support.customer import until
from tests.support.program import POLL_S

from trackai.alarms.catalogue import watched

if TYPE_CHECKING:
    from tests.support.program import Place

# What only processes can say.
OF_PROCESSES = {"cpu_busy", "pool_in_use", "event_loop_lag", "disk_full", "spool_waiting"}
MEASURED = "select count(distinct metric) as number from alarm_samples"


def stands(place: "Place") -> dict[str, Any]:
    return {row["alarm"]: row for row in place.json("alarms", "list")}


async def test_the_program_measures_itself_and_says_how_it_is(
    place: "Place", stack: ExitStack
) -> None:
    stack.enter_context(place.start("up", "--port", "0"))
    while (await place.rows(MEASURED))[0]["number"] < len(OF_PROCESSES):  # noqa: ASYNC110
        await asyncio.sleep(POLL_S)
    await until(
        lambda: all(stands(place)[one]["state"] != "no_data" for one in OF_PROCESSES),
        "alarms that know of the process",
    )
    found = stands(place)

    assert set(watched(production=False)) == set(found)
    assert {"ok"} == {found[one]["state"] for one in ("queue_depth", "scheduler_late")}


async def test_a_process_shows_its_counters_where_it_is_told_to(
    place: "Place", stack: ExitStack, http: aiohttp.ClientSession
) -> None:
    place.variables["TRACKAI_METRICS_PORT"] = "0"
    program = stack.enter_context(place.start("up", "--port", "0"))
    line = await asyncio.to_thread(program.wait_for, "metrics")
    up = await asyncio.to_thread(program.wait_for, "up")
    for path in ("healthz", "t.js", "api/v1/analytics/metrics", "api/v1/dead-letters/7", "no/such"):
        async with http.get(f"{up['address']}/{path}") as answer:
            await answer.read()
    async with http.get(line["address"]) as answer:
        shown = await answer.text()
    async with http.get(line["address"].removesuffix("/metrics")) as answer:
        elsewhere = answer.status
    async with http.get(f"{up['address']}/metrics") as answer:
        outside = await answer.text()

    asked = re.findall(
        r'^trackai_request_seconds_count{area="(.*?)",route="(.*?)"} 1', shown, re.MULTILINE
    )
    assert [
        ("api", "/api/v1/analytics/metrics"),
        ("api", "/api/v1/dead-letters/{delivery_id}"),
        ("edge", "/t.js"),
        ("pages", "other"),
    ] == sorted(asked)
    assert "trackai_alarms" in shown
    assert 404 == elsewhere
    assert "trackai_request_seconds" not in outside
