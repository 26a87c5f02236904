"""Whatever rules and dashboard ask for is there at /metrics, and what is there is well-formed."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from tests.alarms.conftest import evaluator_of
from tests.monitoring.conftest import place_in
from tests.support.program import PATIENCE_S, Place

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.engines.grafana import expressions
from trackai.alarms.engines.prometheus import RECORDED, render_rules
from trackai.alarms.sampler import Process, Sampler
from trackai.analytics.performance import STAGES
from trackai.model.alarm import OF_PROCESSES, Fact, Metric, State
from trackai.storage.up_hours import Part
from trackai.telemetry.exposition import Exposition
from trackai.telemetry.metrics import ALARMS as ALARMS_SHOWN
from trackai.telemetry.metrics import FACTS, MEASURED, MEASURED_AT, REQUEST_SECONDS

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.monitoring.conftest import Check
    from tests.support.world import World

# Rules are evaluated over what is read; these are of Prometheus itself.
OF_PROMETHEUS = {"up", "ALERTS"}
RULES = render_rules(place_in(), ALARMS.values())
ASKED = [RULES, *expressions()]
NAME = re.compile(r"\b(trackai_[a-z_]+|trackai:[a-z:]+)\b")
LABEL = re.compile(r'\b(metric|fact|stage|state|alarm)=~?"([a-z0-9_|]+)"')
LOOKED = "trackai_measured_timestamp_seconds"


def names() -> set[str]:
    """Return every gauge, counter and histogram that is asked for."""
    found = {name for text in ASKED for name in NAME.findall(text)}
    assert found & set(RECORDED) == set(RECORDED)
    return found - set(RECORDED)


def shown_in(page: str) -> dict[str, Family]:
    """Return the names that a page's samples may have, each with its family."""
    return {
        name: family
        for family in text_string_to_metric_families(page)
        for name in (family.name, *_ends(family))
    }


def _ends(family: Family) -> Iterator[str]:
    if family.type == "counter":
        yield f"{family.name}_total"
    if family.type == "histogram":
        yield from (f"{family.name}_{end}" for end in ("bucket", "count", "sum"))


