"""What pages say of sales equals the rows, of any period, campaign and funnel, folded or not."""

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.analytics.test_exactness import UTMS, Life

from trackai.analytics.funnels import funnel_numbers
from trackai.analytics.metrics import NO_FUNNEL, Filters, zone_of
from trackai.analytics.periods import Period
from trackai.analytics.sales import Sold, list_sold, sum_sold

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

    from trackai.storage.pool import Tx

# Paid sales of a period as their rows say it, of a campaign or of all.
SOLD = """
select c.currency, count(*), count(*) filter (where c.bought_before),
  coalesce(sum(c.amount_minor), 0)::bigint,
  coalesce(sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor)), 0)::bigint
from conversions c
join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join campaigns k on k.tenant_id = m.tenant_id and k.id = m.campaign_id
where c.tenant_id = $1 and c.sold_at >= $2 and c.sold_at < $3 and trackai_was_paid(c.status)
  and ($4::text is null or k.campaign = $4) and ($5::text is null or c.gateway = $5)
group by c.currency
"""
# Clicks and the last of them, by funnel.
CLICKED = """
select coalesce(funnel_id, '00000000-0000-0000-0000-000000000000') as funnel, count(*) as clicks,
  date_trunc('minute', max(received_at)) as last
from clicks where tenant_id = $1 and received_at >= $2 and received_at < $3 group by 1
"""


def told(found: Sold) -> dict[str, tuple[int, int, int]]:
    return {
        code: (one.sales, one.gross_minor, one.refunded_minor) for code, one in found.money.items()
    }


async def sold(
    tx: "Tx", tenant_id: UUID, period: Period, campaign: str | None, gateway: str | None
) -> tuple[int, int, dict[str, tuple[int, int, int]]]:
    """Return sales, those of returning buyers, and money by currency, out of the rows."""
    rows = await tx.fetch(SOLD, tenant_id, period.start, period.end, campaign, gateway)
    money = {row[0]: (row[1], row[3], row[4]) for row in rows if row[0]}
    return sum(row[1] for row in rows), sum(row[2] for row in rows), money


@pytest.mark.parametrize("seed", range(2))
async def test_sales_of_any_period_and_campaign_are_those_of_their_rows(
    shop: "Office", seed: int
) -> None:
    life = Life(shop, [shop.world.account], seed)
    await life.live()
    now, tenant_id = shop.world.clock.now(), shop.world.account.tenant.id
    wrong = []
    async with shop.world.people.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        for _ in range(40):
            ends = sorted(life.random.uniform(0, life.random.choice([50, 1000])) for _ in range(2))
            start, end = (now - dt.timedelta(hours=ago) for ago in reversed(ends))
            period = Period.between(start, end, zone=zone, now=now)
            campaign = life.random.choice([None, *(utm.campaign for utm in UTMS)])
            gateway = life.random.choice([None, "kiwify"])
            of = (Filters(gateway), campaign)
            found = await sum_sold(tx, period, *of, tenant_id=tenant_id)
            raw = await sold(tx, tenant_id, period, campaign, gateway)
            if (found.sales, found.returning, told(found)) != raw:
                wrong.append((period, of, found, raw))

    assert wrong == []


@pytest.mark.parametrize(
    ("name", "campaign"),
    [("7d", None), ("30d", None), ("90d", None), ("90d", UTMS[0].campaign)],
)
async def test_the_buckets_of_a_chart_add_up_to_the_period(
    shop: "Office", name: str, campaign: str | None
) -> None:
    life = Life(shop, [shop.world.account], 3)
    await life.live()
    now, tenant_id = shop.world.clock.now(), shop.world.account.tenant.id
    async with shop.world.people.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        period = Period.named(name, zone=zone, now=now)
        of = (Filters(), campaign)
        whole = await sum_sold(tx, period, *of, tenant_id=tenant_id)
        buckets = await list_sold(tx, period, *of, tenant_id=tenant_id)
    net: Counter[str] = Counter()
    for _, one in buckets:
        net.update({code: money.net_minor for code, money in one.money.items()})

    assert whole.sales
    assert sum(one.sales for _, one in buckets) == whole.sales
    assert dict(net) == {code: money.net_minor for code, money in whole.money.items()}


async def test_funnels_add_up_to_their_tenant(shop: "Office") -> None:
    life = Life(shop, [shop.world.account], 1)
    await life.live()
    now, account = shop.world.clock.now(), shop.world.account
    tenant_id = account.tenant.id
    async with shop.world.people.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        period = Period.named("90d", zone=zone, now=now)
        found = await funnel_numbers(tx, period, tenant_id=tenant_id)
        whole = await sum_sold(tx, period, Filters(), None, tenant_id=tenant_id)
        clicked = await tx.fetch(CLICKED, tenant_id, period.start, period.end)

    assert sum(one.sales for one in found.values()) == whole.sales
    assert found[account.funnel.id].money == whole.money
    assert {row["funnel"]: row["clicks"] for row in clicked} == {NO_FUNNEL: found[NO_FUNNEL].clicks}
    last = found[NO_FUNNEL].clicked_at
    # Minutes go after two days, by the database's clock: the hour that it was in stays.
    assert last is not None
    assert last <= clicked[0]["last"] < last + dt.timedelta(hours=1)
