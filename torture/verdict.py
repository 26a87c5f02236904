"""What was acknowledged, held against what the tables and Meta's stand-in have. No I/O."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from torture.ledger import Found, Sold
from torture.load import Heard, Report

TOO_OLD = "event_too_old"
INVALID = "invalid_parameter"
# Reasons that this harness gives cause for without meaning a certain sale, and the most of all
# sales that may end so.
RARELY: Mapping[str, float] = {"tries_exhausted": 0.01, "workers_died": 0.01}


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
    reasons: Mapping[str, int]  # of dead letters
    problems: Sequence[str]


def judge(found: Found, heard: Heard, meta: AtMeta, cursed: AbstractSet[str]) -> Verdict:
    """Hold the ledger against tables and stand-in."""
    lost = [
        *(f"click {one} was acknowledged, not there" for one in heard.clicks.keys() - found.clicks),
        *(f"receipt {one} was answered, not there" for one in heard.receipts - found.receipts),
        *heard.wrong,
        *_wrong_sales(found, heard, meta.event_ids(), cursed),
    ]
    twice = meta.under_several_ids()
    dead = Counter(str(one.reason) for one in found.sales.values() if one.status == "dead")
    problems = [
        *lost,
        *(f"sale {one} went out under several event ids" for one in twice),
        *_too_often(dead, len(heard.sales)),
        *_out_of_order(heard.clicks, found.clicks),
    ]
    if found.failed:
        problems.append(f"{found.failed} authentic webhooks failed")
    if found.stuck:
        problems.append(f"{found.stuck} things are stuck")
    if not any(one.status == "accepted" for one in found.sales.values()):
        problems.append("nothing was accepted")
    return Verdict(
        acknowledged=len(heard.clicks) + heard.webhooks,
        lost=len(lost),
        duplicated=len(twice),
        stuck=found.stuck,
        reasons=dead,
        problems=problems,
    )


def _wrong_sales(
    found: Found, heard: Heard, arrived: AbstractSet[str | None], cursed: AbstractSet[str]
) -> list[str]:
    wrong = []
    for event_id, click_id in heard.sales.items():
        meant = set(RARELY)
        if event_id in cursed:
            meant.add(INVALID)
        if event_id in heard.old:
            meant.add(TOO_OLD)
        sentence = _wrong(event_id, click_id, found.sales.get(event_id), arrived, meant)
        if sentence:
            wrong.append(sentence)
    return wrong


def _wrong(
    event_id: str,
    click_id: str | None,
    sold: Sold | None,
    arrived: AbstractSet[str | None],
    meant: AbstractSet[str],
) -> str | None:
    """Return what is wrong with an acknowledged sale; `meant` are reasons it may have died of."""
    if sold is None:
        return f"sale {event_id} was acknowledged and is not there"
    if click_id is not None and sold.click_id != click_id:
        return f"sale {event_id} was not matched to its click {click_id}"
    if sold.status == "accepted":
        return None if event_id in arrived else f"{event_id} is noted as accepted; Meta has none"
    if sold.status == "dead" and sold.reason in meant:
        return None
    return f"{event_id} ended as {sold.status} ({sold.reason}) without cause"


def _too_often(dead: Mapping[str, int], sales: int) -> list[str]:
    return [
        f"{dead[reason]} of {sales} sales ended as {reason}: that should be rare"
        for reason, share in RARELY.items()
        if dead.get(reason, 0) > share * sales
    ]


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
