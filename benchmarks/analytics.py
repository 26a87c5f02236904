"""Answers from counts with a million tries in the tables, or ten: ROWS says how many.

Two loads of made-up shops, a tenth first, so that what grows with the tables shows. A question is
what the API does for one: a transaction, the note in the audit log, the counts, the commit.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import asyncpg
from tests.support.databases import execute

from benchmarks.figures import Figure, Size, percentile
from benchmarks.scratch import Scratch, run_async, scratch
from benchmarks.shops import load_shops, made_up
from trackai.analytics.campaigns import Level, report
from trackai.analytics.funnels import funnel_numbers
from trackai.analytics.matched import match_rate, match_rates
from trackai.analytics.metrics import Filters, measure, zone_of
from trackai.analytics.performance import outcomes, perform, stages_of
from trackai.analytics.periods import Period
from trackai.analytics.sales import list_sold, sum_sold
from trackai.cli.process import calm_collector
from trackai.housekeeping.rollups import Folder
from trackai.model.clock import SystemClock, new_id
from trackai.sandbox.load.shape import Shop
from trackai.sandbox.load.shops import SHARES
from trackai.storage import events
from trackai.storage.audit_logs import Scribe
from trackai.storage.cluster import OWNER, SUPERUSER
from trackai.storage.dispatch_attempts import insert_attempts
from trackai.storage.events import Place, Wanted
from trackai.storage.pool import Database, Role, Tx

PERIODS = ("24h", "7d", "30d", "90d")
# From here on a scan of the rows is what the target was set against.
LARGE = 5_000_000
EVERYTHING = Filters()
UPKEEP_ROWS, UPKEEP_ROUNDS = 1_000, 20
# Rounds of all questions: of a question's p95s the median is told, for a machine that others use
# is slow now and then.
QUESTION_ROUNDS = 5
# Freshness: so many tries at once, so often.
BATCH, EVERY_S = 20, 0.1

# What the rows themselves say of a day and the one before: how many tries, how long they took.
SCANNED_COUNTS = """
select created_at >= now() - interval '24 hours', status, count(*) from dispatch_attempts
where tenant_id = $1 and created_at >= now() - interval '48 hours' group by 1, 2
"""
SCANNED_TIMES = """
select created_at >= now() - interval '24 hours',
  percentile_cont(array[0.5, 0.95, 0.99]) within group (order by created_at - received_at)
from dispatch_attempts
where tenant_id = $1 and status = 'accepted' and created_at >= now() - interval '48 hours'
group by 1
"""
INDEX_ONLY_SCAN = """
select status, count(*) from dispatch_attempts
where tenant_id = $1 and status = any(array['accepted', 'deferred', 'rejected'])
  and created_at >= now() - interval '30 days' group by 1
