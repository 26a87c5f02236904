"""The plan of faults: the same for the same seed, and never without any kind."""

from itertools import islice

from torture.plan import KILLS, Trouble, draw

LINES = ("database", "meta")


def test_a_seed_is_a_plan() -> None:
    assert list(islice(draw(7, LINES), 200)) == list(islice(draw(7, LINES), 200))
    assert list(islice(draw(7, LINES), 200)) != list(islice(draw(8, LINES), 200))


def test_every_kind_comes_and_kills_often() -> None:
    steps = list(islice(draw(1, LINES), 600))

    assert {step.trouble for step in steps} == set(Trouble)
    assert sum(step.trouble in KILLS for step in steps) > 150
