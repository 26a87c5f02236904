"""Percentiles from bins against the sorted times themselves."""

import math
from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from trackai.model.histogram import LONGEST_MS, SHORTEST_MS, Histogram, bin_of, middle_ms

times = st.floats(min_value=SHORTEST_MS, max_value=LONGEST_MS)
SHARES = (0.5, 0.95, 0.99, 1.0)


def histogram(*rows: Iterable[float]) -> Histogram:
    """Return the histogram of times that are counted in these rows."""
    found = Histogram()
    for row in rows:
        numbers = Counter(map(bin_of, row))
        found.add(sorted(numbers), [numbers[one] for one in sorted(numbers)])
    return found


@given(times)
def test_a_bins_middle_is_within_two_percent(ms: float) -> None:
    assert math.isclose(middle_ms(bin_of(ms)), ms, rel_tol=0.02)


@given(st.lists(times, min_size=1, max_size=300), st.sampled_from(SHARES))
def test_percentiles_are_within_two_percent_of_the_exact_ones(
    values: list[float], share: float
) -> None:
    exact = sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]

    (found,) = histogram(values).percentiles_ms(share)

    assert found is not None
    assert math.isclose(found, exact, rel_tol=0.02)


@given(st.lists(st.lists(times, max_size=20), min_size=2, max_size=5))
def test_rows_add_up(rows: list[list[float]]) -> None:
    together = histogram([one for row in rows for one in row])

    assert histogram(*rows).percentiles_ms(*SHARES) == together.percentiles_ms(*SHARES)


def test_what_was_counted_can_be_taken_back() -> None:
    found = histogram([1.0, 1.0, 80.0])
    found.add([bin_of(1.0)], [-2])

    assert found.percentiles_ms(0.01, 1.0) == [middle_ms(bin_of(80.0))] * 2


def test_no_times_have_no_percentile() -> None:
    emptied = histogram([5.0])
    emptied.add([bin_of(5.0)], [-1])

    assert Histogram().percentiles_ms(0.95) == [None]
    assert emptied.percentiles_ms(0.50, 0.95) == [None, None]


def test_what_is_too_short_or_too_long_is_counted_at_the_ends() -> None:
    assert bin_of(0.0) == bin_of(-5.0) == bin_of(SHORTEST_MS)
    assert bin_of(1e300) == bin_of(LONGEST_MS)
