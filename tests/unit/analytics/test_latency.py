"""Percentiles from bins against the sorted times themselves."""

import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trackai.analytics.latency import LONGEST_MS, SHORTEST_MS, bin_of, middle_ms, percentiles_ms

times = st.floats(min_value=SHORTEST_MS, max_value=LONGEST_MS)


@given(times)
def test_a_bins_middle_is_within_two_percent(ms: float) -> None:
    assert math.isclose(middle_ms(bin_of(ms)), ms, rel_tol=0.02)


@given(st.lists(times, min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_percentiles_are_within_two_percent_of_the_exact_ones(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]

    (found,) = percentiles_ms(Counter(map(bin_of, values)), share)

    assert found is not None
    assert math.isclose(found, exact, rel_tol=0.02)


@given(st.lists(times, max_size=50), st.lists(times, max_size=50))
def test_bins_of_two_stretches_add_up(first: list[float], second: list[float]) -> None:
    together = Counter(map(bin_of, first)) + Counter(map(bin_of, second))

    assert together == Counter(map(bin_of, [*first, *second]))


def test_no_times_have_no_percentile() -> None:
    assert percentiles_ms({}, 0.95) == [None]
    assert percentiles_ms({7: 0}, 0.50, 0.95) == [None, None]


def test_what_is_too_short_or_too_long_is_counted_at_the_ends() -> None:
    assert bin_of(0.0) == bin_of(-5.0) == bin_of(SHORTEST_MS)
    assert bin_of(1e300) == bin_of(LONGEST_MS)
