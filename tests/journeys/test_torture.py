"""The short form of `make torture`, on both queues: nothing lost, doubled or stuck."""

import pytest
from tests.support.module import last_object_of

KEYS = [
    *("seed", "queue", "kills", "faults", "acknowledged"),
    *("lost", "duplicated", "stuck", "miscounted"),
]
LONGEST_S = 900


@pytest.mark.parametrize(
    ("queue", "seed"),
    [
        pytest.param("postgres", 7, marks=pytest.mark.xdist_group("torture-postgres")),
        pytest.param("sqs", 7, marks=pytest.mark.xdist_group("torture-sqs")),
    ],
)
def test_nothing_is_lost_under_faults(queue: str, seed: int) -> None:
    asked = ("--short", "--seed", str(seed), "--queue", queue)
    found = last_object_of("torture", *asked, within_s=LONGEST_S)

    assert list(found) == KEYS
    assert (found["seed"], found["queue"]) == (seed, queue)
    assert found["kills"] > 0
    assert found["faults"] > 0
    assert found["acknowledged"] > 0
    assert [found[key] for key in ("lost", "duplicated", "stuck", "miscounted")] == [0, 0, 0, 0]
