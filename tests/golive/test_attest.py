"""Build facts say what the Makefile runs, line by line, under names that the checklist asks for."""

import pytest
from tools.attest import TESTS, lines_of, name_of

from trackai.operations.golive import build


def test_what_make_check_runs_has_the_names_that_are_asked_for() -> None:
    names = [name for name, _ in lines_of("check")]

    assert set(build.CHECKS) <= set(names)
    assert TESTS not in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("target", ["unit", "test"])
def test_what_make_test_runs_are_tests(target: str) -> None:
    lines = list(lines_of(target))

    assert lines
    assert {TESTS} == {name for name, _ in lines}
    assert set(build.TESTS) == {TESTS}
    # What sets the checkout up is no test.
    assert [] == [words for _, words in lines if "pytest" not in words]


def test_what_has_no_name_is_called_like_its_program() -> None:
    assert ["lint", "tests", "other"] == [
        name_of([".venv/bin/ruff", "check", "src"]),
        name_of([".venv/bin/python", "-m", "pytest", "tests/unit"]),
        name_of([".venv/bin/other", "src"]),
    ]
