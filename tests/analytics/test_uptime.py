"""Uptime, against the minutes themselves."""

import datetime as dt
import random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from trackai.analytics.periods import Period
from trackai.analytics.uptime import uptime
from trackai.storage.pool import Database, Role
from trackai.storage.up_hours import Part, note_up

if TYPE_CHECKING:
    from tests.support.world import World

NOW = dt.datetime(2026, 11, 26, 15, 42, 17, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
ZONE = ZoneInfo("America/Sao_Paulo")


async def note(world: "World", part: Part, moments: set[dt.datetime]) -> None:
    async with world.workers.transaction() as tx:
        for moment in moments:
            await note_up(tx, part, now=moment + dt.timedelta(seconds=31))


async def asked(world: "World", period: Period) -> float | None:
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        return await uptime(tx, period)


def minutes_before(now: dt.datetime, number: int) -> list[dt.datetime]:
    minute = now.replace(second=0)
    return [minute - ago * MINUTE for ago in range(number)]


@pytest.mark.parametrize("seed", range(12))
async def test_it_is_the_share_of_minutes_in_which_both_parts_worked(
    world: "World", seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    minutes = minutes_before(NOW, 60 * 5)
    served = {one for one in minutes if chance.random() < 0.9}
    worked = {one for one in minutes if chance.random() < 0.8}
    await note(world, Part.SERVE, served)
    await note(world, Part.WORK, worked)
    ends = sorted(chance.sample(range(-30, 60 * 6), 2))
    start, end = (minutes[0] - ago * MINUTE for ago in reversed(ends))
    period = Period(start, end, ZONE, NOW)

    over = [one for one in minutes[1:] if max(start, min(served)) <= one < end]
    expected = sum(one in served and one in worked for one in over) / len(over) if over else None
    assert await asked(world, period) == (
        None if expected is None else pytest.approx(expected, abs=1e-12)
    )


async def test_nothing_is_said_of_what_nobody_noted(world: "World") -> None:
    period = Period.named("24h", zone=ZONE, now=NOW)
    nothing = await asked(world, period)
    await note(world, Part.SERVE, {minutes_before(NOW, 1)[0]})
    running = await asked(world, period)

    assert (nothing, running) == (None, None)


async def test_what_was_never_noted_of_one_part_is_down(world: "World") -> None:
    await note(world, Part.SERVE, set(minutes_before(NOW, 90)))

    assert await asked(world, Period.named("24h", zone=ZONE, now=NOW)) == 0


async def test_noting_again_changes_nothing_and_the_edge_may_note_its_own(world: "World") -> None:
    minutes = set(minutes_before(NOW, 10))
    await note(world, Part.WORK, minutes)
    async with Database.opened(world.url, Role.INGEST, size=1) as edge:
        for _ in range(2):
            async with edge.transaction() as tx:
                for moment in minutes:
                    await note_up(tx, Part.SERVE, now=moment)

    assert await asked(world, Period.named("1h", zone=ZONE, now=NOW)) == 1
