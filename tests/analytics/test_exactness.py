"""Rollups equal their rows, whatever happened and in whatever order; and a difference is found."""

import asyncio
import datetime as dt
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.privacy.people import desk
from tests.support.world import SECRET

from trackai.analytics.metrics import Filters, asked_briefly, asked_of, measure, zone_of
from trackai.analytics.performance import STAGES
from trackai.analytics.periods import Period
from trackai.analytics.verify import Days, Verified, verify
from trackai.dispatch.dead_letters import DeadLetters, ReplayReleaser, Wish
from trackai.housekeeping.rollups import Folder
from trackai.model.ad_spend import AdAccount, AdDay
from trackai.model.click import Utm
from trackai.model.clock import new_id
from trackai.privacy.erase import Erasure
from trackai.privacy.person import Person as Named
from trackai.sandbox.platforms import PLATFORMS, Person, Sale, SaleStatus, platform
from trackai.storage import counts
from trackai.storage.ad_spend import save_spend
from trackai.storage.counts import CLICK_TO_SALE
from trackai.storage.dead_letters import Wanted, discard
from trackai.storage.deliveries import bury_of_destination
from trackai.storage.rollups import delete_empty_all_tenants

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office
    from tests.support.world import Account

SEEDS = range(4)
STEPS = 160
UTMS = [
    Utm(source="facebook", medium="conjunto", campaign="Lançamento", content="vídeo 1"),
    Utm(source="facebook", medium="conjunto", campaign="Lançamento", content="vídeo 2"),
    Utm(source="ig", campaign="remarketing"),
    Utm(),
]
FAULTS = ("http_500", "throttle", "garbage", "token_expired")


async def verified(office: "Office", account: "Account", days: int = 90) -> Verified:
    world = office.world
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        return await verify(tx, tenant_id=account.tenant.id, days=Days(days), now=world.clock.now())


async def some_days(office: "Office", account: "Account", seed: str) -> Verified:
    """Verify a stretch of days that begins and ends somewhere in the middle."""
    world, chance = office.world, random.Random(seed)  # noqa: S311 - repeatable
    today = world.clock.now().date()
    first, last = sorted(today - dt.timedelta(days=chance.randint(0, 60)) for _ in range(2))
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        days = Days(first=first, last=last)
        return await verify(tx, tenant_id=account.tenant.id, days=days, now=world.clock.now())


async def spend(office: "Office", account: "Account") -> None:
    """Let an ad have cost something on each day of two weeks."""
    today = office.world.clock.now().date()
    days = [
        AdDay(today - dt.timedelta(days=ago), "7", "Launch", "", "set", "1", "ad", "BRL", 900)
        for ago in range(14)
    ]
    async with office.world.people.transaction(tenant_id=account.tenant.id) as tx:
        of = AdAccount(account.tenant.id, "meta", "act_1")
        await save_spend(tx, of, days, now=office.world.clock.now())


