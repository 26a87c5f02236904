"""The numbers of a period: what was sent, how fast, what was sold, how much of it was matched."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.analytics.periods import Period, Segment
from trackai.errors import InvalidField, UnknownTenant
from trackai.model.histogram import Histogram
from trackai.model.tenant import Tenant
from trackai.storage import counts, tenants
from trackai.storage.counts import Asked, Span
from trackai.storage.pool import Row, Tx

# From the webhook's arrival to the platform's yes.
WHOLE = "whole"
NO_FUNNEL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Revenue:
    """Money of one currency, in minor units, of sales that were ever paid."""

    currency: str
    gross_minor: int
    refunded_minor: int

    @property
    def net_minor(self) -> int:
        """What is left of it."""
        return self.gross_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from webhook to acceptance that half, 95 and 99 of 100 stay below."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, times: Histogram) -> "Latency":
        """Return what times say."""
        return cls(*times.percentiles_ms(0.50, 0.95, 0.99))


@dataclass(frozen=True, slots=True)
class Metrics:
    """Numbers of one period; rates are None where there is nothing to take a share of."""

    attempts: int
    accepted: int
    failed: int
    dead_letters: int
    sales: int  # that were ever paid
    matched: int  # of them
    revenue: Sequence[Revenue]
    latency: Latency
    minutes: float  # of the period, as far as it is over

    @property
    def success_rate(self) -> float | None:
        """Share of tries that were accepted."""
        return self.accepted / self.attempts if self.attempts else None

    @property
    def match_rate(self) -> float | None:
        """Share of paid sales that have their click."""
        return self.matched / self.sales if self.sales else None

    def net_minor(self, currency: str) -> int:
        """Return what is left of what was sold in a currency."""
        return sum(one.net_minor for one in self.revenue if one.currency == currency)

    @property
    def throughput_per_minute(self) -> float:
        """Tries a minute, on average."""
        return self.attempts / self.minutes


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look at; None means everything. Latency knows gateways alone."""

    gateway: str | None = None
    funnel_id: UUID | None = None

    def __post_init__(self) -> None:
        """Refuse what stands for all funnels in counts, and is none."""
        if self.funnel_id == NO_FUNNEL:
            raise InvalidField("There is no such funnel.", field="funnel")


async def tenant_of(tx: Tx, *, tenant_id: UUID) -> Tenant:
    """Return a tenant, with its time zone and currency; UnknownTenant when there is none."""
    tenant = await tenants.find_tenant(tx, tenant_id)
    if tenant is None:
        raise UnknownTenant("There is no such tenant.")
    return tenant


async def zone_of(tx: Tx, *, tenant_id: UUID) -> ZoneInfo:
    """Return the time zone that decides a tenant's days."""
    return ZoneInfo((await tenant_of(tx, tenant_id=tenant_id)).time_zone)


def asked_of(segments: Iterable[Segment], filters: Filters, *, tenant_id: UUID) -> Asked:
    """Return what to ask of storage, of segments that follow each other."""
    spans = [Span(one.grain.value, one.start, one.end) for one in segments]
    since, until = spans[0].since, spans[-1].until
    return Asked(tenant_id, spans, since, until, filters.gateway, filters.funnel_id)


def asked_briefly(period: Period, filters: Filters, *, tenant_id: UUID) -> Asked:
    """Return the same with as few buckets as add up to a period, some of them to be taken away.

    For questions of which each bucket has many rows: how long stages took, what ads brought.
    """
    spans = [Span(one.grain.value, one.start, one.end, taken=one.taken) for one in period.fewest()]
    return Asked(tenant_id, spans, period.start, period.end, filters.gateway, filters.funnel_id)


async def measure(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> Metrics:
    """Return the numbers of a period."""
    asked = asked_of(period.segments(), filters, tenant_id=tenant_id)
    rows = await counts.sum_totals(tx, asked)
    timed = asked_briefly(period, filters, tenant_id=tenant_id)
    times = (await counts.sum_latency(tx, timed, stages=[WHOLE]))[WHOLE]
    attempts, accepted = sum_of(rows, "attempts"), sum_of(rows, "accepted")
    return Metrics(
        attempts=attempts,
        accepted=accepted,
        failed=attempts - accepted,
        dead_letters=sum_of(rows, "dead_letters"),
        sales=sum_of(rows, "sales"),
        matched=sum_of(rows, "matched"),
        revenue=[
            Revenue(row["currency"], row["gross_minor"], row["refunded_minor"])
            for row in sorted(rows, key=itemgetter("currency"))
            if row["currency"]
        ],
        latency=Latency.of(times),
        minutes=period.passed / dt.timedelta(minutes=1),
    )


def sum_of(rows: Iterable[Row], number: str) -> int:
    """Return a number of all currencies together."""
    return sum(row[number] for row in rows)
