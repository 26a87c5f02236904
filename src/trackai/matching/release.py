"""Job: webhooks that waited for a gateway's flag are due again once it is on.

1. Look whose webhooks wait, and of which gateways; nearly always nobody's.
2. Of those that are on by now, make the oldest due, as many as the workers have room for.

The rest waits for the next look, so that today's webhooks never queue behind a whole backlog. A
worker that still believed the flag to be off holds them again, and this job releases them again.
"""

from trackai.flags.catalogue import gateway_flag
from trackai.flags.switches import Switches
from trackai.model.clock import Clock
from trackai.storage import held
from trackai.storage.pool import Database
from trackai.telemetry.logging import get_logger

# Webhooks that may be due at once when more are released: what workers do in a second or two.
ROOM = 500


class ReceiptReleaser:
    """Releases webhooks; several may run."""

    def __init__(self, database: Database, switches: Switches, clock: Clock) -> None:
        self._database = database
        self._switches = switches
        self._clock = clock

    async def step(self) -> bool:
        """Release what there is room for; False when nothing was."""
        board, now = await self._switches.board(), self._clock.now()
        async with self._database.transaction() as tx:
            waiting = [
                (tenant_id, gateway)
                for tenant_id, gateway in await held.list_held_receipts_all_tenants(tx)
                if board.of(gateway_flag(gateway), tenant_id).on
            ]
            if not waiting:
                return False
            due = await held.count_due_receipts_all_tenants(tx, now=now, most=ROOM)
            each, released = (ROOM - due) // len(waiting), 0
            # Each gets its turn, and one more than there is room for does no harm.
            for tenant_id, gateway in waiting if due < ROOM else ():
                released += await held.release_receipts(
                    tx, tenant_id=tenant_id, gateway=gateway, most=max(each, 1), now=now
                )
        if released:
            get_logger().info("receipts.released", number=released)
        return released > 0