class Life:
    """Whatever can happen to two shops, drawn from a seed."""

    def __init__(self, office: "Office", accounts: "list[Account]", seed: int) -> None:
        self.office, self.world, self.accounts = office, office.world, accounts
        self.random = random.Random(seed)  # noqa: S311 - repeatable
        self.sales: list[tuple[Account, str, Sale]] = []
        self.clicks: list[tuple[Account, str]] = []
        self.late: list[tuple[Account, str]] = []
        self.folder = Folder(self.world.workers, self.world.clock)
        self.releaser = ReplayReleaser(self.world.workers, office.queue, self.world.clock)

    async def live(self) -> None:
        ways: list[tuple[int, Callable[[], Awaitable[object]]]] = [
            *((4, self.click), (6, self.buy), (5, self.more), (2, self.come_late)),
            *((4, self.send), (2, self.fail), (1, self.replay), (1, self.give_up)),
            *((1, self.disconnect), (1, self.forget), (3, self.wait), (3, self.folder.step)),
        ]
        for _ in range(STEPS):
            weights, steps = zip(*ways, strict=True)
            await self.random.choices(steps, weights)[0]()
        for _ in range(3):
            await self.send()

    async def click(self) -> None:
        account, click_id = self.random.choice(self.accounts), f"c{new_id().hex}"
        await self.world.click(click_id, account=account, utm=self.random.choice(UTMS))
        self.clicks.append((account, click_id))

    async def buy(self) -> None:
        account, gateway = self.random.choice(self.accounts), self.random.choice(sorted(PLATFORMS))
        known = [click_id for owner, click_id in self.clicks if owner is account]
        later = f"c{new_id().hex}"
        click_id = self.random.choice([*known[-3:], later, None])
        if click_id == later:
            self.late.append((account, later))
        # Some were sold long before anybody heard of it.
        ago = dt.timedelta(hours=self.random.choice([0, 0, 0, 5, 60, 900]))
        sale = self.world.sale(
            gateway,
            click_id=click_id,
            sold_at=self.world.clock.now() - ago,
            amount_minor=self.random.randint(0, 99_900),
            buyer=Person(email=f"p{self.random.randint(1, 6)}@exemplo.com.br"),
        )
        self.sales.append((account, gateway, sale))
        await self.say(account, gateway, sale)

    async def more(self) -> None:
        if self.sales:
            await self.say(*self.random.choice(self.sales))

    async def say(self, account: "Account", gateway: str, sale: Sale) -> None:
        status = self.random.choice(sorted(PLATFORMS[gateway].statuses))
        await self.world.tell(gateway, sale, status, account=account)

    async def come_late(self) -> None:
        if self.late:
            account, click_id = self.late.pop()
            utm = self.random.choice(UTMS)
            await self.world.click(click_id, account=account, utm=utm, ago=dt.timedelta(hours=1))
            self.world.clock.forward(hours=1)
            await self.world.look_again()

    async def send(self) -> None:
        for _ in range(50):
            if not await self.office.step():
                return

    async def fail(self) -> None:
        self.office.meta.script_fault(self.random.choice(FAULTS), times=self.random.randint(1, 4))
        await self.send()
        self.office.meta.clear_faults()

    async def replay(self) -> None:
        account = self.random.choice(self.accounts)
        letters = DeadLetters(self.world.people, self.world.clock, new_id, account.tenant.id)
        await letters.replay(Wish(new_id().hex, Wanted()))
        await self.releaser.step()

    async def give_up(self) -> None:
        account = self.random.choice(self.accounts)
        async with self.world.people.transaction(tenant_id=account.tenant.id) as tx:
            now = self.world.clock.now()
            await discard(tx, tenant_id=account.tenant.id, wanted=Wanted(), now=now)

    async def disconnect(self) -> None:
        account = self.random.choice(self.accounts)
        async with self.world.people.transaction(tenant_id=account.tenant.id) as tx:
            await bury_of_destination(
                tx,
                tenant_id=account.tenant.id,
                destination_id=account.destination.id,
                reason="disconnected",
                now=self.world.clock.now(),
            )

    async def forget(self) -> None:
        account = self.random.choice(self.accounts)
        who = Named.named(email=f"p{self.random.randint(1, 6)}@exemplo.com.br")
        await Erasure(desk(self.world, account), who, why="asked by mail").run()

    async def wait(self) -> None:
        minutes = self.random.choice([1, 7, 61, 500])
        self.world.clock.forward(minutes=minutes)
        await self.world.look_again()


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_every_bucket_equals_its_rows(shop: "Office", seed: int) -> None:
    other = await shop.open_account("Outra")
    accounts = [shop.world.account, other]
    await Life(shop, accounts, seed).live()
    for account in accounts:
        await spend(shop, account)
    found = [await verified(shop, account) for account in accounts]
    assert not await Folder(shop.world.workers, shop.world.clock).step()
    left = await shop.world.rows("select count(*) from changed_sales where $1::uuid is not null")
    folded = [await verified(shop, account) for account in accounts]

    stretches = [
        await some_days(shop, account, f"{seed}.{n}") for account in accounts for n in range(5)
    ]

    assert [one.different for one in found] == [0, 0], [one.compared for one in found]
    assert [one.different for one in stretches] == [0] * 10, [one.compared for one in stretches]
    assert [one.different for one in folded] == [0, 0], [one.compared for one in folded]
    assert [row["count"] for row in left] == [0]
    totals = [{one.rollup: one.total for one in each.compared} for each in found]
    assert all(total > 0 for each in totals for total in each.values()), totals


