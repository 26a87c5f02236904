"""What ads cost adds up to its days, whatever was said again, renamed, moved or taken back."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from trackai.model.ad_spend import AdAccount, AdDay
from trackai.storage.ad_spend import delete_spend, save_spend, sum_spend, whole_weeks

if TYPE_CHECKING:
    from tests.support.world import World

    from trackai.storage.pool import Tx

BEGIN = dt.date(2026, 1, 1)
DAYS = 60
# Everything that was stored, by ad, as its rows say it.
RAW = """
select words_id, sum(spent_minor)::bigint as spent_minor from ad_spend
where tenant_id = $1 and day between $2 and $3 group by words_id order by 2
"""
WEEKS = "select * from ad_spend_weeks where tenant_id = $1 order by week, words_id"
RECOUNTED = """
select tenant_id, date_trunc('week', day)::date as week, words_id, count(*) as days,
  sum(spent_minor)::bigint as spent_minor
from ad_spend where tenant_id = $1 group by 1, 2, 3 order by 2, 3
"""


def days_of(chance: random.Random) -> Iterator[AdDay]:
    """Yield what a few ads cost on some days; their names change now and then."""
    for number in range(DAYS):
        for ad in chance.sample(range(4), 2):
            named = chance.choice(["", f"ad {ad}", f"ad {ad} new"])
            words = ("7", "Launch", "", "set", str(ad), named)
            yield AdDay(
                BEGIN + dt.timedelta(days=number), *words, "BRL", chance.choice([0, 5, 900])
            )


async def check(tx: "Tx", account: AdAccount, chance: random.Random) -> None:
    of = {"tenant_id": account.tenant_id}
    weeks = [dict(row) for row in await tx.fetch(WEEKS, account.tenant_id)]
    assert weeks == [dict(row) for row in await tx.fetch(RECOUNTED, account.tenant_id)]
    for _ in range(30):
        since, until = sorted(
            BEGIN + dt.timedelta(days=chance.randint(-10, DAYS + 10)) for _ in range(2)
        )
        found = await sum_spend(tx, **of, since=since, until=until)
        raw = await tx.fetch(RAW, account.tenant_id, since, until)
        assert sorted(row["spent_minor"] for row in found) == [row["spent_minor"] for row in raw]


@pytest.mark.parametrize("seed", range(3))
async def test_any_days_add_up(world: "World", seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same ads every time
    tenant_id, now = world.account.tenant.id, world.clock.now()
    accounts = [AdAccount(tenant_id, "meta", name) for name in ("", "second")]
    async with world.people.transaction(tenant_id=tenant_id) as tx:
        for _ in range(4):
            account = chance.choice(accounts)
            await save_spend(tx, account, list(days_of(chance)), now=now)
            first = BEGIN + dt.timedelta(days=chance.randint(0, DAYS))
            length = dt.timedelta(days=chance.randint(0, 20))
            await delete_spend(tx, account, since=first, until=first + length)
            await check(tx, account, chance)
        for account in accounts:
            whole = {"since": BEGIN, "until": BEGIN + dt.timedelta(days=DAYS)}
            await delete_spend(tx, account, **whole)

        assert await tx.fetch(WEEKS, tenant_id) == []


@pytest.mark.parametrize(
    ("since", "until", "weeks"),
    [
        ((2026, 1, 5), (2026, 1, 11), ((2026, 1, 5), (2026, 1, 12))),  # Monday to Sunday
        ((2026, 1, 6), (2026, 1, 11), ((2026, 1, 12), (2026, 1, 12))),
        ((2026, 1, 5), (2026, 1, 10), ((2026, 1, 11), (2026, 1, 11))),
        ((2026, 1, 4), (2026, 1, 26), ((2026, 1, 5), (2026, 1, 26))),
        ((2026, 1, 7), (2026, 1, 7), ((2026, 1, 8), (2026, 1, 8))),
    ],
)
def test_whole_weeks_lie_within_their_days(
    since: tuple[int, int, int],
    until: tuple[int, int, int],
    weeks: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    found = whole_weeks(dt.date(*since), dt.date(*until))

    assert found == tuple(dt.date(*one) for one in weeks)
