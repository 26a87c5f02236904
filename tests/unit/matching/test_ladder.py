import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from uuid import UUID

import pytest
from tests.unit.matching.conftest import RECEIVED_AT, SOLD_AT, TENANT, MakeConversion
from typing_extensions import override

from trackai.matching.ladder import RUNGS, STRENGTH, Key, climb, fbclids
from trackai.matching.window import FIRST_LOOK, SKEW, holds, look_again_at
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.identity import email_key, phone_key
from trackai.model.match import ClickCandidate, MatchReason, MatchStrategy
from trackai.model.notice import Buyer, Tracking
from trackai.model.tenant import Attribution, Funnel

WINDOW = dt.timedelta(hours=72)
EVERY_KEY = Tracking(click_ids=("c1",), fbc="fb.1.1700000000000.AbC.d", fbp="fb.1.1.2")
VISITOR = Visitor("203.0.113.9", "Mozilla/5.0")
BUYER = Buyer(
    email="Ana@Example.com",
    phone="+5511987654321",
    client_ip=VISITOR.client_ip,
    user_agent=VISITOR.user_agent,
)
FUNNEL = Funnel(TENANT, UUID(int=1), "Principal", WINDOW, visitor_window=dt.timedelta(hours=2))
RENEWAL = {"recurrence": 2, "subscription": "sub-1"}


class Clicks:
    """Clicks by strategy and key; remembers what was asked."""

    def __init__(
        self,
        known: dict[tuple[MatchStrategy, Key], ClickCandidate],
        first: ClickCandidate | None = None,
    ) -> None:
        self.known = known
        self.first = first
        self.asked: list[MatchStrategy] = []

    async def find(
        self, strategy: MatchStrategy, key: Key, _until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        self.asked.append(strategy)
        return [self.known[strategy, key]] if (strategy, key) in self.known else []

    async def find_first(
        self, click: ClickCandidate, since: dt.datetime, until: dt.datetime
    ) -> ClickCandidate | None:
        assert since == SOLD_AT - WINDOW
        assert until == click.clicked_at
        return self.first


def _click(click_id: str, age: dt.timedelta = dt.timedelta(hours=1)) -> ClickCandidate:
    return ClickCandidate(click_id, SOLD_AT - age, AdIdentifiers(), Visitor(), None, None)


KEYS: dict[MatchStrategy, Key] = {
    MatchStrategy.SUBSCRIPTION: "sub-1",
    MatchStrategy.CLICK_ID: "c1",
    MatchStrategy.FBCLID: "AbC.d",
    MatchStrategy.FBP: "fb.1.1.2",
    MatchStrategy.EMAIL: email_key("ana@example.com") or b"",
    MatchStrategy.PHONE: phone_key("+5511987654321") or b"",
    MatchStrategy.VISITOR: VISITOR,
}


@pytest.mark.parametrize("strategy", [rung.strategy for rung in RUNGS])
async def test_each_rung_finds_its_click(
    strategy: MatchStrategy, conversion: MakeConversion
) -> None:
    clicks = Clicks({(strategy, KEYS[strategy]): _click("found")})
    sale = conversion(tracking=EVERY_KEY, buyer=BUYER, **RENEWAL)

    match = await climb(sale, FUNNEL, clicks)

    assert (strategy, "found") == (match.strategy, match.click and match.click.click_id)
    assert MatchReason.FOUND is match.tried[-1].reason
    assert all(MatchReason.UNKNOWN is tried.reason for tried in match.tried[:-1])


async def test_the_strongest_of_several_wins(conversion: MakeConversion) -> None:
    sale = conversion(tracking=EVERY_KEY, buyer=BUYER, **RENEWAL)
    for size in range(1, len(KEYS) + 1):
        for present in combinations(KEYS, size):
            clicks = Clicks({(one, KEYS[one]): _click(one) for one in present})

            match = await climb(sale, FUNNEL, clicks)

            assert max(present, key=STRENGTH.__getitem__) is match.strategy


async def test_a_sale_without_any_key_asks_nothing_and_says_so(
    conversion: MakeConversion,
) -> None:
    clicks = Clicks({})

    match = await climb(conversion(), FUNNEL, clicks)

    assert MatchStrategy.UNMATCHED is match.strategy
    assert [] == clicks.asked
    assert {MatchReason.NOT_CARRIED} == {tried.reason for tried in match.tried}


async def test_an_old_click_is_outside_the_window(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.CLICK_ID, "c1"): _click("c1", dt.timedelta(hours=73))})

    match = await climb(conversion(tracking=Tracking(click_ids=("c1",))), FUNNEL, clicks)

    assert MatchStrategy.UNMATCHED is match.strategy
    assert MatchReason.OUTSIDE_WINDOW is match.tried[1].reason


async def test_the_second_candidate_is_tried_when_the_first_is_unknown(
    conversion: MakeConversion,
) -> None:
    clicks = Clicks({(MatchStrategy.CLICK_ID, "ours"): _click("ours")})
    sale = conversion(tracking=Tracking(click_ids=("utmify-123", "ours")))

    match = await climb(sale, FUNNEL, clicks)

    assert MatchStrategy.CLICK_ID is match.strategy


