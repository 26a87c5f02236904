"""Build facts say what the Makefile runs, line by line, under names that the checklist asks for."""

import json

import pytest
from tools.attest import TESTS, UNIT_TESTS, lines_of, name_of

from trackai.errors import ConfigurationError
from trackai.operations.golive import build


def test_what_make_check_runs_has_the_names_that_are_asked_for() -> None:
    names = [name for name, _ in lines_of("check")]

    assert set(build.CHECKS) <= set(names)
    assert TESTS not in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("target", "name"), [("unit", UNIT_TESTS), ("test", TESTS)])
def test_what_make_test_runs_are_tests(target: str, name: str) -> None:
    lines = list(lines_of(target))

    assert lines
    assert {name} == {said for said, _ in lines}
    assert (build.TESTS, build.UNIT_TESTS) == ((TESTS,), (UNIT_TESTS,))
    # What sets the checkout up is no test.
    assert [] == [words for _, words in lines if "pytest" not in words]


def test_what_has_no_name_is_called_like_its_program() -> None:
    assert ["lint", "tests", "other"] == [
        name_of([".venv/bin/ruff", "check", "src"]),
        name_of([".venv/bin/python", "-m", "pytest", "tests/unit"]),
        name_of([".venv/bin/other", "src"]),
    ]


FACTS = {
    "digest": "ab12",
    "commit": "",
    "made_at": "2026-11-29T12:00:00Z",
    "checks": {"format": 0, "tests": -15},
}


def test_what_was_written_is_read() -> None:
    assert {"format": 0, "tests": -15} == build.parse_told(json.dumps(FACTS).encode()).checks


@pytest.mark.parametrize(
    "bad",
    [
        {"commit": "a\0"},
        {"commit": "a\u202e"},
        {"commit": "a\n"},
        {"commit": "a" * 101},
        {"digest": ""},
        {"digest": "\0"},
        {"checks": {}},
        {"checks": {"a\0": 0}},
        {"checks": {"a": 2**31}},
        {"checks": {"a": True}},
        {"checks": {str(number): 0 for number in range(101)}},
        {"made_at": "2026-11-29T12:00:00"},
        {"made_at": "9999-12-31T23:59:59-12:00"},
        {"made_at": "0001-01-01T00:00:00+14:00"},
    ],
    ids=str,
)
def test_what_no_tool_of_ours_writes_is_refused_in_words(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="no file of build facts"):
        build.parse_told(json.dumps(FACTS | bad).encode())
