"""What Python says of buckets and bins, PostgreSQL says as well."""

import datetime as dt
import random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from trackai.analytics.periods import Grain, Period, floor
from trackai.model.histogram import bin_of, middle_ms

if TYPE_CHECKING:
    from tests.support.world import World

# Clocks that change at midnight, to midnight, by half an hour, by half hours always, and never.
ZONES = (
    *("America/Sao_Paulo", "America/New_York", "America/Havana", "Asia/Beirut", "Europe/Lisbon"),
    *("Atlantic/Azores", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "UTC"),
)
SAMPLES = 20_000
TRUNCATED = """
select zone, grain, moment, date_trunc(grain, moment, zone) as at
from unnest($1::text[], $2::text[], $3::timestamptz[]) as asked (zone, grain, moment)
"""


async def test_buckets_begin_when_postgresql_says(world: "World") -> None:
    chance = random.Random(1)  # noqa: S311 - repeatable
    zones = [chance.choice(ZONES) for _ in range(SAMPLES)]
    grains = [chance.choice(list(Grain)) for _ in range(SAMPLES)]
    # Years in which Brazil still changed its clocks, at midnight.
    first = dt.datetime(2015, 1, 1, tzinfo=dt.UTC)
    moments = [first + dt.timedelta(seconds=chance.randrange(4 * 366 * 86400)) for _ in zones]
    async with world.workers.transaction() as tx:
        rows = await tx.fetch(TRUNCATED, zones, [one.value for one in grains], moments)

    wrong = [
        tuple(row)
        for row in rows
        if floor(row["moment"], Grain(row["grain"]), ZoneInfo(row["zone"])) != row["at"]
    ]
    assert wrong == []


def around_changes(zone: ZoneInfo) -> list[dt.datetime]:
    """Return every five minutes of the half days around the changes of a year's clocks."""
    at, half_day = dt.datetime(2017, 1, 1, tzinfo=dt.UTC), dt.timedelta(hours=12)
    starts = [at + number * half_day for number in range(2 * 365)]
    changes = [
        start
        for start in starts
        if start.astimezone(zone).utcoffset() != (start + half_day).astimezone(zone).utcoffset()
    ]
    return [one + dt.timedelta(minutes=5 * step) for one in changes for step in range(-60, 300)]


# Clocks that move by half an hour, that are a quarter of an hour beside others, and plain ones.
@pytest.mark.parametrize(
    "name", ["Australia/Lord_Howe", "Pacific/Chatham", "America/Sao_Paulo", "Antarctica/Troll"]
)
async def test_no_hour_is_lost_where_clocks_move(world: "World", name: str) -> None:
    zone = ZoneInfo(name)
    moments = around_changes(zone)
    count = len(moments)
    async with world.workers.transaction() as tx:
        rows = await tx.fetch(TRUNCATED, [name] * count, ["hour"] * count, moments)
    wrong = [tuple(row) for row in rows if floor(row["moment"], Grain.HOUR, zone) != row["at"]]
    # A chart has a place for each of them.
    first, last = rows[0]["moment"], rows[359]["moment"]
    hours = Period(first, last, zone, now=last).starts()

    assert count == 2 * 360
    assert wrong == []
    assert {row["at"] for row in rows[:359]} <= set(hours)
    assert len(hours) == len(set(hours))


async def test_bins_are_the_same_ones(world: "World") -> None:
    chance = random.Random(2)  # noqa: S311 - repeatable
    times = [0.0, -1.0, 0.1, 1e12, *(10 ** chance.uniform(-2, 9) for _ in range(5000))]
    async with world.workers.transaction() as tx:
        rows = await tx.fetch(
            "select ms, trackai_latency_bin(ms) as bin,"
            " trackai_latency_ms(trackai_latency_bin(ms)) as middle"
            " from unnest($1::float8[]) as asked (ms)",
            times,
        )

    assert len(rows) == len(times)
    assert [row["bin"] for row in rows] == [bin_of(row["ms"]) for row in rows]
    assert all(abs(row["middle"] / middle_ms(row["bin"]) - 1) < 1e-9 for row in rows)