RAW = """
select (select count(*) from dispatch_attempts
    where tenant_id = $1 and created_at >= $2 and created_at < $3) as attempts,
  (select count(*) from deliveries where tenant_id = $1 and status = 'dead'
    and settled_at >= $2 and settled_at < $3) as dead_letters,
  count(*) as sales, count(*) filter (where m.strategy <> 'unmatched') as matched,
  coalesce(sum(c.amount_minor), 0)::bigint as gross,
  coalesce(sum(trackai_refunded(c.status, c.amount_minor, c.refunded_minor)), 0)::bigint as refunded
from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where c.tenant_id = $1 and trackai_was_paid(c.status) and c.sold_at >= $2 and c.sold_at < $3
"""


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_numbers_of_any_period_are_those_of_its_rows(shop: "Office", seed: int) -> None:
    life = Life(shop, [shop.world.account], seed)
    await life.live()
    now, tenant_id = shop.world.clock.now(), shop.world.account.tenant.id
    wrong = []
    async with shop.world.people.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        for _ in range(60):
            ends = sorted(life.random.uniform(0, life.random.choice([50, 1000])) for _ in range(2))
            start, end = (now - dt.timedelta(hours=ago) for ago in reversed(ends))
            period = Period.between(start, end, zone=zone, now=now)
            found = await measure(tx, period, Filters(), tenant_id=tenant_id)
            (raw,) = await tx.fetch(RAW, tenant_id, period.start, period.end)
            money = [(one.gross_minor, one.refunded_minor) for one in found.revenue]
            gross, refunded = (sum(each) for each in zip((0, 0), *money, strict=True))
            counted = (found.attempts, found.dead_letters, found.sales, found.matched)
            if (*counted, gross, refunded) != tuple(raw):
                wrong.append((period, found, tuple(raw)))

    assert wrong == []


SHARES = (0.01, 0.5, 0.95, 1.0)


@pytest.mark.parametrize("seed", SEEDS)
async def test_fewer_buckets_add_up_to_the_same(shop: "Office", seed: int) -> None:
    life = Life(shop, [shop.world.account], seed)
    await life.live()
    # Half of it is folded, and half is not yet.
    await life.folder.step()
    await life.buy()
    now, tenant_id = shop.world.clock.now(), shop.world.account.tenant.id
    different, brought, taken = [], 0, set()
    async with shop.world.people.transaction(tenant_id=tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=tenant_id)
        for _ in range(40):
            ends = sorted(life.random.uniform(-2, life.random.choice([50, 1000])) for _ in range(2))
            start, end = (now - dt.timedelta(hours=ago) for ago in reversed(ends))
            period = Period.between(start, end, zone=zone, now=now)
            many = asked_of(period.segments(), Filters(), tenant_id=tenant_id)
            few = asked_briefly(period, Filters(), tenant_id=tenant_id)
            taken |= {span.grain for span in few.spans if span.taken}
            ads, sold, tried = [
                [sorted(map(tuple, await rows_of(tx, asked)), key=repr) for asked in (many, few)]
                for rows_of in (counts.sum_campaigns, counts.sum_matches, counts.sum_outcomes)
            ]
            times = [
                [one.percentiles_ms(*SHARES) for one in found.values()]
                for asked in (many, few)
                for found in [await counts.sum_latency(tx, asked, stages=[*STAGES, CLICK_TO_SALE])]
            ]
            brought += len(ads[0]) and len(sold[0]) and len(tried[0])
            different += [
                (period, both) for both in (ads, sold, tried, times) if both[0] != both[1]
            ]

    assert different == []
    assert brought > 0
    assert taken >= {"minute", "hour"}


TAMPERED = {
    "rollup_totals": "update rollup_totals set matched = matched + 1 where gateway = 'kiwify'",
    "rollup_campaigns": "update rollup_campaigns set clicks = clicks + 1 where grain = 'hour'",
    "rollup_sales": "update rollup_sales set gross_minor = gross_minor + 1 where grain = 'hour'",
    "rollup_dispatch": "delete from rollup_dispatch where grain = 'minute'",
    "rollup_peaks": "insert into rollup_peaks select tenant_id, at, 1000 from counted_totals"
    " where grain = 'day' and gateway = '' limit 1",
    "rollup_latency": "update rollup_latency set numbers[1] = numbers[1] + 1 where grain = 'day'",
    "ad_spend_weeks": "update ad_spend_weeks set spent_minor = spent_minor + 1",
}


