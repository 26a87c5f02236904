"""Table identities: hashed e-mail, phone or id of a lead or checkout, and its click.

A SHA-256 of an e-mail can be guessed: so what is stored is its fingerprint under the tenant's key.
Rows from before tenants had keys hold the SHA-256 itself; look-ups ask for both.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx, columns
from trackai.storage.tenant_keys import know

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
  select click_id from identities where tenant_id = $1 and kind = $2 and key = any($3::bytea[])
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


async def insert_identities(tx: Tx, envelope: Envelope, identities: Sequence[Identity]) -> None:
    """Store who was seen with which click; the first sighting stays."""
    if identities:
        await know(tx, envelope, (one.tenant_id for one in identities))
        rows = {one._replace(key=_keyed(envelope, one.tenant_id, one.key)) for one in identities}
        await tx.execute(INSERT_IDENTITIES, *columns(sorted(rows)))


async def find_click_ids_of_person(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, kind: str, key: bytes
) -> list[str]:
    """Return ids of clicks of the person with this identity, the latest first, at most 20."""
    await know(tx, envelope, (tenant_id,))
    stored = list(stored_keys(envelope, tenant_id, (key,)))
    rows = await tx.fetch(FIND_CLICK_IDS_OF_PERSON, tenant_id, kind, stored)
    return [row["click_id"] for row in rows]


def stored_keys(envelope: Envelope, tenant_id: UUID, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return how these SHA-256 digests may be stored -> the digest; of a tenant that is known."""
    found = {}
    for key in keys:
        found[key] = key
        found[_keyed(envelope, tenant_id, key)] = key
    return found


def _keyed(envelope: Envelope, tenant_id: UUID, key: bytes) -> bytes:
    return envelope.digest(b"identity\x00" + key, tenant_id=tenant_id)
