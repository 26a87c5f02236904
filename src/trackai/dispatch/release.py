"""Job: events that waited for a destination's flag are due again once it is on.

Nearly always nothing waits. A worker that still believed the flag to be off holds them again, and
this job releases them again.
"""

from trackai.flags.catalogue import destination_flag
from trackai.flags.switches import Switches
from trackai.model.clock import Clock
from trackai.storage import held
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger

# Events of one destination released at once: as many as go out in one request. The queue is fair,
# so a backlog is its destination's own.
EACH = 1000


class DeliveryReleaser:
    """Releases events; several may run."""

    def __init__(self, database: Database, switches: Switches, clock: Clock) -> None:
        self._database = database
        self._switches = switches
        self._clock = clock

    async def step(self) -> bool:
        """Release some of each destination that is on; False when nothing was."""
        board, now, released = await self._switches.board(), self._clock.now(), 0
        async with self._database.transaction() as tx:
            for one in await held.list_held_destinations_all_tenants(tx):
                if board.of(destination_flag(one.kind), one.tenant_id).on:
                    released += await held.release_messages(tx, one, most=EACH, now=now)
        if released:
            get_logger().info("deliveries.released", number=released)
        return released > 0
