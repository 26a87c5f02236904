"""What a destination adapter is: it builds its platform's request, sends it, tells what happened.

It never decides what happens next: dispatch/retry.py does. All-or-nothing batches are the
adapter's own affair: it answers with one outcome for each event, in order.
"""

from collections.abc import Sequence
from typing import Protocol

from trackai.model.delivery import Outcome, OutgoingEvent
from trackai.model.tenant import DestinationAccount


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

    async def send(
        self, account: DestinationAccount, events: Sequence[OutgoingEvent]
    ) -> list[Outcome]:
        """Send the events and return one outcome each, in their order.

        Does not raise for anything the platform or the network does: that is a Deferred.
        """
        ...
