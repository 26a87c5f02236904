"""fbc, fbp and the addresses against Meta's parameter builder, on all of its recorded requests."""

from typing import Any

import pytest
from tests.conformance.builder import CASES, DIFFERENCES, KEYS, NOT_SET_HERE, ours, theirs


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_a_request_gives_what_the_builder_says_but_for_the_table(case: dict[str, Any]) -> None:
    expected = theirs(case)
    for difference in DIFFERENCES:
        if case["id"] in difference.cases.split():
            expected[difference.key] = difference.becomes(expected[difference.key])

    assert expected == ours(case)


def test_the_table_lists_the_cases_that_differ_and_no_others() -> None:
    listed = [(each.key, case) for each in DIFFERENCES for case in each.cases.split()]
    found = {
        (key, case["id"]) for case in CASES for key in KEYS if ours(case)[key] != theirs(case)[key]
    }

    assert sorted(found) == sorted(listed)


def test_all_recorded_requests_and_all_that_is_said_of_them_is_asked() -> None:
    assert len(CASES) == 100
    assert {*KEYS, *NOT_SET_HERE} == {name for case in CASES for name in case["expected"]}
