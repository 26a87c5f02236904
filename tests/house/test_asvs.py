"""The table of ASVS: every requirement of level 2 is in it once, and what it names is there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "trackai"
PAGE = (ROOT / "docs" / "asvs.md").read_text()
# Section -> the level of each of its requirements, as ASVS 5.0.0 numbers them.
LEVELS = """
1.1 22, 1.2 1111122223, 1.3 112222222223, 1.4 222, 1.5 123, 2.1 122, 2.2 112, 2.3 12223, 2.4 23,
3.1 3, 3.2 113, 3.3 12223, 3.4 11222233, 3.5 11122333, 3.6 3, 3.7 22333, 4.1 12233, 4.2 23333,
4.3 22, 4.4 1222, 5.1 2, 5.2 112333, 5.3 113, 5.4 222, 6.1 122, 6.2 111111112222, 6.3 11223333,
6.4 112233, 6.5 22222333, 6.6 2223, 6.7 33, 6.8 2222, 7.1 222, 7.2 1111, 7.3 22, 7.4 11222,
7.5 223, 7.6 22, 8.1 1233, 8.2 1123, 8.3 133, 8.4 23, 9.1 111, 9.2 1222, 10.1 22, 10.2 223,
10.3 22223, 10.4 1111122222233333, 10.5 22222, 10.6 22, 10.7 222, 11.1 2233, 11.2 22233,
11.3 11233, 11.4 1222, 11.5 23, 11.6 23, 11.7 33, 12.1 12233, 12.2 11, 12.3 22223, 13.1 2333,
13.2 222223, 13.3 2233, 13.4 1222233, 14.1 22, 14.2 12223333, 14.3 122, 15.1 12233, 15.2 12233,
15.3 1222222, 15.4 3333, 16.1 2, 16.2 22222, 16.3 2222, 16.4 222, 16.5 2223, 17.1 23,
17.2 22223333, 17.3 22
"""
WANTED = [
    f"V{section}.{number}"
    for section, levels in re.findall(r"([\d.]+) (\d+)", LEVELS)
    for number, level in enumerate(levels, 1)
    if level in "12"
]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| V")
]
# Files elsewhere than in the package.
BESIDE = ("tests/", "docs/", "deploy/", "requirements/", ".github/", "Dockerfile", "SECURITY.md")


def test_every_requirement_of_the_level_is_there_once() -> None:
    found = [one for row in ROWS for one in row[0].split(", ")]

    # 70 of level 1 and 183 of level 2.
    assert 253 == len(WANTED)
    assert sorted(WANTED) == sorted(found)


def test_every_row_says_how_it_stands_and_by_what() -> None:
    for items, _, says, answer, by in ROWS:
        assert says in {"met", "partly", "operator", "open", "n/a"}, items
        assert answer, items
        assert by or says == "open", items
        # What is said to be met is shown by code or a test, not by words about it alone.
        assert says != "met" or by != "`docs/asvs.md`", items


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w./-]+\.\w+|Dockerfile)`", PAGE))))
def test_what_it_names_is_there(path: str) -> None:
    at = ROOT if path.startswith(BESIDE) or path == "pyproject.toml" else SRC

    assert (at / path).exists() or (ROOT / path).exists()


def test_rates_and_addresses_name_what_is_there_too() -> None:
    named = re.findall(r"`([\w./]+\.py)`", PAGE.split("## Rates")[1])

    assert named
    assert [] == [one for one in named if not ((SRC / one).exists() or (ROOT / one).exists())]


def test_libraries_are_looked_through_every_week_by_the_locks() -> None:
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "security.yml").read_text())
    # YAML 1.1 takes the key `on` for a truth.
    when, steps = flow[True], flow["jobs"]["libraries"]["steps"]
    runs = "\n".join(step.get("run", "") for step in steps)
    locks = {one.stem for one in (ROOT / "requirements").glob("*.txt")} - {"audit"}

    assert when["schedule"]
    assert {} == flow["permissions"]
    assert "--require-hashes -r requirements/audit.txt" in runs
    assert locks == {one for one in locks if re.search(rf"\b{one}\b", runs)}
    assert runs.count("pip-audit --require-hashes --disable-pip") == 2
    assert "pip-audit==" in (ROOT / "requirements" / "audit.txt").read_text()
