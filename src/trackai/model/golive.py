"""Going live: what must hold, what was found of it, and who answers for what nobody can measure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Section(StrEnum):
    """What an item is about, in the order of the list."""

    INFRASTRUCTURE = "infrastructure"
    CODE = "code"
    DATA = "data"
    MONITORING = "monitoring"
    TEAM = "team"
    OPERATION = "operation"


class Proof(StrEnum):
    """How it is known that an item holds."""

    AUTOMATIC = "automatic"  # looked at, each time somebody asks; nobody can sign it
    SIGNED = "signed"  # somebody answers for it, for a while


class Outcome(StrEnum):
    """What an item comes to."""

    PROVED = "proved"
    SIGNED = "signed"
    FAILED = "failed"  # looked at, and it does not hold; or nobody could look
    EXPIRED = "expired"  # it held, too long ago
    UNSIGNED = "unsigned"  # nobody answers for it

    @property
    def holds(self) -> bool:
        """Tell whether the item is done."""
        return self in {Outcome.PROVED, Outcome.SIGNED}


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the catalogue; its words are in golive/words."""

    id: str
    number: int
    section: Section
    proof: Proof = Proof.AUTOMATIC
    # How old evidence may be; None: it is of this moment anyway.
    lasts: dt.timedelta | None = None


# What a sentence is filled with; a moment is told as its reader has them.
Value = str | float | dt.datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found: a sentence of golive/words with its values, and of when it is."""

    good: bool
    said: str
    at: dt.datetime
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for an item, until when."""

    item: str
    user_id: UUID
    note: str
    at: dt.datetime
    expires_at: dt.datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an item comes to, and why."""

    item: Item
    outcome: Outcome
    evidence: Evidence | None
    signature: Signature | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """All of them, at one moment."""

    at: dt.datetime
    version: str
    verdicts: Sequence[Verdict]

    @property
    def holds(self) -> bool:
        """Tell whether every item does."""
        return all(one.outcome.holds for one in self.verdicts)

    def number(self, outcome: Outcome) -> int:
        """Return how many items come to this."""
        return sum(one.outcome is outcome for one in self.verdicts)

    @property
    def sums(self) -> Mapping[str, int]:
        """Return how many items there are, are proved, are signed and do not hold."""
        proved, signed = self.number(Outcome.PROVED), self.number(Outcome.SIGNED)
        items = len(self.verdicts)
        return {
            "items": items,
            "proved": proved,
            "signed": signed,
            "failed": items - proved - signed,
        }
