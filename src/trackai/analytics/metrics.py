"""The numbers of a period: what was sent, how fast, what was sold, how much of it was matched."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from trackai.analytics.latency import percentiles_ms
from trackai.analytics.periods import Period, Segment
from trackai.errors import UnknownTenant
from trackai.storage import counts, tenants
from trackai.storage.counts import Asked, Span
from trackai.storage.pool import Row, Tx

# From the webhook's arrival to the platform's yes.
WHOLE = "whole"


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
    def of(cls, bins: Mapping[int, int]) -> "Latency":
        """Return what bins say."""
        return cls(*percentiles_ms(bins, 0.50, 0.95, 0.99))


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
    minutes: float

    @property
    def success_rate(self) -> float | None:
        """Share of tries that were accepted."""
        return self.accepted / self.attempts if self.attempts else None

    @property
    def match_rate(self) -> float | None:
        """Share of paid sales that have their click."""
        return self.matched / self.sales if self.sales else None

    @property
    def throughput_per_minute(self) -> float:
        """Tries a minute, on average."""
        return self.attempts / self.minutes


@dataclass(frozen=True, slots=True)
class Filters:
    """What to look at; None means everything. Latency knows gateways alone."""

    gateway: str | None = None
    funnel_id: UUID | None = None


async def zone_of(tx: Tx, *, tenant_id: UUID) -> ZoneInfo:
    """Return the time zone that decides a tenant's days."""
    tenant = await tenants.find_tenant(tx, tenant_id)
    if tenant is None:
        raise UnknownTenant("There is no such tenant.")
    return ZoneInfo(tenant.time_zone)


def asked_of(segments: Iterable[Segment], filters: Filters, *, tenant_id: UUID) -> Asked:
    """Return what to ask of storage."""
    spans = [Span(one.grain.value, one.start, one.end) for one in segments]
    return Asked(tenant_id, spans, filters.gateway, filters.funnel_id)


async def measure(tx: Tx, period: Period, filters: Filters, *, tenant_id: UUID) -> Metrics:
    """Return the numbers of a period."""
    asked = asked_of(period.segments(), filters, tenant_id=tenant_id)
    tried = await counts.sum_dispatch(tx, asked)
    sold = [row for row in await counts.sum_sales(tx, asked) if row["paid"]]
    bins = (await counts.sum_latency(tx, asked, stages=[WHOLE]))[WHOLE]
    attempts = sum(row["attempts"] for row in tried)
    accepted = sum(row["attempts"] for row in tried if row["status"] == "accepted")
    return Metrics(
        attempts=attempts,
        accepted=accepted,
        failed=attempts - accepted,
        dead_letters=sum(row["deliveries"] for row in tried if row["status"] == "dead"),
        sales=sum(row["sales"] for row in sold),
        matched=sum(row["sales"] for row in sold if row["matched"]),
        revenue=_revenue(sold),
        latency=Latency.of(bins),
        minutes=(period.end - period.start) / dt.timedelta(minutes=1),
    )


def _revenue(sold: Sequence[Row]) -> list[Revenue]:
    gross: defaultdict[str, int] = defaultdict(int)
    refunded: defaultdict[str, int] = defaultdict(int)
    for row in sold:
        if row["currency"]:
            gross[row["currency"]] += row["gross_minor"]
            refunded[row["currency"]] += row["refunded_minor"]
    return [Revenue(one, gross[one], refunded[one]) for one in sorted(gross)]
