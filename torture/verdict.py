"""What was acknowledged, held against what the tables and Meta's stand-in have. No I/O."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from torture.ledger import Found
from torture.load import Heard, Report
from trackai.dispatch.retry import EXHAUSTED, TRIES

TOO_OLD = "event_too_old"
# Five tries that each failed by a fault too short to open the breaker, because time is made to pass
# between them, are rare: one sale in so many, or it is a defect. Nothing ends as workers_died.
ONE_IN = 100
INVALID = "invalid_parameter"
# Meta takes nothing older.
OLDEST = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class AtMeta:
    """What the stand-in took: order -> the event ids that it came under."""

    orders: Mapping[str, AbstractSet[str | None]]

    @classmethod
    def of(cls, events: Iterable[tuple[str, str | None]]) -> "AtMeta":
        """Gather pairs of order and event id."""
        orders: defaultdict[str, set[str | None]] = defaultdict(set)
        for order, event_id in events:
            orders[order].add(event_id)
        return cls(orders)

    def event_ids(self) -> set[str | None]:
        """Return all event ids."""
        return {event_id for found in self.orders.values() for event_id in found}

    def under_several_ids(self) -> list[str]:
        """Return the orders that came under more than one."""
        return [order for order, found in self.orders.items() if len(found) > 1]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; `problems` are sentences for people."""

    acknowledged: int
    lost: int
    duplicated: int
    stuck: int
    miscounted: int
    reasons: Mapping[str, int]  # of dead letters
    problems: Sequence[str]


def judge(found: Found, heard: Heard, meta: AtMeta, cursed: AbstractSet[str]) -> Verdict:
    """Hold the ledger against tables and stand-in."""
    lost = [
        *(f"click {one} was acknowledged, not there" for one in heard.clicks.keys() - found.clicks),
        *(f"receipt {one} was answered, not there" for one in heard.receipts - found.receipts),
        *_wrong_sales(found, heard, meta.event_ids(), cursed),
    ]
    twice = meta.under_several_ids()
    dead = Counter(str(one.reason) for one in found.sales.values() if one.status == "dead")
    return Verdict(
        acknowledged=len(heard.clicks) + heard.webhooks,
        lost=len(lost) + heard.wrong.total(),
        duplicated=len(twice),
        stuck=found.stuck,
        miscounted=found.miscounted,
        reasons=dead,
        problems=[
            *_of_the_whole(found),
            *(f"{one}, {number} times" for one, number in heard.wrong.items()),
            *(f"sale {one} went out under several event ids" for one in twice),
            *_out_of_order(heard.clicks, found.clicks),
            *lost,
        ],
    )


def _of_the_whole(found: Found) -> list[str]:
    problems = []
    if not any(one.status == "accepted" for one in found.sales.values()):
        problems.append("nothing was accepted")
    exhausted = sum(one.reason == EXHAUSTED for one in found.sales.values())
    if exhausted > 1 + len(found.sales) // ONE_IN:
        problems.append(f"{exhausted} sales used up their tries")
    if found.failed:
        problems.append(f"{found.failed} authentic webhooks failed")
    if found.miscounted:
        problems.append(f"{found.miscounted} buckets of counts differ from their rows")
    if found.stuck:
        problems.append(f"{found.stuck} things are stuck")
    return problems


def _wrong_sales(
    found: Found, heard: Heard, arrived: AbstractSet[str | None], cursed: AbstractSet[str]
) -> list[str]:
    wrong = []
    for event_id, click_id in heard.sales.items():
        sold, age = found.sales.get(event_id), heard.old.get(event_id, dt.timedelta())
        meant = {*([INVALID] if event_id in cursed else []), *([TOO_OLD] if age else [])}
        if sold is not None and sold.failed_tries >= TRIES:
            meant.add(EXHAUSTED)
        if sold is None:
            wrong.append(f"sale {event_id} was acknowledged and is not there")
        elif click_id is not None and sold.click_id != click_id:
            wrong.append(f"sale {event_id} was not matched to its click {click_id}")
        elif sold.status == "accepted":
            if event_id not in arrived:
                wrong.append(f"{event_id} is noted as accepted; Meta has none")
            elif event_id in cursed or age > OLDEST:
                wrong.append(f"{event_id} was accepted, and could not be")
        elif sold.status != "dead" or sold.reason not in meant:
            wrong.append(f"{event_id} ended as {sold.status} ({sold.reason}) without cause")
    return wrong


def _out_of_order(heard: Mapping[str, Report], received: Mapping[str, dt.datetime]) -> list[str]:
    """Name clicks whose time in the table contradicts the order that their page could see.

    Compared are those of one customer where one was sent after the other had been answered.
    """
    tenants: defaultdict[UUID, list[str]] = defaultdict(list)
    for click_id, report in heard.items():
        if click_id in received:
            tenants[report.tenant_id].append(click_id)
    wrong = []
    for clicks in tenants.values():
        answered = sorted(clicks, key=lambda one: heard[one].answered)
        newest, at = dt.datetime.min.replace(tzinfo=dt.UTC), 0
        for click_id in sorted(clicks, key=lambda one: heard[one].began):
            while heard[answered[at]].answered <= heard[click_id].began:
                newest = max(newest, received[answered[at]])
                at += 1
            if received[click_id] < newest:
                wrong.append(f"click {click_id} stands before one that was answered before it came")
    return wrong
