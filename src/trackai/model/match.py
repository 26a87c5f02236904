"""A match: which click a conversion came from, how that was found, and why not otherwise."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from trackai.model.click import AdIdentifiers, Visitor


class MatchStrategy(StrEnum):
    """The rungs of the ladder, strongest first; `unmatched` ends it."""

    SUBSCRIPTION = "subscription"  # a renewal: the click of the subscription's first sale
    CLICK_ID = "click_id"  # our id came back through the checkout
    FBCLID = "fbclid"  # Meta's click id, alone or inside fbc
    FBP = "fbp"  # the browser's id, shared by page and checkout
    EMAIL = "email"  # hashed e-mail of an earlier lead or checkout
    PHONE = "phone"  # hashed phone of an earlier lead or checkout
    VISITOR = "visitor"  # the same address and agent shortly before; off unless a funnel asks
    UNMATCHED = "unmatched"


class MatchReason(StrEnum):
    """Why a rung hit or did not; stored with each decision."""

    FOUND = "found"
    NOT_CARRIED = "not_carried"  # the notice has no such key
    UNKNOWN = "unknown"  # the key is there, no click has it
    OUTSIDE_WINDOW = "outside_window"  # a click has it, too old or later than the sale
    SWITCHED_OFF = "switched_off"  # the funnel does not match in this way
    AMBIGUOUS = "ambiguous"  # several browsers have it, so it is nobody's


class Confidence(StrEnum):
    """How sure a match is."""

    CERTAIN = "certain"  # an id of ours or of the platform, made for this
    STRONG = "strong"  # an id of the click, the browser or the person
    PROBABLE = "probable"  # what others may share


CONFIDENCE: Mapping[MatchStrategy, Confidence] = MappingProxyType(
    {
        MatchStrategy.SUBSCRIPTION: Confidence.CERTAIN,
        MatchStrategy.CLICK_ID: Confidence.CERTAIN,
        MatchStrategy.FBCLID: Confidence.CERTAIN,
        MatchStrategy.FBP: Confidence.STRONG,
        MatchStrategy.EMAIL: Confidence.STRONG,
        MatchStrategy.PHONE: Confidence.STRONG,
        MatchStrategy.VISITOR: Confidence.PROBABLE,
    }
)
# Nothing that comes later can be better than these.
FINAL = frozenset({MatchStrategy.SUBSCRIPTION, MatchStrategy.CLICK_ID})


@dataclass(frozen=True, slots=True)
class ClickCandidate:
    """A click as the ladder and the destinations see it."""

    click_id: str
    clicked_at: dt.datetime
    ads: AdIdentifiers
    visitor: Visitor
    page_url: str | None
    referrer: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A click that a rung looked at."""

    click_id: str
    clicked_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Tried:
    """One rung, what came of it, and the clicks that it looked at, the latest first."""

    strategy: MatchStrategy
    reason: MatchReason
    looked_at: tuple[Looked, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The decision for one conversion; without clicks when unmatched.

    `click` is the one that counts; `found` the one that the ladder found, of the browser that
    bought. They differ where a funnel counts first clicks.
    """

    strategy: MatchStrategy
    click: ClickCandidate | None
    tried: tuple[Tried, ...]
    found: ClickCandidate | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands in storage of a match: enough to judge whether another one is better."""

    strategy: MatchStrategy
    click_id: str | None
