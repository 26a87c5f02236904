"""Debian's own checkers of rules and routes, and an installation that is watched by them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.alarms.conftest import world

from trackai.alarms.engines.place import Place
from trackai.alarms.message import words_of

__all__ = ["world"]

REQUIRED = "TRACKAI_TEST_PROMETHEUS"
TOOLS = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}
RUN_S = 120.0

Check = Callable[..., "subprocess.CompletedProcess[str]"]


def place_in(language: str = "en") -> Place:
    return Place("https://track.example.com", "production", "trackai", language, words_of(language))


def _tool(name: str) -> Check:
    found = shutil.which(name)
    if found is None and not os.getenv(REQUIRED):
        pytest.skip(f"no {name}: apt-get install {TOOLS[name]}")
    assert found, f"{name} is required: apt-get install {TOOLS[name]}"

    def run(*arguments: str | Path, said: str | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - what the test asks for
            [found, *map(str, arguments)],
            input=said,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def promtool() -> Check:
    return _tool("promtool")


@pytest.fixture(scope="session")
def amtool() -> Check:
    return _tool("amtool")
