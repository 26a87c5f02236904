"""Tables, indexes and views that people's own reports may count on keep their names."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.world import World

INDEXES = {
    "dispatch_attempts": "(tenant_id, status, created_at DESC",
    "matches": "(tenant_id, created_at DESC",
}
VIEWS = {
    "v_dispatch_summary": {"status", "gateway", "count"},
    "v_match_rate_by_tenant": {"tenant_id", "date", "match_rate"},
    "analytics_metrics_daily": {
        *("tenant_id", "date", "total_events", "successful", "failed", "dead_lettered"),
        *("match_rate", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "peak_per_minute"),
    },
}


@pytest.mark.parametrize("table", INDEXES)
async def test_the_index_is_there(world: "World", table: str) -> None:
    async with world.workers.transaction() as tx:
        rows = await tx.fetch("select indexdef from pg_indexes where tablename = $1", table)

    assert [row for row in rows if INDEXES[table] in row["indexdef"]]


@pytest.mark.parametrize("view", VIEWS)
async def test_the_view_has_its_columns(world: "World", view: str) -> None:
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        rows = await tx.fetch(
            "select column_name as name from information_schema.columns where table_name = $1", view
        )

    assert {row["name"] for row in rows} >= VIEWS[view]
