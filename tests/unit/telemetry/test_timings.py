"""Timings without locks: they show what the library's own histogram shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from trackai.telemetry.timings import Timings

BUCKETS = (0.01, 0.5, 1.0, 30.0)
SECONDS = st.one_of(st.sampled_from([0.0, *BUCKETS]), st.floats(0, 100))


def shown(kind: type[Histogram] | type[Timings], took: list[tuple[str, float]]) -> list[str]:
    registry = CollectorRegistry()
    made = kind("t_seconds", "How long", ("area",), buckets=BUCKETS, registry=registry)
    for area, seconds in took:
        made.labels(area).observe(seconds)
    lines = generate_latest(registry).decode().splitlines()
    return [one for one in lines if "_created" not in one]


@given(st.lists(st.tuples(st.sampled_from(["edge", 'with "quotes"']), SECONDS)))
def test_what_is_shown_is_what_the_librarys_histogram_shows(took: list[tuple[str, float]]) -> None:
    assert shown(Timings, took) == shown(Histogram, took)


def test_its_name_is_taken() -> None:
    registry = CollectorRegistry()
    Timings("t_seconds", "How long", ("area",), buckets=BUCKETS, registry=registry)

    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("t_seconds", "How long", registry=registry)


@pytest.mark.parametrize("buckets", [(), (1.0, 0.5), (1.0, 1.0)])
def test_buckets_that_do_not_grow_are_refused(buckets: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must grow"):
        Timings("t_seconds", "How long", (), buckets=buckets, registry=CollectorRegistry())


def test_labels_that_are_not_its_own_are_refused() -> None:
    made = Timings("t_seconds", "", ("area",), buckets=BUCKETS, registry=CollectorRegistry())

    with pytest.raises(ValueError, match="has the labels"):
        made.labels("edge", "/t.js")
