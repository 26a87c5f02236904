"""The ladder: what a sale and a click may share, strongest first; the first hit wins.

The rules only; looking clicks up is handed in. Each rung leaves its reason and the clicks that it
looked at, so that a decision can be explained later.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from trackai.matching.window import SKEW, holds
from trackai.model.click import Visitor, fbclid_of
from trackai.model.conversion import Conversion
from trackai.model.identity import email_key, phone_key
from trackai.model.match import (
    ClickCandidate,
    Decision,
    Looked,
    Match,
    MatchReason,
    MatchStrategy,
    Tried,
)
from trackai.model.notice import Buyer, Tracking
from trackai.model.tenant import Attribution, Funnel

Key = str | bytes | Visitor


class Clicks(Protocol):
    """Where the ladder's clicks come from: one tenant's, for one sale."""

    async def find(
        self, strategy: MatchStrategy, key: Key, until: dt.datetime
    ) -> Sequence[ClickCandidate]:
        """Return clicks with a key, latest first, none later than `until` except by our id."""
        ...

    async def find_first(
        self, click: ClickCandidate, since: dt.datetime, until: dt.datetime
    ) -> ClickCandidate | None:
        """Return the first click of an ad, of the same browser or person, in this time."""
        ...


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to match: its keys in a conversion, in order of trust."""

    strategy: MatchStrategy
    keys: Callable[[Conversion], Sequence[Key]]


RUNGS: tuple[Rung, ...] = (
    Rung(MatchStrategy.SUBSCRIPTION, lambda conversion: _present(_renewed(conversion))),
    Rung(MatchStrategy.CLICK_ID, lambda conversion: conversion.tracking.click_ids),
    Rung(MatchStrategy.FBCLID, lambda conversion: fbclids(conversion.tracking)),
    Rung(MatchStrategy.FBP, lambda conversion: _present(conversion.tracking.fbp)),
    Rung(MatchStrategy.EMAIL, lambda conversion: _present(email_key(conversion.buyer.email))),
    Rung(MatchStrategy.PHONE, lambda conversion: _present(phone_key(conversion.buyer.phone))),
    Rung(MatchStrategy.VISITOR, lambda conversion: _visitor(conversion.buyer)),
)

# Position on the ladder, for telling which of two decisions is stronger.
STRENGTH = {
    **{rung.strategy: len(RUNGS) - position for position, rung in enumerate(RUNGS)},
    MatchStrategy.UNMATCHED: 0,
}

# Rungs that a matched sale itself leaves traces for.
REMEMBERED = frozenset({MatchStrategy.EMAIL, MatchStrategy.PHONE})
# Clicks that a rung remembers to have looked at.
_MOST_LOOKED = 5


async def climb(conversion: Conversion, funnel: Funnel, clicks: Clicks) -> Match:
    """Return the strongest match inside the attribution window, or the unmatched decision."""
    tried: list[Tried] = []
    for rung in RUNGS:
        click, attempt = await _try(rung, conversion, funnel, clicks)
        tried.append(attempt)
        if click is not None:
            counts = await _counting(rung, click, conversion, funnel, clicks)
            return Match(rung.strategy, counts, tuple(tried), click)
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
    if match.found and match.found.click_id == before.click_id and match.strategy in REMEMBERED:
        return False
    return STRENGTH[match.strategy] > STRENGTH[before.strategy]


async def _try(
    rung: Rung, conversion: Conversion, funnel: Funnel, clicks: Clicks
) -> tuple[ClickCandidate | None, Tried]:
    strategy, sold_at = rung.strategy, conversion.sold_at
    if strategy is MatchStrategy.VISITOR and not funnel.visitor_window:
        return None, Tried(strategy, MatchReason.SWITCHED_OFF)
    keys = rung.keys(conversion)
    if not keys:
        return None, Tried(strategy, MatchReason.NOT_CARRIED)
    looked_at: list[Looked] = []
    held: list[ClickCandidate] = []
    for key in keys:
        for click in await clicks.find(strategy, key, sold_at + SKEW):
            looked_at.append(Looked(click.click_id, click.clicked_at))
            if _may_be(click, strategy, conversion, funnel):
                held.append(click)
    reason = _reason(strategy, looked_at, held)
    found = held[0] if reason is MatchReason.FOUND else None
    return found, Tried(strategy, reason, tuple(looked_at[:_MOST_LOOKED]))


def _may_be(
    click: ClickCandidate, strategy: MatchStrategy, conversion: Conversion, funnel: Funnel
) -> bool:
    if strategy is MatchStrategy.SUBSCRIPTION:
        return True  # of the first sale, which had its window
    window = funnel.attribution_window
    if strategy is MatchStrategy.VISITOR:
        window = min(window, funnel.visitor_window)
    return holds(
        click.clicked_at,
        conversion.sold_at,
        window,
        carried=strategy is MatchStrategy.CLICK_ID,
        renewal=conversion.recurrence > 1,
    )


def _reason(
    strategy: MatchStrategy, looked_at: Sequence[Looked], held: Sequence[ClickCandidate]
) -> MatchReason:
    if not held:
        return MatchReason.OUTSIDE_WINDOW if looked_at else MatchReason.UNKNOWN
    # Behind one address there may be many people with the same telephone.
    if strategy is MatchStrategy.VISITOR and len({click.ads.fbp for click in held}) > 1:
        return MatchReason.AMBIGUOUS
    return MatchReason.FOUND


async def _counting(
    rung: Rung, found: ClickCandidate, conversion: Conversion, funnel: Funnel, clicks: Clicks
) -> ClickCandidate:
    """Return the click that counts: the one found, or the first that led to it."""
    if (
        funnel.attribution is Attribution.LAST_CLICK
        or rung.strategy is MatchStrategy.SUBSCRIPTION
        or conversion.recurrence > 1
    ):
        return found
    since = conversion.sold_at - funnel.attribution_window
    return await clicks.find_first(found, since, found.clicked_at) or found


def _renewed(conversion: Conversion) -> str | None:
    return conversion.subscription if conversion.recurrence > 1 else None


def _visitor(buyer: Buyer) -> tuple[Key, ...]:
    if not (buyer.client_ip and buyer.user_agent):
        return ()
    return (Visitor(buyer.client_ip, buyer.user_agent),)


def _present(key: Key | None) -> tuple[Key, ...]:
    return () if key is None else (key,)
