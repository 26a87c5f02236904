"""What a way to send messages is."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a message is for; a label of metrics and logs."""

    INVITATION = "invitation"  # to a team
    NEW_PASSWORD = "new_password"  # noqa: S105 - a link to set one
    ALARM = "alarm"  # that begins, or ends


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one person; it holds a link that only they may see."""

    kind: Kind
    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


class Mail(Protocol):
    """Sends messages."""

    @property
    def reaches_people(self) -> bool:
        """True when a message comes to whom it is for, not only to who runs the program."""
        ...

    async def send(self, letter: Letter) -> None:
        """Send a message; MailNotSent when it did not go, and will not go by itself."""
        ...
