"""Revisions that move rows: what was stored before is there after, under who owns no server."""

import asyncpg
import pytest

from trackai.storage.migrate import migrate

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
