"""Climbing the ladder with a million clicks in the tables, and with ten.

Ten tenants, the real tables, indexes and role; each climb is a transaction of its own and goes
over every rung up to the one that finds. The keys are random, so the rows are spread over the
tables.
"""

import datetime as dt
import hashlib
import random
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.figures import Figure, Size, percentile
from benchmarks.scratch import Scratch, run_async, scratch
from trackai.matching.ladder import climb
from trackai.matching.lookup import StoredClicks
from trackai.model.click import Visitor
from trackai.model.clock import SystemClock, new_id
from trackai.model.conversion import Conversion, ConversionStatus
from trackai.model.identity import email_key, phone_key
from trackai.model.match import MatchStrategy
from trackai.model.money import Money
from trackai.model.notice import Buyer, Product, Tracking
from trackai.model.tenant import Funnel
from trackai.storage import clicks
from trackai.storage.envelope import Envelope
from trackai.storage.identities import stored_keys
from trackai.storage.pool import Database, Role

TENANTS = 10
AGENT = "Mozilla/5.0 (iPhone)"
# Every so many clicks one has left an e-mail and a phone number.
LEADS_EACH = 5
FUNNEL = Funnel(
    UUID(int=0), UUID(int=0), "main", dt.timedelta(hours=72), visitor_window=dt.timedelta(hours=1)
)
# Those that the filled tables can answer; a renewal is one more look-up by an index of its own.
STRATEGIES = [one for one in MatchStrategy if one is not MatchStrategy.SUBSCRIPTION]

FILL_CLICKS = """
insert into clicks (tenant_id, click_id, received_at, fbclid, fbc, fbp, page_url, visitor_sealed,
  day, keep_days)
select $1, 'c' || n, at, 'IwAR0' || n || '-' || md5(n::text),
  'fb.1.1795435200000.IwAR0' || n || '-' || md5(n::text), 'fb.1.1795435200000.' || n,
  'https://exemplo.com.br/curso', $4, (at at time zone 'UTC')::date, 365
from (
  select n, now() - random() * interval '70 hours' as at
  from generate_series($2::bigint, $3::bigint) as n order by md5(n::text)
) clicked
"""
FILL_IDENTITIES = """
insert into identities (tenant_id, kind, key, click_id, seen_at)
select $1, k.kind, k.key, k.click_id, now()
from unnest($2::text[], $3::bytea[], $4::text[]) as k (kind, key, click_id)
"""

# Recent, because address and agent match for an hour only.
FILL_VISITORS = """
update clicks c set visitor_key = v.key, received_at = now() - interval '10 minutes',
  day = ((now() - interval '10 minutes') at time zone 'UTC')::date
from unnest($2::text[], $3::bytea[]) as v (click_id, key)
where c.tenant_id = $1 and c.click_id = v.click_id
"""

Climbs = Mapping[MatchStrategy, list[float]]


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of clicks: each tenant has so many, one tenant's behind the other's."""

    start: int
    each: int

    def first(self, tenant: int) -> int:
        """Return the number of a tenant's first click."""
        return self.start + tenant * self.each + 1

    def last(self, tenant: int) -> int:
        """Return the number of a tenant's last click."""
        return self.start + (tenant + 1) * self.each

    def leads(self, tenant: int) -> range:
        """Return the numbers of a tenant's clicks that left an identity."""
        return range(self.first(tenant) + LEADS_EACH - 1, self.last(tenant) + 1, LEADS_EACH)


def run(size: Size) -> list[Figure]:
    """Fill and climb."""
    with scratch() as place:
        (climbs,) = run_async(_measure(place, size, [size.clicks]))
    everything = _all(climbs)
    return [
        Figure(
            "match_decisions_s",
            len(everything) / sum(everything),
            "matches a second, one after the other on one connection",
        ),
        Figure(
            "match_p95_ms_1m",
            percentile(everything, 95) * 1000,
            f"one match with {size.clicks:,} clicks, 95 of 100 below",
            at_most=5,
        ),
        *(
            Figure(f"match_{strategy.value}_p95_ms", percentile(found, 95) * 1000, "ended there")
            for strategy, found in climbs.items()
        ),
        Figure("match_p50_ms", statistics.median(everything) * 1000, "half below"),
    ]


def run_large(size: Size) -> list[Figure]:
    """Fill and climb, fill ten times as much and climb again."""
    with scratch() as place:
        few, many = map(_all, run_async(_measure(place, size, [size.clicks, 9 * size.clicks])))
    return [
        Figure(
            "match_p95_ms_10m",
            percentile(many, 95) * 1000,
            f"one match with {10 * size.clicks:,} clicks, 95 of 100 below",
            at_most=5,
        ),
        Figure(
            "match_p95_10m_vs_1m",
            percentile(many, 95) / percentile(few, 95),
            "ten times the clicks against the first, in one run",
            at_most=1.5,
        ),
        Figure("match_decisions_s_10m", len(many) / sum(many), "matches a second"),
    ]


def _all(climbs: Climbs) -> list[float]:
    return [seconds for seconds_of in climbs.values() for seconds in seconds_of]


