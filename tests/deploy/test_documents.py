"""What the pages on security and deployment name is there."""

import re

import pytest
from tests.deploy.files import ROOT

from trackai.cli.main import PLACES

SECURITY = (ROOT / "docs/security.md").read_text()
DEPLOY = (ROOT / "docs/deploy.md").read_text()
# Rows of a table but its head.
ROWS = [line for line in SECURITY.splitlines() if line.startswith("| ") and "`" in line]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_each_answer_is_where_it_is_said_to_be_and_has_a_test(row: str) -> None:
    *_, places, tests, _ = row.split("|")
    named = re.findall(r"`([\w/.]+)`", places)
    shown = re.findall(r"`(tests/[\w/.]+)`", tests)

    assert named
    assert shown
    for place in named:
        assert (ROOT / place).exists() or (ROOT / "src/trackai" / place).exists(), place
    assert [] == [one for one in shown if not (ROOT / one).is_file()]


def test_the_steps_of_a_deployment_name_files_and_commands_that_exist() -> None:
    files = set(re.findall(r"deploy/[\w/.-]*\w", DEPLOY)) - {"deploy/.env", "deploy/secrets"}
    commands = set(re.findall(r"^ {4}.*\btrackai (?:--\S+ )?([a-z-]+)", DEPLOY, re.MULTILINE))

    assert [] == sorted(one for one in files if not (ROOT / one).exists() and "secrets/" not in one)
    assert commands & set(PLACES)
