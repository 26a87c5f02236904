"""The estimate of match quality: what raises it, what does not, and what is advised."""

from itertools import combinations

import pytest

from trackai.destinations.meta.quality import CHANCES, HOW, NEVER_SENT, quality_of, summarize
from trackai.destinations.port import Counted

EVERY = tuple(sorted({key for keys in CHANCES for key in keys}))


def test_an_event_with_nothing_has_nothing() -> None:
    assert (0, "") == (quality_of(()).tenths, quality_of(()).keys)


def test_an_event_with_everything_is_near_ten() -> None:
    assert 97 <= quality_of(EVERY).tenths <= 100


@pytest.mark.parametrize("more", EVERY)
def test_another_key_never_lowers_it(more: str) -> None:
    for size in range(3):
        for keys in combinations(EVERY, size):
            assert quality_of(keys).tenths <= quality_of((*keys, more)).tenths


def test_half_of_a_pair_is_worth_nothing() -> None:
    assert quality_of(("client_user_agent",)).tenths == 0
    assert quality_of(("client_ip_address", "client_user_agent")).tenths > 0


def test_the_order_of_keys_does_not_matter() -> None:
    assert quality_of(("ph", "em")) == quality_of(("em", "ph"))
    assert quality_of(("ph", "em")).keys == "em ph"


def test_an_email_is_worth_more_than_names_and_places_together() -> None:
    assert quality_of(("em",)).tenths > quality_of(("fn", "ln", "ct", "zp", "st", "country")).tenths


def test_a_summary_is_the_average_over_events() -> None:
    summary = summarize([Counted("em ph", 3), Counted("fbp", 1)])
    expected = (3 * quality_of(("em", "ph")).tenths + quality_of(("fbp",)).tenths) / 4

    assert summary.events == 4
    assert summary.tenths == round(expected)
    assert (summary.coverage["em"], summary.coverage["fbp"]) == (0.75, 0.25)


def test_what_would_raise_it_most_comes_first() -> None:
    (first, *_) = summarize([Counted("em fbp", 9)]).advice

    assert first.keys == ("fbc",)
    assert first.gain == quality_of(("em", "fbc", "fbp")).tenths - quality_of(("em", "fbp")).tenths


def test_nothing_is_advised_that_is_there_or_never_sent() -> None:
    assert not summarize([Counted(" ".join(EVERY), 1)]).advice
    advised = {one.keys for one in summarize([Counted("", 1)]).advice}
    assert advised.isdisjoint(NEVER_SENT)


def test_there_is_advice_for_every_key() -> None:
    assert CHANCES.keys() == HOW.keys()
