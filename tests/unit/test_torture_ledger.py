"""The ledger of `make torture` can say no: each kind of loss, and dead letters without cause."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest
from torture.ledger import Found, Sold
from torture.load import Heard, Report, visit_of
from torture.verdict import AtMeta, judge

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
TENANT, OTHER = UUID(int=1), UUID(int=2)
SALE = "kiwify:1"
ACCEPTED = Sold("c1", "accepted", None)
AT_META = AtMeta.of([("1", SALE)])


def heard() -> Heard:
    clicks = {"c1": Report(TENANT, 1.0, 2.0), "c2": Report(TENANT, 3.0, 4.0)}
    return Heard(clicks, {SALE: "c1"}, receipts={"r1"}, webhooks=1)


def found() -> Found:
    clicks = {"c1": NOON, "c2": NOON + dt.timedelta(seconds=2)}
    return Found(clicks, {"r1"}, {SALE: ACCEPTED}, stuck=0, failed=0, miscounted=0)


def dead(reason: str) -> Found:
    """Return what was found when the one sale is dead and another was accepted."""
    sales = {SALE: Sold("c1", "dead", reason), "kiwify:2": ACCEPTED}
    return replace(found(), sales=sales)


def test_all_there_is_no_problem() -> None:
    verdict = judge(found(), heard(), AT_META, set())

    assert [] == list(verdict.problems)
    assert (3, 0, 0, 0) == (
        verdict.acknowledged,
        verdict.lost,
        verdict.duplicated,
        verdict.stuck,
    )


@pytest.mark.parametrize(
    "gone",
    [
        {"clicks": {"c2": NOON}},
        {"receipts": set()},
        {"sales": {"kiwify:2": ACCEPTED}},
        {"sales": {SALE: replace(ACCEPTED, click_id=None)}},
        {"sales": {SALE: replace(ACCEPTED, status="withheld"), "kiwify:2": ACCEPTED}},
    ],
)
def test_what_was_acknowledged_and_is_not_there_is_lost(gone: dict[str, object]) -> None:
    verdict = judge(replace(found(), **gone), heard(), AT_META, set())  # type: ignore[arg-type]

    assert verdict.lost == 1
    assert len(verdict.problems) == 1


def test_what_an_answer_turned_away_is_lost() -> None:
    wrong = heard()
    wrong.wrong["a click was answered 503"] += 2

    assert judge(found(), wrong, AT_META, set()).lost == 2


def test_accepted_in_the_table_alone_is_lost() -> None:
    assert judge(found(), heard(), AtMeta.of([]), set()).lost == 1


def test_two_event_ids_of_a_sale_are_a_double() -> None:
    twice = AtMeta.of([("1", SALE), ("1", "kiwify:x")])

    assert judge(found(), heard(), twice, set()).duplicated == 1


@pytest.mark.parametrize(
    "reason", ["invalid_parameter", "event_too_old", "tries_exhausted", "workers_died"]
)
def test_a_dead_letter_without_cause_is_lost(reason: str) -> None:
    assert judge(dead(reason), heard(), AT_META, {"kiwify:3"}).lost == 1


def test_a_curse_is_cause_for_a_refusal_alone() -> None:
    assert judge(dead("invalid_parameter"), heard(), AT_META, {SALE}).lost == 0
    assert judge(dead("event_too_old"), heard(), AT_META, {SALE}).lost == 1


def test_age_is_cause_for_too_old_alone() -> None:
    old = heard()
    old.old[SALE] = dt.timedelta(days=6)

    assert judge(dead("event_too_old"), old, AT_META, set()).lost == 0
    assert judge(dead("invalid_parameter"), old, AT_META, set()).lost == 1


def test_what_meta_refuses_for_ever_cannot_be_accepted() -> None:
    old, nearly = heard(), heard()
    old.old[SALE], nearly.old[SALE] = dt.timedelta(days=8), dt.timedelta(days=6)

    assert judge(found(), old, AT_META, set()).lost == 1
    assert judge(found(), heard(), AT_META, {SALE}).lost == 1
    assert judge(found(), nearly, AT_META, set()).lost == 0


def test_nothing_accepted_is_a_problem() -> None:
    nothing = replace(found(), sales={SALE: Sold("c1", "dead", "invalid_parameter")})

    assert "nothing was accepted" in judge(nothing, heard(), AT_META, {SALE}).problems


@pytest.mark.parametrize(
    ("second", "problems"),
    [
        (Report(TENANT, 3.0, 4.0), 1),
        (Report(TENANT, 1.5, 4.0), 0),  # both were on their way at once
        (Report(OTHER, 3.0, 4.0), 0),
    ],
)
def test_clicks_of_a_customer_stand_in_the_order_of_their_answers(
    second: Report, problems: int
) -> None:
    late = replace(found(), clicks={"c1": NOON, "c2": NOON - dt.timedelta(seconds=2)})
    both = heard()
    both.clicks["c2"] = second

    assert problems == len(judge(late, both, AT_META, set()).problems)


@pytest.mark.parametrize("stood", ["stuck", "failed", "miscounted"])
def test_what_did_not_end_well_is_a_problem(stood: str) -> None:
    left_over = replace(found(), **{stood: 1})  # type: ignore[arg-type]

    assert len(judge(left_over, heard(), AT_META, set()).problems) == 1


def test_a_visit_is_the_same_whenever_it_comes() -> None:
    visits = [visit_of(7, number) for number in range(50)]

    assert [visit_of(7, number) for number in range(50)] == visits
    assert len({visit.event_id for visit in visits}) == 50
    assert [visit_of(8, number) for number in range(50)] != visits


def exhausted(number: int, *, failed_tries: int) -> Found:
    """Return what was found when so many sales used up their tries, and another was accepted."""
    sold = Sold("c1", "dead", "tries_exhausted", failed_tries)
    sales = {SALE: sold} | {f"kiwify:x{one}": sold for one in range(number - 1)}
    return replace(found(), sales={**sales, "kiwify:2": ACCEPTED})


@pytest.mark.parametrize(("failed_tries", "lost"), [(5, 0), (4, 1)])
def test_tries_may_be_used_up_by_as_many_failures(failed_tries: int, lost: int) -> None:
    verdict = judge(exhausted(1, failed_tries=failed_tries), heard(), AT_META, set())

    assert verdict.lost == lost


def test_many_that_used_up_their_tries_are_a_problem() -> None:
    verdict = judge(exhausted(2, failed_tries=5), heard(), AT_META, set())

    assert "2 sales used up their tries" in verdict.problems
