import datetime as dt
from collections.abc import Sequence
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.matching.lifecycle import Belonging, status_of, sum_up
from trackai.model.clock import UTC
from trackai.model.conversion import Conversion, ConversionStatus
from trackai.model.money import Money
from trackai.model.notice import Buyer, Notice, NoticeStatus, Said, Tracking

N = NoticeStatus
C = ConversionStatus
NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOME_ID = UUID("01890000-0000-7000-8000-000000000001")
BELONGING = Belonging(SOME_ID, SOME_ID, SOME_ID, SOME_ID)


def _notice(status: NoticeStatus) -> Notice:
    """A notice with contents of its own for each status."""
    number = list(NoticeStatus).index(status)
    return Notice(
        gateway="kiwify",
        transaction="T1",
        status=status,
        event=status.value,
        sold_at=NOW - dt.timedelta(hours=number),
        money=Money(1000 + number, "BRL"),
        refunded=Money(number, "BRL") if status is N.PARTIALLY_REFUNDED else None,
        buyer=Buyer(email=f"{status}@example.com" if number % 2 else None),
        tracking=Tracking(click_ids=(f"click{number}",) if number % 3 else ()),
        recurrence=1 + number % 2,
    )


def _sale(statuses: Sequence[NoticeStatus]) -> Conversion:
    said = [Said(_notice(status), _receipt(status), 0, NOW) for status in statuses]
    return sum_up(said, BELONGING)


def _receipt(status: NoticeStatus) -> UUID:
    return UUID(int=list(NoticeStatus).index(status))


@given(
    st.lists(st.sampled_from(NoticeStatus), min_size=1, max_size=8).flatmap(
        lambda statuses: st.tuples(st.just(statuses), st.permutations(statuses))
    )
)
def test_any_order_of_notices_ends_in_the_same_state(
    orders: tuple[list[NoticeStatus], list[NoticeStatus]],
) -> None:
    first, second = orders

    assert _sale(first) == _sale(second)


@given(st.lists(st.sampled_from(NoticeStatus), min_size=1, max_size=6))
def test_repeating_every_notice_changes_nothing(statuses: list[NoticeStatus]) -> None:
    assert _sale(statuses) == _sale(statuses + statuses)


@given(st.sets(st.sampled_from(NoticeStatus), min_size=1))
def test_every_set_of_notices_has_a_status(said: set[NoticeStatus]) -> None:
    assert status_of(frozenset(said)) in ConversionStatus


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (C.PENDING, {N.PENDING}),
        (C.PENDING, {N.ABANDONED, N.PENDING}),
        (C.REFUSED, {N.PENDING, N.REFUSED}),
        (C.CANCELED, {N.PENDING, N.CANCELED}),
        (C.APPROVED, {N.REFUSED, N.PENDING, N.APPROVED}),
        (C.APPROVED, {N.CANCELED, N.APPROVED}),
        (C.APPROVED, {N.COMPLETED}),
        (C.DISPUTED, {N.APPROVED, N.REFUND_REQUESTED}),
        (C.APPROVED, {N.APPROVED, N.REFUND_REQUESTED, N.DISPUTE_WON}),
        (C.PARTIALLY_REFUNDED, {N.APPROVED, N.PARTIALLY_REFUNDED}),
        (C.REFUNDED, {N.APPROVED, N.PARTIALLY_REFUNDED, N.REFUNDED}),
        (C.REFUNDED, {N.APPROVED, N.REFUNDED, N.COMPLETED}),
        (C.CHARGED_BACK, {N.APPROVED, N.CHARGED_BACK}),
        (C.APPROVED, {N.APPROVED, N.CHARGED_BACK, N.DISPUTE_WON}),
        (C.REFUNDED, {N.REFUNDED, N.CHARGED_BACK, N.DISPUTE_WON}),
    ],
)
def test_status_says_what_people_expect(
    expected: ConversionStatus, said: set[NoticeStatus]
) -> None:
    assert expected is status_of(frozenset(said))


def test_nothing_said_has_no_status() -> None:
    with pytest.raises(ValueError, match="nothing was said"):
        status_of(frozenset())


@pytest.mark.parametrize("order", list(permutations([N.PENDING, N.APPROVED, N.REFUNDED])))
def test_the_approved_notice_tells_what_was_paid(order: tuple[NoticeStatus, ...]) -> None:
    assert _notice(N.APPROVED).money == _sale(order).money


def test_gaps_of_the_weightiest_notice_are_filled_from_the_others() -> None:
    approved = Notice("stripe", "T1", N.APPROVED, "e", buyer=Buyer(email="a@example.com"))
    pending = Notice(
        "stripe", "T1", N.PENDING, "e", buyer=Buyer(email="b@example.com", phone="11999999999")
    )

    sale = sum_up([Said(pending, SOME_ID, 0, NOW), Said(approved, SOME_ID, 1, NOW)], BELONGING)

    assert Buyer(email="a@example.com", phone="11999999999") == sale.buyer


def test_a_sale_is_never_dated_after_its_receipt() -> None:
    late = Notice("stripe", "T1", N.APPROVED, "e", sold_at=NOW + dt.timedelta(hours=3))

    assert NOW == sum_up([Said(late, SOME_ID, 0, NOW)], BELONGING).sold_at
