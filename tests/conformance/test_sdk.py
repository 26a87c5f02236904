"""Our normalization against Meta's Python SDK: equal, or different for a reason in one table."""

from functools import cache
from typing import Any

import pytest
from tests.conformance.differences import HASHED, RULES, explain
from tests.conformance.inputs import drawn
from tests.conformance.ours import OURS, cases, of_ours, of_sdk
from tests.conformance.score import DOCUMENTED, WHO, is_right, scores

CASES = cases("oracle_cases.json")
EACH = 1_000  # values a key and country: 22,000 in all
COUNTRIES = (None, "br")
# Digests printed on Meta's page, their first eight and last four digits: key, written, digest.
PRINTED = (
    ("em", "john_smith@gmail.com", "62a14e44", "f62f"),
    ("ph", "16505551212", "e323ec62", "3176"),
    ("fn", "mary", "6915771b", "f4ec"),
    ("fn", "\uc815", "8fa8cd9c", "db14"),
    ("fn", "val\xe9ry", "08e1996b", "149c"),
    ("db", "19970216", "01acdbf6", "0f0c"),
    ("country", "us", "79adb2a2", "4621"),
)


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_value_fixed_by_metas_page_is_sent_as_the_page_says(case: dict[str, Any]) -> None:
    assert is_right(case)["Track AI"]


@pytest.mark.parametrize(("key", "written", "start", "end"), PRINTED)
def test_a_digest_printed_on_metas_page_is_ours(
    key: str, written: str, start: str, end: str
) -> None:
    (digest,) = of_ours(key, written)

    assert (start, end) == (digest[:8], digest[-4:])


def test_no_fewer_documented_values_are_asked_than_were_once_collected() -> None:
    kept = [case for case in CASES if "docs" in case]

    assert len(kept) == 140
    assert len(DOCUMENTED) >= 207
    assert len({case["id"] for case in DOCUMENTED}) == len(DOCUMENTED)
    assert len({(case["field"], case["input"]) for case in DOCUMENTED}) == len(DOCUMENTED)
    assert {case["field"] for case in DOCUMENTED} == OURS.keys() - {"external_id", "currency"}


def test_both_official_normalizers_are_right_less_often() -> None:
    totals = {who: sum(counts[who] for counts in scores().values()) for who in WHO}

    assert len(DOCUMENTED) == totals["Track AI"]
    assert totals["Python SDK"] < totals["parameter builder"] < totals["Track AI"]


def test_the_installed_sdk_is_the_one_that_was_recorded() -> None:
    recorded = [
        (case["id"], (case["sdk"]["sha256"],) if "sha256" in case["sdk"] else ())
        for case in CASES
        if case["field"] != "currency"  # sent in clear
    ]
    found = [
        (case["id"], of_sdk(case["field"], case["input"]))
        for case in CASES
        if case["field"] != "currency"
    ]

    assert recorded == found


def test_a_row_differs_from_the_sdk_when_the_table_lists_it_and_only_then() -> None:
    listed = {(rule.name, row) for rule in RULES for row in rule.rows.split()}
    different = [case for case in CASES if of_ours(*_value(case)) != of_sdk(*_value(case))]
    found = {(name, case["id"]) for case in different for name in explain(*_value(case))[1]}

    assert {row for _, row in listed} == {case["id"] for case in different}
    assert listed == found


def _value(case: dict[str, Any]) -> tuple[str, Any]:
    return case["field"], case["input"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_a_row_is_what_the_sdk_says_but_for_the_rules(case: dict[str, Any]) -> None:
    key, raw = _value(case)
    expected = explain(key, raw)[0] if isinstance(raw, str) else of_sdk(key, raw)

    assert expected == of_ours(key, raw)


@cache
def _compared(key: str) -> tuple[int, int, frozenset[str], tuple[str, ...]]:
    """Return how many values are equal and different, the rules in use, and what is wrong."""
    equal, different, used, wrong = 0, 0, set[str](), list[str]()
    for country in COUNTRIES:
        for raw in drawn(key, EACH):
            ours, sdk = of_ours(key, raw, country), of_sdk(key, raw)
            expected, names = explain(key, raw, country)
            if ours != expected or (ours != sdk and not names):
                wrong.append(f"{country} {raw!a} {names}")
            equal, different = equal + (ours == sdk), different + (ours != sdk)
            used.update(names if ours != sdk else ())
    return equal, different, frozenset(used), tuple(wrong)


@pytest.mark.parametrize("key", HASHED)
def test_a_drawn_value_is_what_the_sdk_says_but_for_the_rules(key: str) -> None:
    assert _compared(key)[3] == ()


def test_more_than_ten_thousand_values_are_drawn_and_many_are_equal() -> None:
    equal = sum(_compared(key)[0] for key in HASHED)
    different = sum(_compared(key)[1] for key in HASHED)

    assert equal + different >= 10_000
    assert equal >= 4_000


def test_every_rule_about_hashed_keys_is_in_use() -> None:
    used = {(key, name) for key in HASHED for name in _compared(key)[2]}
    rules = {rule.name for rule in RULES if set(rule.keys) <= set(HASHED)}

    assert rules == {name for _, name in used}
