"""What a way to tell people is, and how a try ends."""

from dataclasses import dataclass
from typing import Protocol

from trackai.alarms.message import Message
from trackai.storage.alarm_routes import Target


@dataclass(frozen=True, slots=True)
class Went:
    """It was taken."""


@dataclass(frozen=True, slots=True)
class Again:
    """Not now; the reason is stable, and a word of the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken as it is."""

    reason: str


Outcome = Went | Again | Refused


class Way(Protocol):
    """Tells people."""

    @property
    def ready(self) -> bool:
        """Tell whether this process has what it takes; another may."""
        ...

    async def tell(self, message: Message, target: Target) -> Outcome:
        """Say it once; never raises for what the other side or the network does."""
        ...
