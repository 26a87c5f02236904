"""Table identities: hashed e-mail, phone or id of a lead or checkout, and its click."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.pool import Tx, columns

# Many identities at once; the first sighting with a click stays.
INSERT_IDENTITIES = """
insert into identities (tenant_id, kind, key, click_id, seen_at)
select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[])
on conflict (tenant_id, kind, key, click_id) do nothing
"""

# Clicks that came with one of these identities, the latest first.
FIND_CLICK_IDS_BY_IDENTITY = """
select i.click_id, c.received_at
from identities i join clicks c on c.tenant_id = i.tenant_id and c.click_id = i.click_id
where i.tenant_id = $1 and i.kind = $2 and i.key = $3
order by c.received_at desc limit 20
"""


class Identity(NamedTuple):
    """Somebody, hashed, seen with a click. `key` is a SHA-256 digest of the normalized value."""

    tenant_id: UUID
    kind: str
    key: bytes
    click_id: str
    seen_at: dt.datetime


async def insert_identities(tx: Tx, identities: Sequence[Identity]) -> None:
    """Store who was seen with which click; the first sighting stays."""
    if identities:
        await tx.execute(INSERT_IDENTITIES, *columns(sorted(set(identities))))


async def find_click_ids_by_identity(
    tx: Tx, *, tenant_id: UUID, kind: str, key: bytes
) -> list[str]:
    """Return ids of clicks that came with this identity, the latest first, at most 20."""
    rows = await tx.fetch(FIND_CLICK_IDS_BY_IDENTITY, tenant_id, kind, key)
    return [row["click_id"] for row in rows]
