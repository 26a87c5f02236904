"""What a made-up day of a shop looks like. Pure: a shop, a day and a seed say it all.

Of fifty tries one belongs to a sale that is loaded with its match and delivery, which is sent or a
dead letter; the others stand for themselves. Sales are few beside tries so that loading stays a
matter of minutes. Webhooks, page events and hashes of people are not made up: nothing counts them.
"""

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from uuid import UUID

from trackai.model.match import MatchReason, MatchStrategy

KEEP_DAYS = 365
TRIES_A_SALE = 50
CLICKS_A_SALE = 2
MATCHED = 0.72  # of sales have their click
RETURNING = 0.14  # of buyers had bought before
# A funnel sells by one gateway, and an ad leads to one funnel.
GATEWAY_OF = ("hotmart", "hotmart", "kiwify", "perfectpay")
FUNNEL_WEIGHTS = (45, 30, 17, 8)
STATUSES = {"approved": 80, "refunded": 5, "pending": 9, "refused": 4, "charged_back": 2}
STRATEGIES = {"click_id": 70, "fbclid": 8, "fbp": 10, "email": 9, "phone": 3}
OUTCOMES = {
    ("accepted", None): 945,
    ("deferred", "transient_error"): 22,
    ("deferred", "throttled"): 18,
    ("rejected", "invalid_parameter"): 15,
}
PRICES_MINOR = (1_990, 4_700, 9_700, 19_700, 29_700, 49_700, 99_700)
# Orders by hour of a Brazilian day.
HOURS = (8, 5, 3, 2, 2, 3, 5, 9, 14, 19, 22, 23, 24, 22, 22, 23, 23, 23, 25, 28, 32, 33, 27, 16)
WEEKDAYS = (1.05, 1.0, 1.0, 0.98, 0.95, 0.85, 1.1)
BAD_DAYS_EACH = 23
CAMPAIGNS, SETS, ADS = 12, 3, 3

Record = tuple[object, ...]

CLICK_COLUMNS = (
    *("tenant_id", "click_id", "received_at", "funnel_id", "fbclid", "fbp", "utm_source"),
    *("utm_medium", "utm_campaign", "utm_content", "page_url", "campaign_id", "day", "keep_days"),
)
SALE_COLUMNS = (
    *("tenant_id", "id", "gateway", "transaction", "connection_id", "funnel_id", "status"),
    *("amount_minor", "currency", "buyer_sealed", "sold_at", "first_seen_at", "updated_at"),
    "bought_before",
)
MATCH_COLUMNS = (
    *("tenant_id", "conversion_id", "strategy", "click_id", "clicked_at", "tried", "created_at"),
    "campaign_id",
)
DELIVERY_COLUMNS = (
    *("tenant_id", "id", "conversion_id", "destination_id", "receipt_id", "event_name", "event_id"),
    *("event_time", "status", "reason", "attempts", "created_at", "settled_at", "received_at"),
    *("funnel_id", "gateway"),
)
ATTEMPT_COLUMNS = (
    *("tenant_id", "id", "delivery_id", "destination_id", "receipt_id", "gateway", "attempt"),
    *("status", "reason", "http_status", "batch_id", "batch_size", "duration_ms", "created_at"),
    *("quality", "match_keys", "funnel_id", "received_at", "owed_at", "day", "keep_days"),
)


@dataclass(frozen=True, slots=True)
class Ad:
    """What an ad's address says, and the id of that."""

    id: UUID
    source: str
    medium: str
    campaign: str
    content: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A made-up tenant."""

    tenant_id: UUID
    name: str
    funnels: Sequence[UUID]
    connections: dict[str, UUID]
    pixels: Sequence[UUID]
    ads: Sequence[Ad]
    buyer_sealed: bytes
    share: float  # of all tries


def words_of_ads() -> Iterator[tuple[str, str, str, str]]:
    """Yield source, medium, campaign and content as Brazilian shops write them: name|id."""
    for campaign in range(1, CAMPAIGNS + 1):
        source = "google" if campaign % 6 == 0 else "FB"
        for number in range(1, SETS + 1):
            for ad in range(1, ADS + 1):
                yield (
                    source,
                    f"Conjunto {number}|2385{campaign:02}{number}000",
                    f"Lançamento {campaign}|2384{campaign:02}000000",
                    f"Vídeo {ad}|2386{campaign:02}{number}{ad}000",
                )


@dataclass(slots=True)
class Day:
    """Rows of one shop and day, by table."""

    clicks: list[Record]
    conversions: list[Record]
    matches: list[Record]
    deliveries: list[Record]
    attempts: list[Record]


def make_day(shop: Shop, day: dt.date, *, attempts: int, until: dt.datetime, seed: int) -> Day:
    """Make up a day's rows; nothing after `until`."""
    chance = random.Random(f"{seed} {shop.tenant_id} {day}")  # noqa: S311 - repeatable
    made = Day([], [], [], [], [])
    moments = _moments(chance, day, attempts, until)
    sales = _Sales(shop, chance, made, len(moments))
    # Some days Meta is away for the first tries of some sales.
    bad_day = day.toordinal() % BAD_DAYS_EACH == 0
    for start in range(0, len(moments), TRIES_A_SALE):
        sales.tries(start, moments[start : start + TRIES_A_SALE], bad=bad_day and start % 1000 == 0)
    return made


