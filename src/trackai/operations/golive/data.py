"""Items of data and of what flows: tenants, funnels, sales, numbers, smoke tests, baselines."""

import datetime as dt
from collections.abc import Mapping, Sequence

from trackai.analytics.verify import Days, verify
from trackai.model.golive import Evidence
from trackai.operations.baseline import compare, regressions
from trackai.operations.golive.look import Look
from trackai.storage import baselines, golive_facts, sessions, smoke_runs
from trackai.storage.smoke_runs import SmokeRun

# How far back anything is looked for.
FAR = dt.timedelta(days=30)
# Tenants whose numbers are counted again, and days of each: an item, not an audit.
MOST_TENANTS, DAYS = 20, 2


async def tenant(look: Look) -> Evidence:
    """Count tenants that are customers."""
    async with look.workers.transaction() as tx:
        found = await golive_facts.count_tenants_all_tenants(tx, look.practice)
    if not found["tenants"]:
        return look.bad("tenant_none")
    return look.good("tenant_ok", tenants=found["tenants"], since=found["since"])


async def funnel(look: Look) -> Evidence:
    """Ask whether a funnel with a pixel had a webhook that proved authentic."""
    async with look.workers.transaction() as tx:
        found = await golive_facts.count_tried_funnels_all_tenants(
            tx, look.practice, since=look.clock.now() - FAR
        )
    if not found["funnels"]:
        return look.bad("funnel_none")
    last = found["last"]
    return look.good("funnel_ok", last, funnels=found["funnels"], last=last)


async def sample(look: Look) -> Evidence:
    """Ask the last smoke test whether its click became a sale."""
    return await _step(look, "conversion", "sample_ok")


async def visible(look: Look) -> Evidence:
    """Ask the last smoke test whether the API showed its sale."""
    return await _step(look, "dashboard", "visible_ok")


async def smoke(look: Look) -> Evidence:
    """Ask whether the last smoke test went all the way; one that failed since then counts."""
    async with look.workers.transaction() as tx:
        last = await smoke_runs.find_last(tx)
    if last is None or last.finished_at is None:
        return look.bad("smoke_none")
    broken = next((one for one in last.steps if not one["ok"]), None)
    if broken is not None:
        return _failed(look, last, broken)
    took_ms = round(sum(float(str(one["ms"])) for one in last.steps))
    return look.good("smoke_ok", last.finished_at, steps=len(last.steps), ms=took_ms)


async def numbers(look: Look) -> Evidence:
    """Count again what pages show of customers who sold."""
    since = look.clock.now() - dt.timedelta(days=DAYS)
    buckets, different = 0, 0
    async with look.workers.transaction() as tx:
        selling = await golive_facts.list_selling_all_tenants(
            tx, look.practice, since=since, limit=MOST_TENANTS
        )
        for tenant_id in selling:
            found = await verify(tx, tenant_id=tenant_id, days=Days(DAYS), now=look.clock.now())
            buckets += sum(one.buckets for one in found.compared)
            different += found.different
    if not selling:
        return look.bad("numbers_none")
    if different:
        return look.bad("numbers_differ", different=different, buckets=buckets)
    sales = sum(selling.values())
    return look.good("numbers_ok", buckets=buckets, tenants=len(selling), sales=sales)


async def baseline(look: Look) -> Evidence:
    """Ask for the last baseline, and whether it is worse than the standard."""
    async with look.workers.transaction() as tx:
        newest = await baselines.list_baselines(tx, limit=1)
        standard = await baselines.find_standard(tx)
    if not newest:
        return look.bad("baseline_none")
    (last,) = newest
    figures = last.figures
    if figures.get("whole_p50_ms") is None:
        return look.bad("baseline_empty", last.made_at)
    if standard is not None and standard.id != last.id:
        worse = regressions(compare(standard.figures, figures))
        if worse:
            names = ", ".join(one.figure for one in worse)
            return look.bad("baseline_worse", last.made_at, figures=names)
    return look.good(
        "baseline_ok",
        last.made_at,
        minutes=round((last.until - last.since).total_seconds() / 60, 1),
        version=last.version,
        p50=_number(figures, "whole_p50_ms"),
        p95=_number(figures, "whole_p95_ms"),
        p99=_number(figures, "whole_p99_ms"),
        events=_number(figures, "events_per_minute"),
        errors=round(100 * _number(figures, "attempt_error_rate"), 2),
    )


async def customer(look: Look) -> Evidence:
    """Ask when somebody of a customer's team was last at their pages."""
    async with look.access.transaction() as tx:
        seen = await sessions.find_last_of_members_all_tenants(tx)
    return look.good("customer_ok", seen, last=seen) if seen else look.bad("customer_none")


async def first_click(look: Look) -> Evidence:
    """Ask for a customer's sale that was matched to a click."""
    async with look.workers.transaction() as tx:
        found = await golive_facts.find_last_matched_all_tenants(
            tx, look.practice, since=look.clock.now() - FAR
        )
    if found is None:
        return look.bad("first_click_none")
    at = found["created_at"]
    return look.good("first_click_ok", at, strategy=found["strategy"], when=at)


async def events(look: Look) -> Evidence:
    """Ask for a click, a webhook and a delivery of customers; the evidence is of the oldest."""
    async with look.workers.transaction() as tx:
        found = await golive_facts.find_last_events_all_tenants(
            tx, look.practice, since=look.clock.now() - dt.timedelta(days=1)
        )
    known = {name: at for name, at in found.items() if at is not None}
    missing = sorted(found.keys() - known.keys())
    if missing:
        return look.bad("events_none", missing=", ".join(missing))
    return look.good("events_ok", min(known.values()), **known)


async def _step(look: Look, name: str, said: str) -> Evidence:
    async with look.workers.transaction() as tx:
        last = await smoke_runs.find_last(tx)
    if last is None or last.finished_at is None:
        return look.bad("smoke_none")
    step = _named(last.steps, name)
    if step is None or not step["ok"]:
        broken = next((one for one in last.steps if not one["ok"]), {"step": name, "found": "-"})
        return _failed(look, last, broken)
    return look.good(said, last.finished_at, found=str(step["found"]))


def _failed(look: Look, last: SmokeRun, step: Mapping[str, object]) -> Evidence:
    return look.bad(
        "smoke_failed", last.finished_at, step=str(step["step"]), found=str(step["found"])
    )


def _named(steps: Sequence[Mapping[str, object]], name: str) -> Mapping[str, object] | None:
    return next((one for one in steps if one["step"] == name), None)


def _number(figures: Mapping[str, float | None], name: str) -> float:
    return figures.get(name) or 0.0
