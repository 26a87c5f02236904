"""Revisions that move rows: what was stored before is there after, under who owns no server."""

from uuid import UUID

import asyncpg
import pytest

from trackai.analytics.verify import Days, verify
from trackai.model.clock import SystemClock
from trackai.storage.migrate import migrate
from trackai.storage.pool import Database, Role
from trackai.storage.recounts import RECOUNTS

TENANT = "00000000-0000-7000-8000-000000000001"
# A tenant with something in every table that a later revision moves or fills, as of 0012: a click
# of March and one of November, a lead, a webhook, the sale it told of, its match, delivery and try.
STORED = """
insert into tenants (id, name, site_key) values ('{id}', 'Loja', 'site');
insert into funnels (tenant_id, id, name) values ('{id}', '{id}', 'default');
insert into gateway_connections (tenant_id, id, funnel_id, gateway, endpoint_key, secrets_sealed)
  values ('{id}', '{id}', '{id}', 'kiwify', 'key', '');
insert into destinations (tenant_id, id, kind, pixel_id, token_sealed)
  values ('{id}', '{id}', 'meta', '1', '');
insert into clicks (tenant_id, click_id, received_at, fbp) values
  ('{id}', 'c1', '2026-03-01 00:30+00', 'fb.1.1.1'),
  ('{id}', 'c2', '2026-11-24 23:59:59.9+00', 'fb.1.1.2');
insert into page_events (tenant_id, kind, event_key, received_at)
  values ('{id}', 'lead', 'e1', '2026-11-25 00:00+00');
insert into webhook_receipts (tenant_id, id, connection_id, gateway, received_at, digest,
  body_sealed, request_sealed)
  values ('{id}', '{id}', '{id}', 'kiwify', '2026-11-25 10:00+00', 'd', 'b', 'r');
insert into conversions (tenant_id, id, gateway, transaction, connection_id, funnel_id, status,
  buyer_sealed, sold_at, first_seen_at, updated_at)
  values ('{id}', '{id}', 'kiwify', 't', '{id}', '{id}', 'approved', '', now(), now(), now());
insert into matches (tenant_id, conversion_id, strategy, click_id, found_click_id, tried,
  created_at) values ('{id}', '{id}', 'click_id', 'c1', 'c2', '[]', now());
insert into deliveries (tenant_id, id, conversion_id, destination_id, receipt_id, event_name,
  event_id, event_time, status, created_at)
  values ('{id}', '{id}', '{id}', '{id}', '{id}', 'Purchase', 'kiwify:t', now(), 'accepted', now());
insert into dispatch_attempts (tenant_id, id, delivery_id, destination_id, receipt_id, gateway,
  attempt, status, batch_id, batch_size, duration_ms, created_at) values ('{id}', '{id}', '{id}',
  '{id}', '{id}', 'kiwify', 1, 'accepted', '{id}', 1, 1, '2026-11-25 10:01+00');
insert into audit_logs (tenant_id, id, at, actor, action, subject, details)
  values ('{id}', '{id}', '2026-11-25 09:00+00', 'cli:ana', 'tenant.create', '{id}', '{{}}');
"""
BULK = ("clicks", "page_events", "webhook_receipts", "dispatch_attempts", "audit_logs")


@pytest.fixture
async def before(empty_database_url: str) -> str:
    """Return a database of the release before partitions, with rows."""
    await migrate(empty_database_url, target="0012_pre_tenant_keys")
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(STORED.format(id=TENANT))
    await connection.close()
    return empty_database_url


async def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    """Return what the people of the tenant find."""
    connection = await asyncpg.connect(url, server_settings={"role": "trackai_app"})
    async with connection.transaction():
        await connection.execute(f"set local app.tenant_id = '{TENANT}'")
        found = [tuple(row) for row in await connection.fetch(statement)]
    await connection.close()
    return found


async def test_rows_of_bulk_tables_are_moved_into_their_partitions(before: str) -> None:
    await migrate(before)

    parts = {
        table: await rows(
            before,
            f"select tableoid::regclass::text, day::text from {table} order by 2",  # noqa: S608
        )
        for table in BULK
    }
    assert parts == {
        "clicks": [
            ("clicks_365_20260301", "2026-03-01"),
            ("clicks_365_20261101", "2026-11-24"),
        ],
        "page_events": [("page_events_365_20261101", "2026-11-25")],
        "webhook_receipts": [("webhook_receipts_365_20261101", "2026-11-25")],
        "dispatch_attempts": [("dispatch_attempts_365_20261101", "2026-11-25")],
        "audit_logs": [("audit_logs_730_20261101", "2026-11-25")],
    }


