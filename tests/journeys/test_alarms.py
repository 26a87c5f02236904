"""The program watches itself: processes say how they are, and every alarm is looked at."""

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

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
