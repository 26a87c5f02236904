"""Table campaigns: what the addresses of ads said that sales came from."""

import datetime as dt
from uuid import UUID

from trackai.storage.pool import Tx

# The campaign of a click, stored when it is the first of it; none when its address said nothing.
NOTE_CAMPAIGN = """
with said as (
  select trackai_campaign_word(utm_source) as source, trackai_campaign_word(utm_medium) as medium,
    trackai_campaign_word(utm_campaign) as campaign, trackai_campaign_word(utm_content) as content
  from clicks
  where tenant_id = $1 and click_id = $2 and day = ($3::timestamptz at time zone 'UTC')::date
  limit 1
), named as (
  select trackai_campaign_id(source, medium, campaign, content) as id, said.* from said
  where (source, medium, campaign, content) <> ('', '', '', '')
), noted as (
  insert into campaigns (tenant_id, id, source, medium, campaign, content)
  select $1, named.* from named on conflict do nothing
)
select id from named
"""


async def note_campaign(
    tx: Tx, *, tenant_id: UUID, click_id: str, clicked_at: dt.datetime
) -> UUID | None:
    """Return the id of the campaign that a click came from, if its address named one."""
    row = await tx.fetch_one(NOTE_CAMPAIGN, tenant_id, click_id, clicked_at)
    return row["id"] if row else None
