"""Words that this release writes into the database and the previous one cannot read.

A release reads a stored word into an enumeration, and one that it does not know stops what it was
doing. So a word is read by one release and written by the next; each exception says why it is safe.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from upgrade.release import ROOT

# The enumerations of the model, of whichever release it is run with.
WORDS = """
import enum, importlib, json, pkgutil
import trackai.model
found = {}
for one in pkgutil.walk_packages(trackai.model.__path__, "trackai.model."):
    for kind in vars(importlib.import_module(one.name)).values():
        if isinstance(kind, type) and issubclass(kind, enum.StrEnum):
            found[kind.__name__] = [member.value for member in kind]
print(json.dumps(found))
"""
# (enumeration, word) -> why the previous release is not stopped by it.
NEW = {
    ("Deed", "change"): "written by `trackai alarms deployed` alone, which comes after a rollout",
    ("Metric", "tenant_calls_lost"): "stored in samples, where unknown ones are passed over",
    ("Metric", "dead_letters_spread"): "in samples of drills alone; unknown ones are passed over",
}


def words(source: Path) -> dict[str, list[str]]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", WORDS],
        env={"PATH": os.defpath, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_new_words_are_known_and_each_says_why_it_stops_nobody(previous: Path) -> None:
    before, now = words(previous / "src"), words(ROOT / "src")
    new = {
        (kind, word)
        for kind, members in before.items()
        for word in set(now.get(kind, members)) - set(members)
    }

    assert len(before) > 20
    assert NEW.keys() == new
