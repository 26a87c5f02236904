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

# Clicks of the person with this identity, the latest first: those that came with it, and those that
# came with the site's own id of who came with it. No further: e-mail and phone are shared by
# families, the site's id is one person's.
FIND_CLICK_IDS_OF_PERSON = """
with direct as (
  select click_id from identities where tenant_id = $1 and kind = $2 and key = $3
), known as (
  select distinct i.key from direct d
  join identities i on i.tenant_id = $1 and i.click_id = d.click_id and i.kind = 'external_id'
), everywhere as (
  select click_id from direct
  union
  select i.click_id from known k
  join identities i on i.tenant_id = $1 and i.kind = 'external_id' and i.key = k.key
)
select c.click_id from everywhere e
join clicks c on c.tenant_id = $1 and c.click_id = e.click_id
order by c.received_at desc, c.click_id desc limit 20
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


async def find_click_ids_of_person(tx: Tx, *, tenant_id: UUID, kind: str, key: bytes) -> list[str]:
    """Return ids of clicks of the person with this identity, the latest first, at most 20."""
    rows = await tx.fetch(FIND_CLICK_IDS_OF_PERSON, tenant_id, kind, key)
    return [row["click_id"] for row in rows]
