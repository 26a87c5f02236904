"""Job: sales whose click may have come late are matched again.

A page that was offline reports its click hours later; a lead may be told of after the purchase.
Each step takes one sale that is due, in one transaction, and looks as if for the first time. A
better match replaces the one before; deliveries that are still to go out use it, what was sent
stays sent.
"""

from uuid import UUID

from trackai.errors import InvariantBroken
from trackai.matching.lifecycle import Belonging, sum_up
from trackai.matching.sale import Tools, match_conversion
from trackai.model.conversion import Conversion
from trackai.storage import conversions, matches
from trackai.storage.pool import Database, Tx
from trackai.telemetry.logging import get_logger


class Rematcher:
    """Looks again; several may run side by side."""

    def __init__(self, database: Database, tools: Tools) -> None:
        self._database = database
        self._tools = tools

    async def step(self) -> bool:
        """Look at one sale again; False when none was due."""
        async with self._database.transaction() as tx:
            due = await matches.claim_to_look_again_all_tenants(tx, now=self._tools.clock.now())
            if due is None:
                return False
            tenant_id, conversion_id = due
            named = {"tenant_id": tenant_id, "conversion_id": conversion_id}
            before = await matches.find_decision(tx, **named)
            try:
                conversion = await self._load(tx, **named)
            except InvariantBroken as error:  # one damaged row must not stop the others
                await matches.set_look_again(tx, **named, at=None)
                get_logger().error(
                    "rematch.failed", conversion_id=str(conversion_id), reason=error.code
                )
                return True
            strategy = await match_conversion(tx, self._tools, conversion)
        if before is not None and strategy is not before.strategy:
            get_logger().info(
                "conversion.rematched",
                tenant_id=str(tenant_id),
                conversion_id=str(conversion_id),
                before=before.strategy.value,
                now=strategy.value,
            )
        return True

    async def _load(self, tx: Tx, *, tenant_id: UUID, conversion_id: UUID) -> Conversion:
        found = await conversions.find_transaction(
            tx, tenant_id=tenant_id, conversion_id=conversion_id
        )
        if found is None:
            raise InvariantBroken("The match's conversion is gone.")
        said = await conversions.list_notices(
            tx, self._tools.envelope, tenant_id=tenant_id, conversion_id=conversion_id
        )
        if not said:
            raise InvariantBroken("Nothing is stored of what was said of the sale.")
        belonging = Belonging(tenant_id, conversion_id, found["connection_id"], found["funnel_id"])
        return sum_up(said, belonging)
