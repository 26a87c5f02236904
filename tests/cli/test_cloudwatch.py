"""The commands around CloudWatch, at a stand-in for Amazon; none of them needs a database."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.program import Place

from trackai.alarms.catalogue import watched
from trackai.model.clock import new_id

TOPIC = "arn:aws:sns:sa-east-1:123456789012:on-call"


class Shell:
    """Gives commands for an installation of its own: the stand-in lasts longer than a test."""

    def __init__(self, directory: Path, amazon: dict[str, str]) -> None:
        self._place = Place(directory, None, variables=amazon)
        self.url = f"https://{new_id().hex}.example.com"

    def run(self, *arguments: str) -> Any:
        return self._place.run("cloudwatch", *arguments, "--url", self.url)


@pytest.fixture
def shell(tmp_path: Path, amazon: dict[str, str]) -> Shell:
    return Shell(tmp_path, amazon)


def test_a_plan_is_shown_applied_and_then_nothing_is_left(shell: Shell) -> None:
    topics = ("--critical", TOPIC, "--high", "", "--medium", "")
    planned = shell.run("plan", "--check", *topics)
    applied = shell.run("apply", "--yes", *topics)
    again = shell.run("plan", "--check", *topics)
    states = shell.run("states")
    number = len(watched(production=False)) + 2

    assert (1, f"{number} to create, 0 to change, 0 to delete") == (
        planned.returncode,
        planned.stdout.splitlines()[-1],
    )
    assert (0, planned.stdout) == (applied.returncode, applied.stdout)
    assert (0, "Nothing to change.\n") == (again.returncode, again.stdout)
    assert "call nobody: --medium --high" in again.stderr
    assert number == len(states.stdout.splitlines())  # without the dashboard, with a headline


def test_without_a_terminal_nothing_is_changed_unasked(shell: Shell) -> None:
    asked = shell.run("apply")
    states = shell.run("states")

    assert (2, "+ alarm") == (asked.returncode, asked.stdout[:7])
    assert "Give --yes" in asked.stderr
    assert "There is none" in states.stdout


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--critical", "on-call", "--critical takes up to 5 addresses of SNS topics"),
        ("--language", "fr", "--language takes"),
    ],
)
def test_a_wrong_option_is_named(shell: Shell, option: str, value: str, said: str) -> None:
    done = shell.run("plan", option, value)

    assert (2, "") == (done.returncode, done.stdout)
    assert said in done.stderr
