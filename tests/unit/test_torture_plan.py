"""The plan of faults: the same for the same seed, every kind first, kills often."""

from itertools import islice

import pytest
from torture.plan import FIRST_ROUND, KILLS, META_FAULTS, SURE, Trouble, draw

LINES = ("database", "meta")


def test_a_seed_is_a_plan() -> None:
    assert list(islice(draw(7, LINES), 200)) == list(islice(draw(7, LINES), 200))
    assert list(islice(draw(7, LINES), 200)) != list(islice(draw(8, LINES), 200))


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_and_every_fault_comes_before_any_comes_again(seed: int) -> None:
    steps = list(islice(draw(seed, LINES), FIRST_ROUND))
    others = [step.trouble for step in steps if step.trouble is not Trouble.META]

    assert sorted(META_FAULTS) == sorted(s.fault for s in steps if s.trouble is Trouble.META)
    assert sorted(set(Trouble) - {Trouble.META}) == sorted(others)


def test_a_server_dies_while_the_database_is_silent() -> None:
    silence, kill = islice(draw(7, LINES), FIRST_ROUND, SURE)

    assert (silence.trouble, silence.line) == (Trouble.SILENCE, "database")
    assert kill.trouble is Trouble.KILL_SERVER
    assert kill.pause_s < silence.seconds


def test_the_first_round_is_shuffled_by_the_seed() -> None:
    first = [step.trouble for step in islice(draw(7, LINES), FIRST_ROUND)]

    assert first != [step.trouble for step in islice(draw(8, LINES), FIRST_ROUND)]


def test_every_kind_comes_and_kills_often() -> None:
    steps = list(islice(draw(1, LINES), 600))

    assert {step.trouble for step in steps} == set(Trouble)
    assert sum(step.trouble in KILLS for step in steps) > 150
