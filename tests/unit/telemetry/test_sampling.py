"""Of many equal lines some are written, and how many were not is said."""

from hypothesis import given
from hypothesis import strategies as st

from trackai.telemetry.sampling import MOST_KINDS, LeftOut, Sampler


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_of_a_kind_are_written_and_the_rest_is_counted() -> None:
    hand = Hand()
    sampler = Sampler(3, hand)
    admitted = [sampler.admits("error", "job.failed") for _ in range(10)]
    early = sampler.left_out()
    hand.now_s += 1
    again = sampler.admits("error", "job.failed")

    assert [True] * 3 + [False] * 7 == admitted
    assert [] == early
    assert again
    assert [LeftOut("error", "job.failed", 7)] == sampler.left_out()
    assert [] == sampler.left_out()


def test_kinds_do_not_push_each_other_out() -> None:
    sampler = Sampler(1, Hand())

    assert sampler.admits("info", "a")
    assert sampler.admits("info", "b")
    assert sampler.admits("error", "a")
    assert not sampler.admits("info", "a")


def test_kinds_without_number_take_bounded_room() -> None:
    hand = Hand()
    sampler = Sampler(2, hand)
    admitted = [sampler.admits("warning", f"m{number}") for number in range(MOST_KINDS + 50)]
    hand.now_s += 1
    sampler.admits("info", "x")

    assert MOST_KINDS + 2 == sum(admitted)
    assert [LeftOut("warning", "", 48)] == sampler.left_out()


@given(
    st.integers(1, 5),
    st.lists(
        st.tuples(st.sampled_from(["info", "error"]), st.sampled_from("abc"), st.floats(0, 2))
    ),
)
def test_what_is_written_and_what_is_told_make_all(
    most: int, lines: list[tuple[str, str, float]]
) -> None:
    hand = Hand()
    sampler = Sampler(most, hand)
    written = told = 0
    seconds: set[tuple[str, str, int]] = set()
    shown: set[tuple[str, str, int]] = set()
    for level, event, pause_s in lines:
        hand.now_s += pause_s
        seconds.add((level, event, int(hand.now_s)))
        if sampler.admits(level, event):
            written += 1
            shown.add((level, event, int(hand.now_s)))
        told += sum(one.number for one in sampler.left_out())
    hand.now_s += 1
    sampler.admits("info", "end")

    assert len(lines) == written + told + sum(one.number for one in sampler.left_out())
    # No kind is silent in a second in which it was said.
    assert seconds == shown
