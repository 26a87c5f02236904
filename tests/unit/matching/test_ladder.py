import datetime as dt
from collections.abc import Sequence
from itertools import combinations

import pytest
from tests.unit.matching.conftest import SOLD_AT, MakeConversion

from trackai.matching.ladder import RUNGS, STRENGTH, Key, climb, fbclids
from trackai.matching.window import SKEW, holds
from trackai.model.click import AdIdentifiers, Visitor
from trackai.model.identity import email_key, phone_key
from trackai.model.match import ClickCandidate, MatchReason, MatchStrategy
from trackai.model.notice import Buyer, Tracking

WINDOW = dt.timedelta(hours=72)
EVERY_KEY = Tracking(click_ids=("c1",), fbc="fb.1.1700000000000.AbC.d", fbp="fb.1.1.2")
BUYER = Buyer(email="Ana@Example.com", phone="+5511987654321")


class Clicks:
    """Clicks by strategy and key; remembers what was asked."""

    def __init__(self, known: dict[tuple[MatchStrategy, Key], ClickCandidate]) -> None:
        self.known = known
        self.asked: list[MatchStrategy] = []

    async def find(
        self, strategy: MatchStrategy, key: Key, _until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        self.asked.append(strategy)
        return [self.known[strategy, key]] if (strategy, key) in self.known else []


def _click(click_id: str, age: dt.timedelta = dt.timedelta(hours=1)) -> ClickCandidate:
    return ClickCandidate(click_id, SOLD_AT - age, AdIdentifiers(), Visitor(), None, None)


KEYS: dict[MatchStrategy, Key] = {
    MatchStrategy.CLICK_ID: "c1",
    MatchStrategy.FBCLID: "AbC.d",
    MatchStrategy.FBP: "fb.1.1.2",
    MatchStrategy.EMAIL: email_key("ana@example.com") or b"",
    MatchStrategy.PHONE: phone_key("+5511987654321") or b"",
}


@pytest.mark.parametrize("strategy", [rung.strategy for rung in RUNGS])
async def test_each_rung_finds_its_click(
    strategy: MatchStrategy, conversion: MakeConversion
) -> None:
    clicks = Clicks({(strategy, KEYS[strategy]): _click("found")})
    sale = conversion(tracking=EVERY_KEY, buyer=BUYER)

    match = await climb(sale, WINDOW, clicks.find)

    assert (strategy, "found") == (match.strategy, match.click and match.click.click_id)
    assert MatchReason.FOUND is match.tried[-1].reason
    assert all(MatchReason.UNKNOWN is tried.reason for tried in match.tried[:-1])


async def test_the_strongest_of_several_wins(conversion: MakeConversion) -> None:
    sale = conversion(tracking=EVERY_KEY, buyer=BUYER)
    for size in range(1, len(KEYS) + 1):
        for present in combinations(KEYS, size):
            clicks = Clicks({(one, KEYS[one]): _click(one) for one in present})

            match = await climb(sale, WINDOW, clicks.find)

            assert max(present, key=STRENGTH.__getitem__) is match.strategy


async def test_a_sale_without_any_key_asks_nothing_and_says_so(
    conversion: MakeConversion,
) -> None:
    clicks = Clicks({})

    match = await climb(conversion(), WINDOW, clicks.find)

    assert MatchStrategy.UNMATCHED is match.strategy
    assert [] == clicks.asked
    assert {MatchReason.NOT_CARRIED} == {tried.reason for tried in match.tried}


async def test_an_old_click_is_outside_the_window(conversion: MakeConversion) -> None:
    clicks = Clicks({(MatchStrategy.CLICK_ID, "c1"): _click("c1", dt.timedelta(hours=73))})

    match = await climb(conversion(tracking=Tracking(click_ids=("c1",))), WINDOW, clicks.find)

    assert MatchStrategy.UNMATCHED is match.strategy
    assert MatchReason.OUTSIDE_WINDOW is match.tried[0].reason


async def test_the_second_candidate_is_tried_when_the_first_is_unknown(
    conversion: MakeConversion,
) -> None:
    clicks = Clicks({(MatchStrategy.CLICK_ID, "ours"): _click("ours")})
    sale = conversion(tracking=Tracking(click_ids=("utmify-123", "ours")))

    match = await climb(sale, WINDOW, clicks.find)

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
