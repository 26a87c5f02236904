"""What a destination adapter is: it builds its platform's request, sends it, tells what happened.

It never decides what happens next: dispatch/retry.py does. All-or-nothing batches are the
adapter's own affair: it answers with one outcome for each event, in order.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trackai.model.delivery import Outcome, OutgoingEvent
from trackai.model.tenant import DestinationAccount


class TokenState(StrEnum):
    """What a platform's answer about a token comes to; stored, and said in words by pages."""

    VALID = "valid"
    ENDED = "ended"  # expired, or withdrawn
    REFUSED = "refused"  # nothing that the platform knows
    NOT_ASSIGNED = "not_assigned"  # its owner does not have the pixel
    IMPOSSIBLE = "impossible"  # such a token or pixel cannot be asked about
    NOT_SAID = "not_said"  # an answer that does not tell
    NOT_REACHED = "not_reached"  # no answer


@dataclass(frozen=True, slots=True)
class TokenHealth:
    """What a platform says of an account's token. `valid` None: it could not be asked."""

    state: TokenState
    valid: bool | None
    found: str  # one sentence for people, without the token
    expires_at: dt.datetime | None = None  # None: never, or not said
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """Events that carried the same keys."""

    keys: str
    events: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What would raise the score, and by how much, in tenths."""

    keys: tuple[str, ...]
    gain: int
    how: str


@dataclass(frozen=True, slots=True)
class Summary:
    """How well events can be matched, taken together."""

    events: int
    tenths: int  # the average of the events' scores
    coverage: Mapping[str, float]  # key -> share of the events that carried it
    advice: Sequence[Advice]  # the most useful first


class Destination(Protocol):
    """One ad platform."""

    @property
    def kind(self) -> str:
        """Name in tables and commands: "meta"."""
        ...

    @property
    def batch_limit(self) -> int:
        """Most events one call may carry."""
        ...

    def host(self, account: DestinationAccount) -> str:
        """Return the host that the account's requests go to: many accounts may share it."""
        ...

    def validate(self, account: DestinationAccount) -> None:
        """Raise InvalidField, naming the field, for an account that cannot be sent to."""
        ...

    async def check_token(self, account: DestinationAccount) -> TokenHealth:
        """Ask the platform about the account's token; does not raise for its answers."""
        ...

    async def send(
        self, account: DestinationAccount, events: Sequence[OutgoingEvent]
    ) -> list[Outcome]:
        """Send the events and return one outcome each, in their order.

        Does not raise for anything the platform or the network does: that is a Deferred.
        """
        ...
