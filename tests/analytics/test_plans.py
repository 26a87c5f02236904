"""What people ask is answered from counts: no plan looks at the rows that were counted."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from trackai.model.clock import new_id
from trackai.storage import counts, events, sales

if TYPE_CHECKING:
    from tests.support.world import World

COUNTS = ("rollup_", "changed_", "campaigns", "tenants")
VIEWS = ("v_dispatch_summary", "v_match_rate_by_tenant", "analytics_metrics_daily")
QUESTIONS = {
    name: text for name, text in vars(counts).items() if name.startswith(("SUM_", "LIST_"))
}


def relations(plan: Any) -> Iterator[str]:
    """Yield the names of all tables that a plan looks at."""
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Relation Name"]
        for part in plan.values():
            yield from relations(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from relations(part)


async def plan_of(world: "World", statement: str, *values: object) -> set[str]:
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        (row,) = await tx.fetch(f"explain (format json) {statement}", *values)
    plan = row["QUERY PLAN"]
    return set(relations(json.loads(plan) if isinstance(plan, str) else plan))


@pytest.mark.parametrize("grain", counts.GRAINS)
@pytest.mark.parametrize("name", sorted(QUESTIONS))
async def test_no_question_looks_at_what_was_counted(world: "World", name: str, grain: str) -> None:
    now = world.clock.now()
    span = counts.Span(grain, now - dt.timedelta(days=30), now)
    asked = counts.Asked(new_id(), [span], span.since, span.until)
    last = {"SUM_LATENCY": ["whole"], "LIST_LATENCY": "whole"}.get(name)
    more = [grain] if name.startswith("LIST_") else []
    values = (*asked.values(), last, *more, None)
    wanted = max(int(one) for one in re.findall(r"\$(\d+)", QUESTIONS[name]))
    found = await plan_of(world, QUESTIONS[name], *values[:wanted])

    assert found
    assert [one for one in found if not one.startswith(COUNTS)] == []


def conditions(plan: Any) -> Iterator[tuple[str, str]]:
    """Yield (table, what its index is asked) of all that looks into an index."""
    if isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Relation Name"], plan.get("Index Cond", "")
        for part in plan.values():
            yield from conditions(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from conditions(part)


@pytest.mark.parametrize(
    ("name", "rollup", "asked"),
    [
        ("SUM_TOTALS", "rollup_totals", {"tenant_id", "grain", "funnel_id", "gateway", "at"}),
        ("LIST_TOTALS", "rollup_totals", {"tenant_id", "grain", "funnel_id", "gateway", "at"}),
        ("SUM_LATENCY", "rollup_latency", {"tenant_id", "grain", "stage", "gateway", "at"}),
        ("LIST_LATENCY", "rollup_latency", {"tenant_id", "grain", "stage", "gateway", "at"}),
    ],
)
async def test_a_filter_reaches_the_index_under_row_level_security(
    world: "World", name: str, rollup: str, asked: set[str]
) -> None:
    types = ["uuid", *["timestamptz[]"] * 8, "timestamptz", "timestamptz", "text"]
    types += {
        "SUM_TOTALS": ["uuid"],
        "LIST_TOTALS": ["uuid", "text"],
        "SUM_LATENCY": ["text[]"],
        "LIST_LATENCY": ["text", "text"],
    }[name]
    nothing = ", ".join(["null"] * len(types))
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        # The plan of people's connections: made once, for any values.
        await tx.execute("set local plan_cache_mode = force_generic_plan")
        await tx.execute("set local enable_seqscan = off")
        await tx.execute("set local enable_bitmapscan = off")
        await tx.execute(f"prepare question ({', '.join(types)}) as {QUESTIONS[name]}")
        (row,) = await tx.fetch(f"explain (format json) execute question ({nothing})")
        await tx.execute("deallocate question")
    plan = row["QUERY PLAN"]
    found = [
        condition
        for table, condition in conditions(json.loads(plan) if isinstance(plan, str) else plan)
        if table.startswith(rollup)
    ]

    assert len(found) == len(counts.GRAINS)
    for condition in found:
        assert {one for one in asked if re.search(rf"\b{one}\b", condition)} == asked


@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_looks_at_what_was_counted(world: "World", view: str) -> None:
    found = await plan_of(world, f"select * from {view}")  # noqa: S608 - as listed

    assert found
    assert [one for one in found if not one.startswith(COUNTS)] == []


# Lists look at rows: a bounded number of them, through an index, never through a table.
LISTS = {
    name: text
    for module in (events, sales)
    for name, text in vars(module).items()
    if name.startswith(("LIST_", "FIND_STOP"))
}


def nodes(plan: Any) -> Iterator[tuple[str, str]]:
    """Yield (kind of node, table) of all that looks at a table."""
    if isinstance(plan, dict):
        if "Relation Name" in plan:
            yield plan["Node Type"], plan["Relation Name"]
        for part in plan.values():
            yield from nodes(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from nodes(part)


@pytest.mark.parametrize("name", sorted(LISTS))
async def test_a_list_finds_its_rows_through_an_index(world: "World", name: str) -> None:
    now, of_tries = world.clock.now(), "ATTEMPTS" in name
    filters = (["accepted"], None, None, 10) if of_tries else (None, None, None, None, 10)
    values = (new_id(), now, new_id(), now - dt.timedelta(days=30), 10, *filters, "an-event")
    wanted = max(int(one) for one in re.findall(r"\$(\d+)", LISTS[name]))
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        # A table of a few rows is read whole, whatever indexes it has.
        await tx.execute("set local enable_seqscan = off")
        (row,) = await tx.fetch(f"explain (format json) {LISTS[name]}", *values[:wanted])
    plan = row["QUERY PLAN"]
    found = list(nodes(json.loads(plan) if isinstance(plan, str) else plan))

    assert found
    assert [one for one in found if "Seq Scan" in one[0]] == []