@pytest.mark.parametrize(
    ("expected", "age", "carried"),
    [
        (True, dt.timedelta(hours=72), False),
        (False, dt.timedelta(hours=72, seconds=1), False),
        (True, -SKEW, False),
        (False, -SKEW - dt.timedelta(seconds=1), False),
        (True, -dt.timedelta(hours=5), True),
        (False, dt.timedelta(hours=72, seconds=1), True),
    ],
)
def test_window_holds_what_lies_inside(*, expected: bool, age: dt.timedelta, carried: bool) -> None:
    assert expected is holds(SOLD_AT - age, SOLD_AT, WINDOW, carried=carried)


@pytest.mark.parametrize(
    ("expected", "tracking"),
    [
        ((), Tracking()),
        (("IwAR0_x",), Tracking(fbclid="IwAR0_x")),
        (("IwAR0_x.y",), Tracking(fbc="fb.1.1700000000000.IwAR0_x.y")),
        (("A",), Tracking(fbclid="A", fbc="fb.1.1.A")),
        ((), Tracking(fbc="fb.1.1700000000000")),
        ((), Tracking(fbc="fb.1.1700000000000.")),
    ],
)
def test_fbclid_is_read_from_fbc_without_change(
    expected: tuple[str, ...], tracking: Tracking
) -> None:
    assert expected == fbclids(tracking)


async def test_a_renewal_is_its_first_sales_however_long_ago(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.SUBSCRIPTION, "sub-1"): _click("old", dt.timedelta(days=400))})
    match = await climb(conversion(**RENEWAL), FUNNEL, clicks)

    assert (MatchStrategy.SUBSCRIPTION, "old") == (
        match.strategy,
        match.click and match.click.click_id,
    )


async def test_a_first_charge_asks_nothing_of_its_subscription(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.SUBSCRIPTION, "sub-1"): _click("another")})
    match = await climb(conversion(subscription="sub-1"), FUNNEL, clicks)

    assert match.click is None
    assert clicks.asked == []


async def test_the_click_id_that_a_renewal_carries_is_the_first_charges(
    conversion: MakeConversion,
) -> None:
    clicks = Clicks({(MatchStrategy.CLICK_ID, "c1"): _click("c1", dt.timedelta(days=400))})
    sale = conversion(tracking=Tracking(click_ids=("c1",)), recurrence=9)

    assert MatchStrategy.CLICK_ID is (await climb(sale, FUNNEL, clicks)).strategy


async def test_visitors_do_not_match_unless_the_funnel_asks(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.VISITOR, VISITOR): _click("c1")})
    off = replace(FUNNEL, visitor_window=dt.timedelta(0))
    match = await climb(conversion(buyer=BUYER), off, clicks)

    assert match.click is None
    assert MatchReason.SWITCHED_OFF is match.tried[-1].reason


async def test_a_visitors_click_must_be_recent(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.VISITOR, VISITOR): _click("c1", dt.timedelta(hours=3))})
    match = await climb(conversion(buyer=BUYER), FUNNEL, clicks)

    assert match.click is None
    assert MatchReason.OUTSIDE_WINDOW is match.tried[-1].reason


class Crowd(Clicks):
    """Several clicks of one address and agent."""

    @override
    async def find(
        self, strategy: MatchStrategy, _key: Key, _until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        if strategy is not MatchStrategy.VISITOR:
            return []
        return list(self.known.values())


@pytest.mark.parametrize(
    ("browsers", "expected"),
    [
        (("fb.1.1.1", "fb.1.1.1"), MatchReason.FOUND),
        (("fb.1.1.1", "fb.1.1.2"), MatchReason.AMBIGUOUS),
    ],
)
async def test_an_address_that_several_browsers_share_is_nobodys(
    conversion: MakeConversion, browsers: Sequence[str], expected: MatchReason
) -> None:
    known: dict[tuple[MatchStrategy, Key], ClickCandidate] = {
        (MatchStrategy.VISITOR, str(number)): replace(
            _click(f"c{number}"), ads=AdIdentifiers(fbp=browser)
        )
        for number, browser in enumerate(browsers)
    }
    match = await climb(conversion(buyer=BUYER), FUNNEL, Crowd(known))

    assert expected is match.tried[-1].reason
    assert (match.click is not None) is (expected is MatchReason.FOUND)


async def test_first_click_counts_where_the_funnel_says_so(conversion: MakeConversion) -> None:
    known: dict[tuple[MatchStrategy, Key], ClickCandidate] = {
        (MatchStrategy.CLICK_ID, "c1"): _click("c1")
    }
    sale = conversion(tracking=Tracking(click_ids=("c1",)))
    first = replace(FUNNEL, attribution=Attribution.FIRST_CLICK)
    by_first = await climb(sale, first, Clicks(known, _click("c0", dt.timedelta(hours=9))))
    alone = await climb(sale, first, Clicks(known))
    by_last = await climb(sale, FUNNEL, Clicks(known, _click("c0", dt.timedelta(hours=9))))

    told = [
        (match.click and match.click.click_id, match.found and match.found.click_id)
        for match in (by_first, alone, by_last)
    ]
    assert told == [("c0", "c1"), ("c1", "c1"), ("c1", "c1")]


def test_a_late_click_is_looked_for_less_and_less_often(conversion: MakeConversion) -> None:
    sale, now, looks = conversion(), RECEIVED_AT, []
    while (at := look_again_at(sale, FUNNEL, now)) is not None:
        looks.append(at - RECEIVED_AT)
        now = at

    assert looks[0] == FIRST_LOOK
    assert looks[1:] == [2 * before for before in looks[:-1]]
    assert looks[-1] <= WINDOW < 2 * looks[-1] + dt.timedelta(minutes=1)