async def test_what_later_questions_need_is_written_beside_the_sale(before: str) -> None:
    await migrate(before)

    (match,) = await rows(before, "select clicked_at::text, found_clicked_at::text from matches")
    (delivery,) = await rows(before, "select received_at::text from deliveries")
    assert match == ("2026-03-01 00:30:00+00", "2026-11-24 23:59:59.9+00")
    assert delivery == ("2026-11-25 10:00:00+00",)


# As of 0015: clicks with ads, a sale that is paid, one that is not, and a try, all of today; half
# of the counts folded.
COUNTED = """
update clicks set utm_source = 'FB', utm_campaign = 'Lançamento|55', received_at = now(),
  day = (now() at time zone 'UTC')::date where click_id = 'c1';
update matches set clicked_at = now() - interval '5 minutes';
insert into conversions (tenant_id, id, gateway, transaction, connection_id, funnel_id, status,
  buyer_sealed, sold_at, first_seen_at, updated_at, amount_minor, currency)
  values ('{id}', '{other}', 'kiwify', 'u', '{id}', '{id}', 'pending', '', now(), now(), now(),
  500, 'BRL');
insert into matches (tenant_id, conversion_id, strategy, tried, created_at)
  values ('{id}', '{other}', 'unmatched', '[]', now());
insert into dispatch_attempts (tenant_id, id, delivery_id, destination_id, funnel_id, receipt_id,
  gateway, attempt, status, batch_id, batch_size, duration_ms, received_at, owed_at, created_at,
  day, keep_days)
  values ('{id}', '{other}', '{id}', '{id}', '{id}', '{id}', 'kiwify', 2, 'accepted', '{other}', 1,
  1, now(), now(), now(), (now() at time zone 'UTC')::date, 365);
insert into rollup_sales
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, 'America/Sao_Paulo'), c.funnel_id, c.gateway,
  c.status, c.strategy, c.campaign_id, c.currency, sum(c.sales), sum(c.gross_minor),
  sum(c.refunded_minor)
from changed_sales c cross join (values ('day'), ('hour'), ('minute')) g (grain)
where c.status = 'approved' group by 1, 2, 3, 4, 5, 6, 7, 8, 9;
delete from changed_sales where status = 'approved';
insert into rollup_latency
select c.tenant_id, g.grain, date_trunc(g.grain, c.at, 'America/Sao_Paulo'), c.stage, c.gateway,
  c.bin, sum(c.number)
from changed_latency c cross join (values ('day'), ('hour'), ('minute')) g (grain)
where c.stage <> 'call' group by 1, 2, 3, 4, 5, 6;
delete from changed_latency where stage <> 'call';
"""


async def test_what_was_counted_before_ads_had_counts_of_their_own_stays_exact(
    before: str,
) -> None:
    await migrate(before, target="0015_pre_analytics_views")
    owner = await asyncpg.connect(before)
    await owner.execute(COUNTED.format(id=TENANT, other=TENANT[:-1] + "2"))
    await owner.close()
    await migrate(before)
    async with (
        Database.opened(before, Role.APP, size=1) as people,
        people.transaction(tenant_id=UUID(TENANT)) as tx,
    ):
        found = await verify(tx, tenant_id=UUID(TENANT), days=Days(300), now=SystemClock().now())
    campaigns = await rows(
        before,
        "select k.campaign, sum(c.clicks), sum(c.sales) from counted_campaigns c"
        " left join campaigns k using (tenant_id) where c.grain = 'day' and (k.id = c.campaign_id"
        " or c.campaign_id = '00000000-0000-0000-0000-000000000000') group by 1",
    )

    assert found.different == 0, found.compared
    counted = {one.rollup for one in found.compared if one.total}
    assert counted == RECOUNTS.keys() - {"ad_spend_weeks"}
    assert campaigns == [("Lançamento|55", 2, 1)]
    assert await rows(before, "select sales from v_match_rate_by_tenant") == [(1,)]
    assert len(await rows(before, "select date from analytics_metrics_daily")) >= 1


async def test_stored_words_that_name_a_person_go(before: str) -> None:
    await migrate(before, target="0021_pre_users")
    owner = await asyncpg.connect(before)
    await owner.execute(
        "insert into campaigns (tenant_id, id, source, medium, campaign, content) values"
        " ($1, $1, 'zap', '', '+55 11 98765-4321', '120210000000000001')",
        TENANT,
    )
    await owner.close()
    await migrate(before)

    assert await rows(before, "select source, campaign, content from campaigns") == [
        ("zap", "", "120210000000000001")
    ]
