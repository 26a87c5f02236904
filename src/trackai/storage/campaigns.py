"""Table campaigns: what the addresses of ads said that clicks came from.

A statement that stores clicks `new` notes their ads with ADS_OF_NEW and joins them by AD_OF_NEW.
"""

# A page is open to all: so many ads that were never seen before, a tenant and day; others beyond.
MOST_NEW_A_DAY = 5000

# What an address says of its ad, as one text, so that equal ones are looked at once.
AD_OF_NEW = (
    "jsonb_build_array(new.utm_source, new.utm_medium, new.utm_campaign, new.utm_content)::text"
)

# `ads`: the campaign of whatever these clicks' addresses say; those that were never seen are noted.
# Words are looked at once an ad (materialized): once a click and use they cost more than the rows.
ADS_OF_NEW = f"""words as materialized (
  select tenant_id, {AD_OF_NEW} as said,
    trackai_campaign_word(utm_source) as source, trackai_campaign_word(utm_medium) as medium,
    trackai_campaign_word(utm_campaign) as campaign, trackai_campaign_word(utm_content) as content
  from (
    select distinct tenant_id, utm_source, utm_medium, utm_campaign, utm_content from new
    where coalesce(utm_source, utm_medium, utm_campaign, utm_content) is not null
  ) new
), named as (
  select w.*, trackai_campaign_id(source, medium, campaign, content) as id
  from words w where (source, medium, campaign, content) <> ('', '', '', '')
), ads as (
  select n.*, k.id is null as fresh,
    case when k.id is not null or (
        select count(*) < {MOST_NEW_A_DAY} from campaigns c
        where c.tenant_id = n.tenant_id and c.noted_on = current_date)
      then n.id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end as campaign_id
  from named n left join campaigns k on k.tenant_id = n.tenant_id and k.id = n.id
), noted as (
  insert into campaigns (tenant_id, id, source, medium, campaign, content)
  select distinct tenant_id, id, source, medium, campaign, content
  from ads where fresh and campaign_id = id
  order by tenant_id, id on conflict do nothing
)"""  # noqa: S608 - constants' text
