"""Words that this release writes into the database and the previous one cannot read.

A release reads a stored word into an enumeration, and one that it does not know stops what it was
doing. So a word is read by one release and written by the next; each exception says why it is safe.
"""

import enum
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

from tests.upgrade.test_rolling import previous

import trackai.model

__all__ = ["previous"]

# Of the previous release, whichever of these it has.
WORDS = """
import enum, importlib, json, pkgutil
import trackai.model
found = {}
for one in pkgutil.walk_packages(trackai.model.__path__, "trackai.model."):
    for kind in vars(importlib.import_module(one.name)).values():
        if isinstance(kind, type) and issubclass(kind, enum.StrEnum) and kind.__module__ == one.name:
            found[f"{one.name}.{kind.__name__}"] = [member.value for member in kind]
print(json.dumps(found))
"""
# Enumeration and word -> why the previous release is not stopped by it.
NEW = {
    ("trackai.model.alarm.Deed", "change"): (
        "written by `trackai alarms deployed` alone, which comes after a rollout"
    ),
}


def words() -> dict[str, list[str]]:
    found = {}
    for one in pkgutil.walk_packages(trackai.model.__path__, "trackai.model."):
        for kind in vars(importlib.import_module(one.name)).values():
            ours = isinstance(kind, type) and kind.__module__ == one.name
            if ours and issubclass(kind, enum.StrEnum):
                found[f"{one.name}.{kind.__name__}"] = [member.value for member in kind]
    return found


def test_new_words_are_known_and_each_says_why_it_stops_nobody(previous: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", WORDS],
        env={"PATH": os.defpath, "PYTHONPATH": str(previous / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    before = json.loads(done.stdout)
    new = {
        (kind, word)
        for kind, members in words().items()
        if kind in before
        for word in set(members) - set(before[kind])
    }

    assert NEW.keys() == new
