"""The short form of `make torture`, on both queues: nothing lost, doubled or stuck."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEYS = [
    *("seed", "queue", "kills", "faults", "acknowledged"),
    *("lost", "duplicated", "stuck", "miscounted"),
]
LONGEST_S = 240


@pytest.mark.parametrize(
    ("queue", "seed"),
    [
        pytest.param("postgres", 7, marks=pytest.mark.xdist_group("torture-postgres")),
        pytest.param("sqs", 7, marks=pytest.mark.xdist_group("torture-sqs")),
    ],
)
def test_nothing_is_lost_under_faults(queue: str, seed: int) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "torture", "--short", "--seed", str(seed), "--queue", queue],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])

    assert list(found) == KEYS
    assert (found["seed"], found["queue"]) == (seed, queue)
    assert found["kills"] > 0
    assert found["faults"] > 0
    assert found["acknowledged"] > 0
    assert [found[key] for key in ("lost", "duplicated", "stuck", "miscounted")] == [0, 0, 0, 0]
