"""Table ad_spend: what ads cost, by day, as their platform says it."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from trackai.model.ad_spend import AdAccount, AdDay
from trackai.storage.pool import Row, Tx, columns

# What some ads cost on some days; said again it replaces what was said before.
SAVE_SPEND = """
insert into ad_spend (tenant_id, day, platform, account, campaign_id, campaign, ad_set_id, ad_set,
  ad_id, ad, currency, spent_minor, impressions, clicks, imported_at)
select $1, day, $2, $3, campaign_id, campaign, ad_set_id, ad_set, ad_id, ad, currency, spent_minor,
  impressions, clicks, $4
from unnest($5::date[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
  $12::text[], $13::bigint[], $14::bigint[], $15::bigint[])
  as said (day, campaign_id, campaign, ad_set_id, ad_set, ad_id, ad, currency, spent_minor,
    impressions, clicks)
on conflict (tenant_id, platform, account, day, campaign_key, ad_set_key, ad_key, currency)
do update set campaign = excluded.campaign, ad_set = excluded.ad_set, ad = excluded.ad,
  spent_minor = excluded.spent_minor, impressions = excluded.impressions, clicks = excluded.clicks,
  imported_at = excluded.imported_at
"""

# What an account spent on some days is forgotten; how much that was.
DELETE_SPEND = """
with gone as (
  delete from ad_spend
  where tenant_id = $1 and platform = $2 and account = $3 and day between $4 and $5
  returning currency, spent_minor
)
select currency, count(*) as rows, sum(spent_minor)::bigint as spent_minor
from gone group by currency order by currency
"""

# What an account spent on some days, as far as it was stored before $6.
SUM_ACCOUNT = """
select currency, count(*) as rows, sum(spent_minor)::bigint as spent_minor
from ad_spend
where tenant_id = $1 and platform = $2 and account = $3 and day between $4 and $5
  and ($6::timestamptz is null or imported_at < $6)
group by currency order by currency
"""

# What ads cost from a day, $2, to another, $3, by ad; what they are called now first. Weeks from $4
# to $5 are read as such, days before and after them by themselves; names once an ad.
SUM_SPEND = """
with sums as materialized (
  select words_id, sum(spent_minor)::bigint as spent_minor from (
    select words_id, spent_minor from ad_spend_weeks
    where tenant_id = $1 and week >= $4 and week < $5
    union all
    select words_id, spent_minor from ad_spend where tenant_id = $1 and day >= $2 and day < $4
    union all
    select words_id, spent_minor from ad_spend where tenant_id = $1 and day >= $5 and day <= $3
  ) c
  group by words_id
)
select a.campaign_id, a.campaign, a.ad_set_id, a.ad_set, a.ad_id, a.ad, a.currency, s.spent_minor
from sums s cross join lateral (
  select * from ad_spend
  where tenant_id = $1 and words_id = s.words_id and day between $2 and $3
  order by day desc limit 1
) a
order by a.day desc, a.campaign, a.campaign_id, a.ad_set, a.ad_set_id, a.ad, a.ad_id
"""

# What is there: each account's days and sums.
LIST_ACCOUNTS = """
select platform, account, currency, count(*) as rows, min(day) as first_day, max(day) as last_day,
  sum(spent_minor)::bigint as spent_minor, max(imported_at) as imported_at
from ad_spend where tenant_id = $1 group by platform, account, currency order by 1, 2, 3
"""


async def save_spend(tx: Tx, account: AdAccount, days: Sequence[AdDay], *, now: dt.datetime) -> int:
    """Store what was spent, each ad and day once; return how many rows."""
    if not days:
        return 0
    rows = [
        (
            *(one.day, one.campaign_id, one.campaign, one.ad_set_id, one.ad_set, one.ad_id, one.ad),
            *(one.currency, one.spent_minor, one.impressions, one.clicks),
        )
        for one in days
    ]
    whose = (account.tenant_id, account.platform, account.account, now)
    return await tx.execute(SAVE_SPEND, *whose, *columns(rows))


async def delete_spend(
    tx: Tx, account: AdAccount, *, since: dt.date, until: dt.date
) -> Sequence[Row]:
    """Forget what an account spent from a day to another, both included; return it by currency."""
    whose = (account.tenant_id, account.platform, account.account)
    return await tx.fetch(DELETE_SPEND, *whose, since, until)


async def sum_account(
    tx: Tx,
    account: AdAccount,
    *,
    since: dt.date,
    until: dt.date,
    before: dt.datetime | None = None,
) -> Sequence[Row]:
    """Return rows and money by currency, from a day to another; `before`: stored before that."""
    whose = (account.tenant_id, account.platform, account.account)
    return await tx.fetch(SUM_ACCOUNT, *whose, since, until, before)


async def sum_spend(tx: Tx, *, tenant_id: UUID, since: dt.date, until: dt.date) -> Sequence[Row]:
    """Return what each ad cost from a day to another, both included."""
    weeks = whole_weeks(since, until)
    return await tx.fetch(SUM_SPEND, tenant_id, since, until, *weeks)


def whole_weeks(since: dt.date, until: dt.date) -> tuple[dt.date, dt.date]:
    """Return Mondays: of the first week that lies within these days, and after the last one.

    Without any week both are the day after `until`.
    """
    after = until + dt.timedelta(days=1)
    first = since + dt.timedelta(days=-since.weekday() % 7)
    last = after - dt.timedelta(days=after.weekday())
    return (first, last) if first < last else (after, after)


async def list_accounts(tx: Tx, *, tenant_id: UUID) -> Sequence[Row]:
    """Return what was imported, by account and currency."""
    return await tx.fetch(LIST_ACCOUNTS, tenant_id)
