"""Table matches: one decision a conversion, with every rung that was tried."""

import datetime as dt
from uuid import UUID

import msgspec

from trackai.model.conversion import Conversion
from trackai.model.match import Decision, Match, MatchStrategy, Tried
from trackai.storage.pool import Row, Tx

# The decision of a conversion, new or better than before; its ad outlives its click.
SAVE_MATCH = """
insert into matches (tenant_id, conversion_id, strategy, click_id, clicked_at, found_click_id,
  found_clicked_at, tried, created_at, campaign_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce((
  select k.campaign_id from clicks k
  where k.tenant_id = $1 and k.click_id = $4
    and k.day = ($5::timestamptz at time zone 'UTC')::date limit 1
), '00000000-0000-0000-0000-000000000000'))
on conflict (tenant_id, conversion_id) do update set
  strategy = excluded.strategy, click_id = excluded.click_id, clicked_at = excluded.clicked_at,
  found_click_id = excluded.found_click_id, found_clicked_at = excluded.found_clicked_at,
  tried = excluded.tried,
  created_at = excluded.created_at,
  campaign_id = case when excluded.click_id = matches.click_id then matches.campaign_id
    else excluded.campaign_id end
"""

# How a conversion is matched so far.
FIND_DECISION = """
select strategy, coalesce(found_click_id, click_id) as click_id
from matches where tenant_id = $1 and conversion_id = $2
"""

# When to look again, because a click may come late; null: never.
SET_LOOK_AGAIN = """
update matches set look_again_at = $3 where tenant_id = $1 and conversion_id = $2
"""

# A sale whose click may have come since, whoever's it is; left to whoever has it. Sale and match
# are both held: who writes a match holds its sale, so that counts see either as the other left it.
CLAIM_TO_LOOK_AGAIN_ALL_TENANTS = """
select m.tenant_id, m.conversion_id
from matches m join conversions c on c.tenant_id = m.tenant_id and c.id = m.conversion_id
where m.look_again_at <= $1
order by m.look_again_at limit 1 for no key update skip locked
"""

# The click of a subscription's earliest charge that has one.
FIND_FIRST_OF_SUBSCRIPTION = """
select m.click_id
from conversions c join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
where c.tenant_id = $1 and c.gateway = $2 and c.subscription = $3 and c.id <> $4
  and m.click_id is not null
order by c.recurrence, c.sold_at limit 1
"""

# All that is known of how a conversion was matched.
FIND_EXPLANATION = """
select m.strategy, m.click_id, m.found_click_id, m.tried, m.created_at, m.look_again_at,
  f.name as funnel, f.attribution_window_h, f.attribution, f.visitor_window_min,
  c.id as conversion_id, c.gateway, c.transaction, c.status, c.sold_at, c.recurrence,
  m.clicked_at, k.utm_source, k.utm_campaign, k.utm_content, k.page_url
from conversions c
join funnels f on f.tenant_id = c.tenant_id and f.id = c.funnel_id
left join matches m on m.tenant_id = c.tenant_id and m.conversion_id = c.id
left join lateral (
  select * from clicks k
  where k.tenant_id = m.tenant_id and k.click_id = m.click_id
    and k.day = (m.clicked_at at time zone 'UTC')::date limit 1
) k on true
where c.tenant_id = $1 and (c.id = $2 or (c.gateway = $3 and c.transaction = $4))
"""


async def save_match(
    tx: Tx, match: Match, *, tenant_id: UUID, conversion_id: UUID, now: dt.datetime
) -> None:
    """Store the decision, and which ad its click came from; the caller holds the sale."""
    click = match.click
    found = match.found
    if found is not None and click is not None and found.click_id == click.click_id:
        found = None
    await tx.execute(
        SAVE_MATCH,
        tenant_id,
        conversion_id,
        match.strategy.value,
        *((click.click_id, click.clicked_at) if click else (None, None)),
        *((found.click_id, found.clicked_at) if found else (None, None)),
        msgspec.to_builtins(match.tried),
        now,
    )


async def find_decision(tx: Tx, *, tenant_id: UUID, conversion_id: UUID) -> Decision | None:
    """Return how the conversion is matched so far, by the click that was found."""
    row = await tx.fetch_one(FIND_DECISION, tenant_id, conversion_id)
    return Decision(MatchStrategy(row["strategy"]), row["click_id"]) if row else None


async def set_look_again(
    tx: Tx, *, tenant_id: UUID, conversion_id: UUID, at: dt.datetime | None
) -> None:
    """Note when to look for a late click."""
    await tx.execute(SET_LOOK_AGAIN, tenant_id, conversion_id, at)


async def claim_to_look_again_all_tenants(tx: Tx, *, now: dt.datetime) -> tuple[UUID, UUID] | None:
    """Return (tenant, conversion) of a sale to look at again, ours until the commit."""
    row = await tx.fetch_one(CLAIM_TO_LOOK_AGAIN_ALL_TENANTS, now)
    return (row["tenant_id"], row["conversion_id"]) if row else None


async def find_first_of_subscription(
    tx: Tx, conversion: Conversion, *, subscription: str
) -> str | None:
    """Return the click id of the subscription's first charge that has one."""
    row = await tx.fetch_one(
        FIND_FIRST_OF_SUBSCRIPTION,
        *(conversion.tenant_id, conversion.gateway, subscription, conversion.id),
    )
    return row["click_id"] if row else None


async def find_explanation(
    tx: Tx, *, tenant_id: UUID, conversion: "UUID | tuple[str, str]"
) -> Row | None:
    """Return what is known of a match, by conversion id or by (gateway, transaction)."""
    if isinstance(conversion, UUID):
        return await tx.fetch_one(FIND_EXPLANATION, tenant_id, conversion, None, None)
    return await tx.fetch_one(FIND_EXPLANATION, tenant_id, None, *conversion)


def tried_of(stored: object) -> tuple[Tried, ...]:
    """Return the rungs from their jsonb."""
    return msgspec.convert(stored, tuple[Tried, ...])