"""

Question = Callable[[Tx, Shop, Period], Awaitable[object]]
# Question and period -> seconds, by round.
Asked = dict[tuple[str, str], list[Sequence[float]]]


async def _metrics(tx: Tx, shop: Shop, period: Period) -> object:
    """Ask as the address does: this period and the one before."""
    return [
        await measure(tx, one, EVERYTHING, tenant_id=shop.tenant_id)
        for one in (period, period.before())
    ]


async def _match_rate(tx: Tx, shop: Shop, period: Period) -> object:
    return (
        await match_rates(tx, period, EVERYTHING, tenant_id=shop.tenant_id),
        await match_rate(tx, period.before(), EVERYTHING, tenant_id=shop.tenant_id),
    )


async def _performance(tx: Tx, shop: Shop, period: Period) -> object:
    return (
        await perform(tx, period, EVERYTHING, tenant_id=shop.tenant_id),
        await stages_of(tx, period.before(), EVERYTHING, tenant_id=shop.tenant_id),
        await outcomes(tx, period, EVERYTHING, tenant_id=shop.tenant_id),
    )


async def _campaigns(tx: Tx, shop: Shop, period: Period) -> object:
    days = period.whole_days()
    return await report(tx, days, EVERYTHING, Level.AD, tenant_id=shop.tenant_id)


async def _sales(tx: Tx, shop: Shop, period: Period) -> object:
    """Ask as the page of conversions does for its cards and its chart."""
    return [
        *[
            await sum_sold(tx, one, EVERYTHING, None, tenant_id=shop.tenant_id)
            for one in (period, period.before())
        ],
        await list_sold(tx, period, EVERYTHING, None, tenant_id=shop.tenant_id),
    ]


async def _funnels(tx: Tx, shop: Shop, period: Period) -> object:
    return await funnel_numbers(tx, period, tenant_id=shop.tenant_id)


async def _nothing(tx: Tx, shop: Shop, period: Period) -> object:
    """Ask for nothing: what is left is the frame of every question."""
    return tx, shop, period


async def _events(tx: Tx, shop: Shop, period: Period) -> object:
    wanted, after = Wanted(period.start), Place.before(period.end)
    return await events.list_events(tx, wanted, after, tenant_id=shop.tenant_id, limit=100)


async def _attempts(tx: Tx, shop: Shop, period: Period) -> object:
    wanted, after = Wanted(period.start), Place.before(period.end)
    return await events.list_attempts(tx, wanted, after, tenant_id=shop.tenant_id, limit=100)


# Whether a question takes percentiles of histograms, too: those may take longer.
QUESTIONS: Mapping[str, tuple[Question, bool]] = {
    "metrics": (_metrics, True),
    "match_rate": (_match_rate, False),
    "performance": (_performance, True),
    "campaigns": (_campaigns, True),
    "sales": (_sales, False),
    "funnels": (_funnels, False),
    "events": (_events, False),
    "attempts": (_attempts, False),
}


def run(size: Size) -> list[Figure]:
    """Load, ask, keep up, and look how soon what happens is seen."""
    with scratch() as place:
        return run_async(_measure(place, size))


async def _measure(place: Scratch, size: Size) -> list[Figure]:
    url = place.here.url
    seconds, (first,) = await load_shops(place, size.rows // 10, 1)
    async with (
        Database.opened(url, Role.APP, size=2) as people,
        Database.opened(url, Role.PIPELINE, size=2) as workers,
    ):
        before = await _upkeep(workers, first)
        more, shops = await load_shops(place, size.rows - size.rows // 10, len(SHARES))
        # What a mass load leaves to do in the background would be measured, too.
        await execute(url.replace(OWNER, SUPERUSER, 1), "vacuum", "checkpoint")
        after = await _upkeep(workers, shops[0])
        # As the process does that answers people.
        calm_collector()
        asked = await _rounds(people, shops[0], size.lookups)
        scans = await _scans(url, shops[0])
        fresh_s = await _freshness(people, workers, shops[0], size.round_s * size.rounds)
    return [
        *_question_figures(asked, scans, size.rows),
        Figure(
            "upkeep_ratio",
            statistics.median(after) / statistics.median(before),
            f"adding and folding {UPKEEP_ROWS:,} tries, against a tenth of the rows",
            at_most=1.2,
        ),
        Figure(
            "upkeep_ms",
            statistics.median(after) * 1000,
            f"adding {UPKEEP_ROWS:,} tries of one shop, counting and folding them",
        ),
        Figure(
            "freshness_p95_s",
            percentile(fresh_s, 95),
            "from a try to its number, at 200 tries a second, 95 of 100 below",
            at_most=2,
        ),
        Figure("load_s", seconds + more, f"loading {size.rows:,} tries and what belongs to them"),
    ]


async def _rounds(people: Database, shop: Shop, times: int) -> Asked:
    asked: Asked = {}
    for _ in range(QUESTION_ROUNDS):
        for name, (question, _) in QUESTIONS.items():
            for period in PERIODS:
                taken = await _ask(people, shop, question, period, times // QUESTION_ROUNDS)
                asked.setdefault((name, period), []).append(taken)
        nothing = await _ask(people, shop, _nothing, PERIODS[0], times // QUESTION_ROUNDS)
        asked.setdefault(("nothing", PERIODS[0]), []).append(nothing)
    return asked


async def _ask(
    people: Database, shop: Shop, question: Question, period: str, times: int
) -> list[float]:
    """Return seconds; what a new connection has to learn first is not of them."""
    taken: list[float] = []
    scribe = Scribe(shop.tenant_id, "key:benchmark", SystemClock(), new_id)
    for _ in range(times + 3):
        started = time.perf_counter()
        async with people.transaction(tenant_id=shop.tenant_id, waits=False) as tx:
            await scribe.note(tx, "analytics.read", "benchmark", {"period": period})
            zone = await zone_of(tx, tenant_id=shop.tenant_id)
            asked = Period.named(period, zone=zone, now=SystemClock().now())
            await question(tx, shop, asked)
        taken.append(time.perf_counter() - started)
    return taken[3:]


@dataclass(frozen=True, slots=True)
class _Scans:
    """Seconds."""

    counts: float
    times: float
    index_only: float


async def _scans(url: str, shop: Shop) -> _Scans:
    """Time what rollups are there to spare, on one core, as they are."""
    owner = await asyncpg.connect(url)
    try:
        await owner.execute("set max_parallel_workers_per_gather = 0")
        await owner.execute("set role trackai_pipeline")
        index_only = [await _timed(owner, INDEX_ONLY_SCAN, shop.tenant_id) for _ in range(3)]
        for way in ("indexscan", "indexonlyscan", "bitmapscan"):
            await owner.execute(f"set enable_{way} = off")
        counted = [await _timed(owner, SCANNED_COUNTS, shop.tenant_id) for _ in range(3)]
        timed = [await _timed(owner, SCANNED_TIMES, shop.tenant_id) for _ in range(3)]
    finally:
        await owner.close()
    return _Scans(*map(statistics.median, (counted, timed, index_only)))


async def _timed(owner: "asyncpg.Connection[asyncpg.Record]", text: str, *values: object) -> float:
    started = time.perf_counter()
    await owner.fetch(text, *values)
    return time.perf_counter() - started


async def _upkeep(workers: Database, shop: Shop) -> list[float]:
    """Return seconds for UPKEEP_ROWS tries, in batches as they come from Meta, folded once."""
    folder, taken = Folder(workers, SystemClock()), []
    while await folder.step():
        pass
    for _ in range(UPKEEP_ROUNDS):
        started = time.perf_counter()
        for _ in range(UPKEEP_ROWS // 100):
            async with workers.transaction() as tx:
                await insert_attempts(tx, made_up(shop, 100))
        await folder.step()
        taken.append(time.perf_counter() - started)
    return taken


async def _freshness(
    people: Database, workers: Database, shop: Shop, seconds: float
) -> list[float]:
    """Return, for each batch, how long after its tries happened their number was seen."""
    made: list[tuple[int, float]] = []  # tries so far, when the last ones happened
    seen: list[float] = []
    start = await _count(people, shop)
    stopping = asyncio.Event()

    async def make() -> None:
        for turn in range(1, round(seconds / EVERY_S) + 1):
            happened = time.perf_counter()
            async with workers.transaction() as tx:
                await insert_attempts(tx, made_up(shop, BATCH))
            made.append((start + turn * BATCH, happened))
            await asyncio.sleep(max(0.0, EVERY_S - (time.perf_counter() - happened)))

    async def fold() -> None:
        folder = Folder(workers, SystemClock())
        while not stopping.is_set():
            await folder.step()
            await asyncio.sleep(1.0)

    async def look() -> None:
        while not (stopping.is_set() and len(seen) == len(made)):
            number, now = await _count(people, shop), time.perf_counter()
            while len(seen) < len(made) and made[len(seen)][0] <= number:
                seen.append(now - made[len(seen)][1])

    looking, folding = asyncio.create_task(look()), asyncio.create_task(fold())
    await make()
    stopping.set()
    await asyncio.wait_for(asyncio.gather(looking, folding), timeout=60)
    return seen


async def _count(people: Database, shop: Shop) -> int:
    async with people.transaction(tenant_id=shop.tenant_id) as tx:
        zone = await zone_of(tx, tenant_id=shop.tenant_id)
        period = Period.named("7d", zone=zone, now=SystemClock().now())
        return (await measure(tx, period, EVERYTHING, tenant_id=shop.tenant_id)).attempts


def _question_figures(asked: Asked, scans: _Scans, rows: int) -> list[Figure]:
    """Return the slowest question's, each question's, and how much the rows themselves take."""
    p50 = {key: statistics.median(chain(*rounds)) for key, rounds in asked.items()}
    p95 = {
        key: statistics.median(percentile(taken, 95) for taken in rounds) * 1000
        for key, rounds in asked.items()
    }
    with_bins = {name for name, (_, binned) in QUESTIONS.items() if binned}
    plain = {key: one for key, one in p95.items() if key[0] not in with_bins}
    binned = {key: one for key, one in p95.items() if key[0] in with_bins}
    day = p50["metrics", "24h"]
    large = 300 if rows >= LARGE else None
    slowest, slowest_binned = max(plain, key=plain.__getitem__), max(binned, key=binned.__getitem__)
    return [
        Figure(
            "question_p95_ms",
            plain[slowest],
            f"the slowest question, {' '.join(slowest)}, with {rows:,} tries",
            at_most=5,
        ),
        Figure(
            "percentile_p95_ms",
            binned[slowest_binned],
            f"the slowest with percentiles, {' '.join(slowest_binned)}",
            at_most=10,
        ),
        Figure(
            "scan_ratio",
            (scans.counts + scans.times) / day,
            "reading all tries for a day's metrics and those of the one before, against the answer",
            at_least=large,
        ),
        Figure(
            "one_scan_ratio",
            scans.counts / day,
            "reading all tries once and only counting them, against the same answer",
        ),
        Figure(
            "index_only_ratio",
            scans.index_only / p50["metrics", "30d"],
            "reading a shop's month from the index, against all numbers of two months",
        ),
        *(
            Figure(
                f"{name}_{period}_ms",
                half * 1000,
                f"half below; 95 of 100 below {p95[name, period]:.1f}",
            )
            for (name, period), half in p50.items()
        ),
    ]
