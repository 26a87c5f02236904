"""A match: which click a conversion came from, how that was found, and why not otherwise."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from trackai.model.click import AdIdentifiers, Visitor


class MatchStrategy(StrEnum):
    """The rungs of the ladder, strongest first; `unmatched` ends it."""

    CLICK_ID = "click_id"  # our id came back through the checkout
    FBCLID = "fbclid"  # Meta's click id, alone or inside fbc
    FBP = "fbp"  # the browser's id, shared by page and checkout
    EMAIL = "email"  # hashed e-mail of an earlier lead or checkout
    PHONE = "phone"  # hashed phone of an earlier lead or checkout
    UNMATCHED = "unmatched"


class MatchReason(StrEnum):
    """Why a rung hit or did not; stored with each decision."""

    FOUND = "found"
    NOT_CARRIED = "not_carried"  # the notice has no such key
    UNKNOWN = "unknown"  # the key is there, no click has it
    OUTSIDE_WINDOW = "outside_window"  # a click has it, too old or later than the sale


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
class Tried:
    """One rung and what came of it."""

    strategy: MatchStrategy
    reason: MatchReason


@dataclass(frozen=True, slots=True)
class Match:
    """The decision for one conversion; `click` is None when unmatched."""

    strategy: MatchStrategy
    click: ClickCandidate | None
    tried: tuple[Tried, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands in storage of a match: enough to judge whether another one is better."""

    strategy: MatchStrategy
    click_id: str | None