async def _measure(place: Scratch, size: Size, fills: list[int]) -> list[Climbs]:
    """Add so many clicks and climb, one after the other."""
    tenants = [new_id() for _ in range(TENANTS)]
    blocks: list[Block] = []
    measured = []
    chosen = random.Random(7)  # noqa: S311 - the same keys in every run
    for count in fills:
        start = blocks[-1].last(TENANTS - 1) if blocks else 0
        blocks.append(Block(start, count // TENANTS))
        await _fill(place, tenants, blocks[-1])
        async with place.here.database(Role.PIPELINE) as database:
            await _climb_some(place, database, tenants, blocks, chosen, count=20)
            measured.append(
                await _climb_some(place, database, tenants, blocks, chosen, count=size.lookups)
            )
    return measured


async def _climb_some(
    place: Scratch,
    database: Database,
    tenants: list[UUID],
    blocks: list[Block],
    chosen: random.Random,
    *,
    count: int,
) -> Climbs:
    climbs: dict[MatchStrategy, list[float]] = {strategy: [] for strategy in STRATEGIES}
    weights = [block.each for block in blocks]
    for number in range(count * len(climbs)):
        strategy = list(climbs)[number % len(climbs)]
        tenant = chosen.randrange(TENANTS)
        (block,) = chosen.choices(blocks, weights)
        key = chosen.choice(block.leads(tenant))
        conversion = _conversion(tenants[tenant], strategy, key)
        started = time.perf_counter()
        async with database.transaction() as tx:
            look = StoredClicks(tx, place.here.envelope, conversion)
            match = await climb(conversion, FUNNEL, look)
        climbs[strategy].append(time.perf_counter() - started)
        assert match.strategy is strategy, (match.strategy, strategy)
    return climbs


def _conversion(tenant_id: UUID, strategy: MatchStrategy, key: int) -> Conversion:
    """Return a sale with a key for every rung, of which only the strategy's is known."""
    nobody = "0" * 24 + str(key)
    tracking = Tracking(
        click_ids=(f"c{nobody}",), fbclid=f"IwAR0{nobody}", fbp=f"fb.1.1795435200000.{nobody}"
    )
    buyer = Buyer(email=f"nobody{key}@example.com", phone=f"55219{key:08}")
    match strategy:
        case MatchStrategy.CLICK_ID:
            tracking = replace(tracking, click_ids=(f"c{key}",))
        case MatchStrategy.FBCLID:
            tracking = replace(tracking, fbclid=_fbclid(key))
        case MatchStrategy.FBP:
            tracking = replace(tracking, fbp=f"fb.1.1795435200000.{key}")
        case MatchStrategy.EMAIL:
            buyer = replace(buyer, email=_email(key))
        case MatchStrategy.PHONE:
            buyer = replace(buyer, phone=_phone(key))
        case MatchStrategy.VISITOR:
            buyer = replace(buyer, client_ip=_address(key), user_agent=AGENT)
        case MatchStrategy.UNMATCHED | MatchStrategy.SUBSCRIPTION:
            pass
    now = SystemClock().now()
    return Conversion(
        tenant_id=tenant_id,
        id=new_id(),
        gateway="kiwify",
        transaction=nobody,
        connection_id=new_id(),
        funnel_id=new_id(),
        status=ConversionStatus.APPROVED,
        recurrence=1,
        money=Money(19_700, "BRL"),
        refunded=None,
        product=Product(),
        buyer=buyer,
        tracking=tracking,
        sold_at=now,
        first_seen_at=now,
    )


# Filling -----------------------------------------------------------------------------------------


async def _fill(place: Scratch, tenants: list[UUID], block: Block) -> None:
    connection = await asyncpg.connect(
        place.here.url, server_settings={"role": Role.INGEST.value}, timeout=60
    )
    envelope = place.here.envelope
    for number, tenant_id in enumerate(tenants):
        if envelope.unknown([tenant_id]):
            envelope.learn(tenant_id, envelope.new_wrapped(tenant_id))
        visitor = envelope.seal(
            msgspec.msgpack.encode(Visitor("203.0.113.9", "Mozilla/5.0 (iPhone)")),
            table=clicks.TABLE,
            tenant_id=tenant_id,
        )
        first, last = block.first(number), block.last(number)
        await connection.execute(FILL_CLICKS, tenant_id, first, last, visitor, timeout=600)
        leads = block.leads(number)
        kinds = ["email"] * len(leads) + ["phone"] * len(leads)
        hashes = [email_key(_email(n)) for n in leads] + [phone_key(_phone(n)) for n in leads]
        keys = [_stored(envelope, tenant_id, one) for one in hashes if one]
        ids = [f"c{n}" for n in leads] * 2
        await connection.execute(FILL_IDENTITIES, tenant_id, kinds, keys, ids)
    await connection.close()
    owner = await asyncpg.connect(place.here.url)
    for number, tenant_id in enumerate(tenants):
        leads = block.leads(number)
        visitors = [
            clicks.visitor_key(envelope, Visitor(_address(n), AGENT), tenant_id) for n in leads
        ]
        await owner.execute(FILL_VISITORS, tenant_id, [f"c{n}" for n in leads], visitors)
    for table in ("clicks", "identities"):
        await owner.execute(f"vacuum analyze {table}")
    await owner.close()


def _stored(envelope: Envelope, tenant_id: UUID, key: bytes) -> bytes:
    _plain, keyed = stored_keys(envelope, tenant_id, [key])
    return keyed


def _email(number: int) -> str:
    return f"lead{number}@example.com"


def _address(number: int) -> str:
    return f"2001:db8::{number >> 16:x}:{number & 0xFFFF:x}"


def _phone(number: int) -> str:
    return f"55119{number:08}"


def _fbclid(number: int) -> str:
    return f"IwAR0{number}-{hashlib.md5(str(number).encode()).hexdigest()}"  # noqa: S324
