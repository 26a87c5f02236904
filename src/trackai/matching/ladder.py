"""The ladder: what a sale and a click may share, strongest first; the first hit wins.

The rules only; looking clicks up is handed in. Each rung leaves its reason, so that a decision
can be explained later.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from trackai.matching.window import SKEW, holds
from trackai.model.click import fbclid_of
from trackai.model.conversion import Conversion
from trackai.model.identity import email_key, phone_key
from trackai.model.match import (
    ClickCandidate,
    Decision,
    Match,
    MatchReason,
    MatchStrategy,
    Tried,
)
from trackai.model.notice import Tracking

Key = str | bytes
# Returns the clicks that carry a key, latest first, none later than the given time except for
# ids of ours.
FindClicks = Callable[[MatchStrategy, Key, dt.datetime], Awaitable[Sequence[ClickCandidate]]]


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to match: its keys in a conversion, in order of trust."""

    strategy: MatchStrategy
    keys: Callable[[Conversion], Sequence[Key]]


RUNGS: tuple[Rung, ...] = (
    Rung(MatchStrategy.CLICK_ID, lambda conversion: conversion.tracking.click_ids),
    Rung(MatchStrategy.FBCLID, lambda conversion: fbclids(conversion.tracking)),
    Rung(MatchStrategy.FBP, lambda conversion: _present(conversion.tracking.fbp)),
    Rung(MatchStrategy.EMAIL, lambda conversion: _present(email_key(conversion.buyer.email))),
    Rung(MatchStrategy.PHONE, lambda conversion: _present(phone_key(conversion.buyer.phone))),
)

# Position on the ladder, for telling which of two decisions is stronger.
STRENGTH = {
    **{rung.strategy: len(RUNGS) - position for position, rung in enumerate(RUNGS)},
    MatchStrategy.UNMATCHED: 0,
}

# Rungs that a matched sale itself leaves traces for.
REMEMBERED = frozenset({MatchStrategy.EMAIL, MatchStrategy.PHONE})


async def climb(conversion: Conversion, window: dt.timedelta, find: FindClicks) -> Match:
    """Return the strongest match inside the attribution window, or the unmatched decision."""
    tried: list[Tried] = []
    for rung in RUNGS:
        click, reason = await _try(rung, conversion, window, find)
        tried.append(Tried(rung.strategy, reason))
        if click is not None:
            return Match(rung.strategy, click, tuple(tried))
    return Match(MatchStrategy.UNMATCHED, None, tuple(tried))


def fbclids(tracking: Tracking) -> tuple[str, ...]:
    """Return Meta's click ids that a notice carries, alone or inside fbc; never changed."""
    found = (tracking.fbclid, fbclid_of(tracking.fbc))
    return tuple(dict.fromkeys(key for key in found if key))


def improves(match: Match, before: Decision | None) -> bool:
    """Tell whether a match should replace the decision before it: only what is stronger does.

    A buyer is remembered with the click once a sale is matched. To find the same click by what was
    remembered of this very sale says nothing new.
    """
    if before is None:
        return True
    if match.click and match.click.click_id == before.click_id and match.strategy in REMEMBERED:
        return False
    return STRENGTH[match.strategy] > STRENGTH[before.strategy]


async def _try(
    rung: Rung, conversion: Conversion, window: dt.timedelta, find: FindClicks
) -> tuple[ClickCandidate | None, MatchReason]:
    keys = rung.keys(conversion)
    if not keys:
        return None, MatchReason.NOT_CARRIED
    carried = rung.strategy is MatchStrategy.CLICK_ID
    reason = MatchReason.UNKNOWN
    for key in keys:
        for click in await find(rung.strategy, key, conversion.sold_at + SKEW):
            if holds(click.clicked_at, conversion.sold_at, window, carried=carried):
                return click, MatchReason.FOUND
            reason = MatchReason.OUTSIDE_WINDOW
    return None, reason


def _present(key: Key | None) -> tuple[Key, ...]:
    return () if key is None else (key,)
