"""Tallies without locks: they show what the library's own counter shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest

from trackai.telemetry.tallies import Tallies


def shown(kind: type[Counter] | type[Tallies], happened: list[str]) -> list[str]:
    registry = CollectorRegistry()
    made = kind("t_total", "How often", ("outcome",), registry=registry)
    for outcome in happened:
        made.labels(outcome).inc()
    lines = generate_latest(registry).decode().splitlines()
    return [one for one in lines if "_created" not in one]


@given(st.lists(st.sampled_from(["stored", "repeat", 'with "quotes"'])))
def test_what_is_shown_is_what_the_librarys_counter_shows(happened: list[str]) -> None:
    assert shown(Tallies, happened) == shown(Counter, happened)


def test_its_name_is_taken() -> None:
    registry = CollectorRegistry()
    Tallies("t_total", "How often", ("outcome",), registry=registry)

    with pytest.raises(ValueError, match="Duplicated"):
        Counter("t_total", "How often", registry=registry)


def test_labels_that_are_not_its_own_are_refused() -> None:
    made = Tallies("t_total", "", ("outcome",), registry=CollectorRegistry())

    with pytest.raises(ValueError, match="has the labels"):
        made.labels("click", "stored")