def weight_of(day: dt.date, start: dt.date, days: int) -> float:
    """Return how busy a day is: shops grow, and Sundays differ from Saturdays."""
    return WEEKDAYS[day.weekday()] * (1 + 0.4 * (day - start).days / days)


def _moments(
    chance: random.Random, day: dt.date, number: int, until: dt.datetime
) -> list[dt.datetime]:
    """Return moments of a day in UTC, in order, most where people in Brazil buy."""
    # 00:00 in UTC is 21:00 the day before in São Paulo.
    weights = HOURS[21:] + HOURS[:21]
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    hours = chance.choices(range(24), weights, k=number)
    seconds = sorted(hour * 3600 + chance.random() * 3600 for hour in hours)
    moments = [midnight + dt.timedelta(seconds=one) for one in seconds]
    return [one for one in moments if one <= until]


class _Took(NamedTuple):
    """How long a try took: the call in milliseconds, and since the sale was owed and heard of."""

    call_ms: float
    since_owed: dt.timedelta
    since_received: dt.timedelta


@cache
def _times(number: int) -> Sequence[_Took]:
    """Return some times, of which all tries' are drawn: drawing each anew takes too long."""
    drawn, chance = [], random.Random(number)  # noqa: S311 - repeatable
    for _ in range(number):
        call_ms, waited_ms = chance.lognormvariate(5.2, 0.5), chance.lognormvariate(5.6, 0.9)
        owed = dt.timedelta(milliseconds=call_ms + waited_ms)
        matched = dt.timedelta(milliseconds=chance.lognormvariate(3.9, 0.6))
        drawn.append(_Took(call_ms, owed, owed + matched))
    return drawn


