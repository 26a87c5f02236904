"""Table conversions as people page through it: by when they were sold, the newest first.

As with events, a page looks at a bounded number of rows, and says where it stopped.
"""

import datetime as dt
from uuid import UUID

from trackai.storage.events import Lists, Page, Place, Wanted, list_after, list_before
from trackai.storage.pool import Tx

# Of every statement: $1 tenant; $2 and $3 where to go on from; $4 since when; $5 rows to look at.
_OF_SALES = "tenant_id = $1 and (sold_at, id) < ($2, $3) and sold_at >= $4"
_OF_LATER = "tenant_id = $1 and (sold_at, id) > ($2, $3) and sold_at < $4"
_NEWEST = "order by sold_at desc, id desc"

# What is looked at of a sale: nothing that is sealed.
_LOOKED_AT = """c.tenant_id, c.id, c.sold_at, c.gateway, c.transaction, c.funnel_id, c.status,
  c.amount_minor, c.currency, c.refunded_minor, c.product_id, c.product_name, c.quantity,
  c.recurrence, c.bought_before"""

# A sale with its match, its ad and the first event that is owed for it.
_SALE = """c.id, c.sold_at, c.gateway, c.transaction, c.funnel_id, c.status, c.amount_minor,
  c.currency, trackai_refunded(c.status, c.amount_minor, c.refunded_minor) as refunded_minor,
  c.product_id, c.product_name, c.quantity, c.recurrence, c.bought_before, m.strategy, m.click_id,
  m.clicked_at, k.source, k.medium, k.campaign, k.content, (
    select d.id from deliveries d where d.tenant_id = c.tenant_id and d.conversion_id = c.id
    order by d.created_at, d.id limit 1) as delivery_id
from scanned c
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join campaigns k on k.tenant_id = m.tenant_id and k.id = m.campaign_id"""

# Of those looked at, the ones that are wanted.
_WANTED = """where ($6::text is null or c.gateway = $6) and ($7::uuid is null or c.funnel_id = $7)
  and ($8::text is null or c.status = $8) and ($9::text is null or k.campaign = $9)"""

# Sales with their match and ad.
LIST_SALES = f"""
with scanned as materialized (
  select {_LOOKED_AT} from conversions c where {_OF_SALES} {_NEWEST} limit $5
)
select {_SALE}
{_WANTED} order by c.sold_at desc, c.id desc limit $10
"""  # noqa: S608 - constants' text

# The same of one event id, which is gateway:transaction, or of one transaction; each gateway's is
# looked up by itself (offset 0), by what is unique.
LIST_SALES_BY_ID = f"""
with scanned as materialized (
  select {_LOOKED_AT}
  from (select distinct gateway from gateway_connections where tenant_id = $1) g
  cross join lateral (values ($11),
    (case when starts_with($11, g.gateway || ':') then substr($11, length(g.gateway) + 2) end)
  ) n (transaction)
  cross join lateral (
    select c.* from conversions c
    where c.tenant_id = $1 and c.gateway = g.gateway and c.transaction = n.transaction offset 0
  ) c
  where (c.sold_at, c.id) < ($2, $3) and c.sold_at >= $4 limit $5
)
select {_SALE}
{_WANTED} order by c.sold_at desc, c.id desc limit $10
"""  # noqa: S608 - constants' text

# Where a page that looked at all it may has stopped.
FIND_STOP_OF_SALES = f"""
select sold_at, id from conversions where {_OF_SALES} {_NEWEST} offset $5 - 1 limit 1
"""  # noqa: S608 - constants' text

# The other way: sales that were made after a place, the oldest of them first; $4 until when.
LIST_LATER_SALES = f"""
with scanned as materialized (
  select {_LOOKED_AT} from conversions c where {_OF_LATER} order by sold_at, id limit $5
)
select {_SALE}
{_WANTED} order by c.sold_at, c.id limit $10
"""  # noqa: S608 - constants' text

# Where that has stopped.
FIND_STOP_OF_LATER_SALES = f"""
select sold_at, id from conversions where {_OF_LATER}
order by sold_at, id offset $5 - 1 limit 1
"""  # noqa: S608 - constants' text


_SALES = Lists(
    *("sold_at", LIST_SALES, LIST_SALES_BY_ID, FIND_STOP_OF_SALES),
    *(LIST_LATER_SALES, FIND_STOP_OF_LATER_SALES),
)


async def list_sales(tx: Tx, wanted: Wanted, after: Place, *, tenant_id: UUID, limit: int) -> Page:
    """Return a page of sales that were made before a place, whatever became of them.

    `wanted.event_id` may be a transaction, too.
    """
    return await list_before(tx, _SALES, wanted, after, tenant_id=tenant_id, limit=limit)


async def list_later_sales(
    tx: Tx, wanted: Wanted, before: Place, *, tenant_id: UUID, until: dt.datetime, limit: int
) -> Page:
    """Return the page of sales that were made next after a place, the newest first.

    Its `next` goes on to what is newer still. `wanted.event_id` is not looked at.
    """
    place = (before, until)
    return await list_after(tx, _SALES, wanted, place, tenant_id=tenant_id, limit=limit)