async def page_of(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def ticked(sampler: Sampler) -> None:
    """Wait until it has looked at its process since the last sample."""
    async with asyncio.timeout(PATIENCE_S):
        while not sampler._ticks.number:  # noqa: ASYNC110 - a count has no event to wait for
            await asyncio.sleep(0.01)


async def looked(world: "World") -> None:
    """Let one process measure itself and look at every alarm."""
    process = Process("test", Part.SERVE, [world.workers], Path("/not/there"), keeps_reports=True)
    sampler = Sampler(process, world.edge, world.clock)
    async with sampler.running():
        await ticked(sampler)
        await sampler.write()
    await evaluator_of(world).step()


async def test_everything_that_is_asked_for_is_shown(world: "World", serve: "Serve") -> None:
    await looked(world)
    shown = shown_in(await page_of(f"{await serve(Exposition())}/metrics"))

    assert set() == names() - set(shown)
    assert {"fact", "metric", "state"} <= {
        label for text in ASKED for label, _ in LABEL.findall(text)
    }


async def test_the_page_is_as_prometheus_wants_it(
    world: "World", serve: "Serve", promtool: "Check"
) -> None:
    REQUEST_SECONDS.labels("pages", "/events").observe(0.1)
    await looked(world)
    page = await page_of(f"{await serve(Exposition())}/metrics")
    found = promtool("check", "metrics", said=page)

    assert "" == found.stderr + found.stdout
    assert 0 == found.returncode
    assert re.search(r'^trackai_measured\{metric="queue_depth"\} 0\.0$', page, re.MULTILINE)
    assert re.search(r'^trackai_alarms\{alarm="queue_depth",state="ok"\} 1\.0$', page, re.MULTILINE)
    assert re.search(r'^trackai_process\{metric="cpu_percent",part="serve"\}', page, re.MULTILINE)
    assert re.search(r'^trackai_fact\{fact="dead_letters_all"\} 0\.0$', page, re.MULTILINE)


async def test_a_process_that_looked_once_forgets_it(
    world: "World", serve: "Serve", monkeypatch: pytest.MonkeyPatch
) -> None:
    await looked(world)
    url = f"{await serve(Exposition())}/metrics"
    soon = await page_of(url)
    for gauge in (MEASURED, MEASURED_AT, ALARMS_SHOWN, FACTS):
        now = gauge._monotonic
        monkeypatch.setattr(gauge, "_monotonic", lambda now=now: now() + 76)
    late = await page_of(url)
    said = re.compile(
        r"^trackai_(measured|measured_timestamp_seconds|alarms|fact)[{ ]", re.MULTILINE
    )

    assert {"measured", "measured_timestamp_seconds", "alarms", "fact"} == set(said.findall(soon))
    assert [] == said.findall(late)
    assert "trackai_process{" in late


def test_no_label_is_asked_for_that_nobody_says() -> None:
    known: dict[str, set[str]] = {
        "metric": set(Metric),
        "fact": set(Fact),
        "stage": set(STAGES),
        "state": set(State),
        "alarm": set(ALARMS),
    }
    asked = {
        (label, one)
        for text in ASKED
        for label, ones in LABEL.findall(text)
        for one in ones.split("|")
    }

    assert [] == sorted((label, one) for label, one in asked if one not in known[label])
    assert set(Fact) <= {one for label, one in asked if label == "fact"}


async def test_what_processes_say_of_themselves_is_compared_by_process(world: "World") -> None:
    process = Process("test", Part.SERVE, [world.workers], Path("/not/there"), keeps_reports=True)
    sampler = Sampler(process, world.edge, world.clock)
    async with sampler.running():
        await ticked(sampler)
        await sampler.sample()
        for _ in range(100):
            REQUEST_SECONDS.labels("edge", "/t.js").observe(0.1)
        await ticked(sampler)
        found = await sampler.sample()

    assert OF_PROCESSES == set(found)


def test_every_expression_is_one_that_prometheus_understands(
    promtool: "Check", tmp_path: Path
) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query} for number, query in enumerate(expressions())
    ]
    path = tmp_path / "panels.yml"
    path.write_text(_filled(json.dumps({"groups": [{"name": "panels", "rules": rules}]})))
    found = promtool("check", "rules", path)

    assert 0 == found.returncode, found.stdout + found.stderr
    assert f"SUCCESS: {len(rules)} rules found" in found.stdout


def _filled(text: str) -> str:
    """Return what Grafana asks for, with its variables filled in."""
    filled = text.replace("$__rate_interval", "5m").replace("$job", "trackai")
    assert "$" not in filled
    return filled


@pytest.fixture
def place(tmp_path: Path, fresh_database_url: str) -> Place:
    return Place(tmp_path, fresh_database_url)


async def test_processes_of_their_own_show_it_between_them(place: Place) -> None:
    place.variables["TRACKAI_METRICS_PORT"] = "0"
    with ExitStack() as stack:
        server = stack.enter_context(place.start("serve", "--port", "0"))
        worker = stack.enter_context(place.start("worker"))
        pages = [await asyncio.to_thread(one.wait_for, "metrics") for one in (server, worker)]
        urls = [line["address"] for line in pages]
        async with asyncio.timeout(2 * PATIENCE_S):
            while True:
                served, worked = [await page_of(url) for url in urls]
                if f"\n{LOOKED} " in worked and all(
                    "\ntrackai_process{" in one for one in (served, worked)
                ):
                    break
                await asyncio.sleep(0.5)

    assert set() == names() - set(shown_in(served)) - set(shown_in(worked))
    assert 'part="serve"' in served
    assert 'part="work"' in worked