class _Sales:
    """Adds sales with their tries to a day."""

    def __init__(self, shop: Shop, chance: random.Random, made: Day, number: int) -> None:
        self.shop, self.chance, self.made = shop, chance, made
        # Few ads bring most.
        each = len(shop.ads) // len(GATEWAY_OF)
        self.ad_weights = [1 / (1 + place) for place in range(each)]
        self.outcomes = chance.choices([*OUTCOMES], [*OUTCOMES.values()], k=number)
        self.funnels = chance.choices(range(len(GATEWAY_OF)), FUNNEL_WEIGHTS, k=number)
        self.took = chance.choices(_times(5000), k=number)

    def tries(self, first: int, moments: Sequence[dt.datetime], *, bad: bool) -> None:
        """Add a sale whose first try is at the first of these moments, and the other tries."""
        shop, number = self.shop, len(moments)
        ids = _ids(moments[0], self.chance)
        # One webhook may tell of several events, as a cart with order bumps does.
        batch, receipt, quality = next(ids), next(ids), self.chance.randint(40, 93)
        delivery, day = batch, moments[0].date()
        for index, at in enumerate(moments):
            took, funnel = self.took[first + index], self.funnels[first + index]
            status, reason = self.outcomes[first + index]
            if bad:
                status, reason = "deferred", "transient_error"
            owed_at, received_at = at - took.since_owed, at - took.since_received
            pixel, gateway = shop.pixels[index % 2], GATEWAY_OF[funnel]
            # The sale's is sent at once; then two tries a delivery, of what may be long gone.
            delivery = next(ids) if index % 2 or not index else delivery
            if not index:
                # A sale is sent, or refused for good: a dead letter.
                refused = status == "rejected"
                status, reason = ("rejected", reason) if refused else ("accepted", None)
                ended = ("dead", reason) if refused else ("accepted", None)
                self._sale(delivery, (funnel, pixel, receipt), (received_at, owed_at, at), ended)
            self.made.attempts.append(
                (
                    shop.tenant_id,
                    next(ids),
                    delivery,
                    pixel,
                    receipt,
                    gateway,
                    1 if index % 2 or not index else 2,
                    status,
                    reason,
                    400 if status == "rejected" else 200,
                    batch,
                    number,
                    took.call_ms,
                    at,
                    quality,
                    "em,ph,fbc",
                    shop.funnels[funnel],
                    received_at,
                    owed_at,
                    day,
                    KEEP_DAYS,
                )
            )

    def _sale(
        self,
        delivery: UUID,
        sale: tuple[int, UUID, UUID],
        moments: tuple[dt.datetime, dt.datetime, dt.datetime],
        ended: tuple[str, str | None],
    ) -> None:
        shop, chance = self.shop, self.chance
        number, pixel, receipt = sale
        funnel, gateway = shop.funnels[number], GATEWAY_OF[number]
        received_at, owed_at, tried_at = moments
        conversion = next(_ids(received_at, chance))
        (status,) = chance.choices([*STATUSES], [*STATUSES.values()])
        sold_at = received_at - dt.timedelta(seconds=chance.uniform(1, 20))
        self.made.conversions.append(
            (
                *(shop.tenant_id, conversion, gateway, f"T{conversion.hex[:12].upper()}"),
                *(shop.connections[gateway], funnel, status, chance.choice(PRICES_MINOR), "BRL"),
                *(shop.buyer_sealed, sold_at, received_at, received_at),
                chance.random() < RETURNING,
            )
        )
        click = self._clicks(number, sold_at) if chance.random() < MATCHED else None
        (strategy,) = chance.choices([*STRATEGIES], [*STRATEGIES.values()])
        self.made.matches.append(
            (
                *(shop.tenant_id, conversion, strategy if click else "unmatched"),
                *(click[:2] if click else (None, None)),
                *(_tried(strategy, click), owed_at, click[2] if click else UUID(int=0)),
            )
        )
        event_id = f"{gateway}.{conversion.hex[:16]}"
        self.made.deliveries.append(
            (
                *(shop.tenant_id, delivery, conversion, pixel, receipt, "Purchase", event_id),
                *(sold_at, *ended, 1, owed_at, tried_at, received_at, funnel, gateway),
            )
        )

    def _clicks(self, number: int, sold_at: dt.datetime) -> tuple[str, dt.datetime, UUID]:
        """Add the clicks of somebody who buys and of those who do not; return the buyer's."""
        shop, chance = self.shop, self.chance
        funnel = shop.funnels[number]
        ads = chance.choices(shop.ads[number :: len(GATEWAY_OF)], self.ad_weights, k=CLICKS_A_SALE)
        buyers = None
        for ad in ads:
            # Most buy within the hour, some after days.
            ago_s = min(chance.lognormvariate(7.0, 1.8), 70 * 3600)
            at = sold_at - dt.timedelta(seconds=ago_s)
            click_id = f"c{chance.getrandbits(120):030x}"
            self.made.clicks.append(
                (
                    *(shop.tenant_id, click_id, at, funnel, f"IwAR0{click_id}", None, ad.source),
                    *(ad.medium, ad.campaign, ad.content, "https://exemplo.com.br/curso", ad.id),
                    *(at.date(), KEEP_DAYS),
                )
            )
            buyers = buyers or (click_id, at, ad.id)
        return buyers or ("", sold_at, UUID(int=0))


def _tried(
    strategy: str, click: tuple[str, dt.datetime, UUID] | None
) -> Sequence[Mapping[str, object]]:
    """Return the rungs down to the one that found a click, as decisions are stored."""
    missed = MatchReason.NOT_CARRIED if click else MatchReason.UNKNOWN
    rungs: list[Mapping[str, object]] = []
    for rung in MatchStrategy:
        if rung is MatchStrategy.UNMATCHED:
            break
        if click and rung.value == strategy:
            looked = {"click_id": click[0], "clicked_at": click[1].isoformat()}
            return [*rungs, _rung(rung, MatchReason.FOUND, looked)]
        rungs.append(_rung(rung, _NEVER.get(rung, missed)))
    return rungs


# What most sales have none of, and most funnels do not match by.
_NEVER = {
    MatchStrategy.SUBSCRIPTION: MatchReason.NOT_CARRIED,
    MatchStrategy.VISITOR: MatchReason.SWITCHED_OFF,
}


def _rung(
    strategy: MatchStrategy, reason: MatchReason, *looked_at: Mapping[str, str]
) -> Mapping[str, object]:
    return {"strategy": strategy.value, "reason": reason.value, "looked_at": list(looked_at)}


def _ids(at: dt.datetime, chance: random.Random) -> Iterator[UUID]:
    """Yield ids that sort by time, as the product's do (UUID version 7)."""
    tail = chance.getrandbits(62)
    head = (int(at.timestamp() * 1000) << 80) | (7 << 76) | (chance.getrandbits(12) << 64)
    while True:
        yield UUID(int=head | (2 << 62) | tail)
        tail = (tail + 1) % 2**62
