"""What Python says of buckets and bins, PostgreSQL says as well."""

import datetime as dt
import random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from trackai.analytics.periods import Grain, floor
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