# Numbers of buckets that nothing else is in, as a defect in adding up might leave them.
LONE = {
    "rollup_totals": "insert into rollup_totals select tenant_id, 'day',"
    " at - interval '9 days', funnel_id, gateway, currency, 0, 1, 0, 0, 1, 0, 0"
    " from rollup_totals where grain = 'day'",
    "rollup_campaigns": "insert into rollup_campaigns select tenant_id, 'day',"
    " at - interval '9 days', funnel_id, gateway, campaign_id, currency, 0, 0, 1, 0, 0, 5"
    " from rollup_campaigns where grain = 'day' and gateway <> ''",
}


@pytest.mark.parametrize(
    ("rollup", "tampered"),
    [*TAMPERED.items(), *LONE.items()],
    ids=[*TAMPERED, *map("lone {}".format, LONE)],
)
async def test_a_bucket_that_differs_is_found(shop: "Office", rollup: str, tampered: str) -> None:
    account = shop.world.account
    await shop.sell(3)
    await shop.step()
    await spend(shop, account)
    await Folder(shop.world.workers, shop.world.clock).step()
    before = await verified(shop, account)
    owner = await asyncpg.connect(shop.world.url)
    try:
        async with owner.transaction():
            await owner.execute(f"alter table {rollup} no force row level security")
            await owner.execute(tampered)
            await owner.execute(f"alter table {rollup} force row level security")
    finally:
        await owner.close()
    after = await verified(shop, account)

    assert before.different == 0
    assert all(one.total for one in before.compared)
    assert {one.rollup for one in after.compared if one.different} == {rollup}
    assert all(one.examples for one in after.compared if one.different)


async def test_sales_that_change_at_once_are_counted_once(shop: "Office") -> None:
    world, account = shop.world, shop.world.account
    sales = [world.sale("kiwify", click_id=f"late{number}") for number in range(8)]
    for sale in sales:
        await world.tell("kiwify", sale, SaleStatus.APPROVED)
    for number in range(len(sales)):
        await world.click(f"late{number}", ago=dt.timedelta(minutes=1), utm=UTMS[number % 4])
    world.clock.forward(hours=1)
    for sale in sales:
        refund = platform("kiwify", SECRET).notices(sale, SaleStatus.REFUNDED, at=world.clock.now())
        await world.receive("kiwify", *refund)
    # Matched again by some while others take the refunds in.
    await asyncio.gather(*(world.work() for _ in range(3)), *(world.look_again() for _ in range(3)))
    found = await verified(shop, account)
    rows = await world.rows(
        "select status, strategy, sum(sales)::int as sales from counted_sales"
        " where tenant_id = $1 and grain = 'day' group by 1, 2 having sum(sales) <> 0"
    )

    assert found.different == 0, found.compared
    assert [tuple(row) for row in rows] == [("refunded", "click_id", len(sales))]


async def test_a_refund_of_last_month_corrects_last_months_bucket(shop: "Office") -> None:
    world = shop.world
    sold_at = world.clock.now() - dt.timedelta(days=33)
    sale = world.sale("kiwify", sold_at=sold_at, amount_minor=19_700)
    await world.tell("kiwify", sale, SaleStatus.APPROVED)
    await world.tell("kiwify", sale, SaleStatus.REFUNDED)
    rows = await world.rows(
        "select at, status, sum(sales), sum(gross_minor), sum(refunded_minor) from counted_sales"
        " where tenant_id = $1 and grain = 'day' group by 1, 2 having sum(sales) <> 0"
    )

    assert [tuple(row)[1:] for row in rows] == [("refunded", 1, 19_700, 19_700)]
    assert rows[0]["at"].date() in {sold_at.date(), sold_at.date() - dt.timedelta(days=1)}


async def test_a_bucket_that_is_half_folded_is_not_taken_for_empty(shop: "Office") -> None:
    # One sale of a new buyer came, one of a returning buyer went, and what is left is to be folded.
    half = "insert into rollup_campaigns values ($1, 'day', now(), $1, 'kiwify', $1, 'BRL',"
    tenant_id = shop.world.account.tenant.id
    async with shop.world.workers.transaction() as tx:
        await tx.execute(f"{half} 0, 0, -1, 0, 0, -500)", tenant_id)
        gone = await delete_empty_all_tenants(tx)
        left = await tx.fetch("select returning_sales from rollup_campaigns")

    assert (gone, [row["returning_sales"] for row in left]) == (0, [-1])
