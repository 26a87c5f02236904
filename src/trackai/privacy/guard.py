"""Whether a receipt speaks of somebody who was erased: they must not come back with it.

Asked inside the transaction that works on the receipt. A tenant that never erased anybody pays two
short statements a receipt.
"""

from dataclasses import dataclass
from typing import Self

from trackai.model.clock import Clock
from trackai.model.notice import Buyer
from trackai.privacy.mentions import mentions
from trackai.privacy.person import buyer_keys
from trackai.storage import erased_people, erasing
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.receipts import Receipt


@dataclass(frozen=True, slots=True)
class Guard:
    """Knows a tenant's erased people, for the length of a transaction."""

    tx: Tx
    envelope: Envelope
    receipt: Receipt
    anybody: bool

    @classmethod
    async def stand(cls, tx: Tx, envelope: Envelope, receipt: Receipt) -> Self:
        """Begin; whoever wants to erase somebody of this tenant waits until the commit."""
        await erased_people.lock_shared(tx, tenant_id=receipt.tenant_id)
        anybody = await erased_people.has_anybody(tx, tenant_id=receipt.tenant_id)
        return cls(tx, envelope, receipt, anybody)

    async def is_erased(self, *buyers: Buyer) -> bool:
        """Tell whether any of these buyers was erased."""
        if not self.anybody:
            return False
        return await self._knows(frozenset().union(*map(buyer_keys, buyers)))

    async def empty(self, clock: Clock, *, taken: bool, again: bool) -> None:
        """Empty the receipt if it speaks of somebody who was erased.

        `taken`: it was taken into a sale of theirs. `again`: it was worked on before, so a sale may
        have it that it is not taken into now.
        """
        if self.anybody and (taken or await self._is_theirs(again=again)):
            await erasing.erase_receipt(
                self.tx,
                self.envelope,
                tenant_id=self.receipt.tenant_id,
                receipt_id=self.receipt.id,
                now=clock.now(),
                waiting=True,
            )

    async def _is_theirs(self, *, again: bool) -> bool:
        receipt = self.receipt
        said = mentions(receipt.body, receipt.request.query, *receipt.request.headers.values())
        if await self._knows(said.keys):
            return True
        return again and await erasing.is_of_erased_sale(
            self.tx, tenant_id=receipt.tenant_id, receipt_id=receipt.id
        )

    async def _knows(self, keys: frozenset[bytes]) -> bool:
        tenant_id = self.receipt.tenant_id
        among = [
            *erased_people.digests(self.envelope, tenant_id, keys),
            *erased_people.old_digests(self.envelope, tenant_id, keys),
        ]
        return await erased_people.is_any_erased(self.tx, tenant_id=tenant_id, among=among)
