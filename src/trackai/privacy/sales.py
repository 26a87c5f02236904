"""Emptying a sale: its facts stay, whose it was goes."""

import datetime as dt
from collections.abc import Set as AbstractSet
from uuid import UUID

from trackai.privacy.remains import notice_of_nobody, tracking_of_nobody
from trackai.storage import conversions, erasing
from trackai.storage.envelope import Envelope
from trackai.storage.erasing import Remains
from trackai.storage.pool import Tx


async def empty_sale(
    tx: Tx,
    envelope: Envelope,
    marks: AbstractSet[bytes],
    *,
    tenant_id: UUID,
    conversion_id: UUID,
    now: dt.datetime,
) -> dict[str, int]:
    """Empty a sale and end what it owes; return how many rows changed, by table.

    `marks` are hashes of the person, which its campaign may hold.
    """
    sale = {"tenant_id": tenant_id, "conversion_id": conversion_id}
    known = await conversions.find_transaction(tx, **sale)
    if known is None:
        return {}
    await conversions.lock_transaction(
        tx, tenant_id=tenant_id, gateway=known["gateway"], transaction=known["transaction"]
    )
    tracking, notices = await erasing.lock_sale(tx, envelope, **sale)
    remains = Remains(
        tracking_of_nobody(tracking, marks),
        [
            (receipt_id, position, notice_of_nobody(notice))
            for receipt_id, position, notice in notices
            if notice is not None
        ],
    )
    return await erasing.erase_sale(tx, envelope, remains, **sale, now=now)
