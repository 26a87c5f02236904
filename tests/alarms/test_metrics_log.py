"""What is written to standard output while the program works, on a real database."""

import asyncio
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

from tests.unit.alarms.test_emf import problems

from trackai.alarms import sampler as sampling
from trackai.alarms.catalogue import ALARMS
from trackai.alarms.engines.cloudwatch import Place
from trackai.alarms.evaluator import Evaluator, Really, Watch
from trackai.alarms.flow import flow_of
from trackai.alarms.metrics_log import MetricsLog, open_metrics_log
from trackai.alarms.sampler import Process, Sampler
from trackai.housekeeping.rollups import Folder
from trackai.model.alarm import OF_PROCESSES, Metric
from trackai.model.clock import new_id
from trackai.model.flow import Flow
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.alarm_samples import insert_samples
from trackai.storage.pool import Database, Role
from trackai.storage.up_hours import Part

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from tests.support.world import World

PLACE = Place("test", "https://track.example.com")


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines so far, all of them valid."""
    lines = stream.getvalue().splitlines()
    assert [] == [problem for line in lines for problem in problems(line)]
    return [json.loads(line) for line in lines]


def evaluator_of(world: "World", log: MetricsLog | None) -> Evaluator:
    watch = Watch(ALARMS, Really(ALARMS, ["fold"]), "test", log=log)
    return Evaluator(world.workers, watch, world.clock, new_id)


async def flow(world: "World") -> dict[Flow, float]:
    await Folder(world.workers, world.clock).step()
    async with world.workers.transaction() as tx:
        return await flow_of(tx, world.clock.now())


async def test_each_look_at_the_alarms_writes_one_line(world: "World") -> None:
    stream = io.StringIO()
    evaluator = evaluator_of(world, MetricsLog(PLACE, stream))
    await evaluator.step()
    await evaluator.step()
    first, second = lines_of(stream)

    assert ("installation", 1.0) == (first["about"], first["evaluations"])
    assert {"dead_letters", "dead_letters_all", "queue_depth", "oldest_webhook_s"} <= first.keys()
    assert first.keys() == second.keys()


async def test_what_a_process_says_of_itself_the_others_do_not_repeat(world: "World") -> None:
    stream = io.StringIO()
    async with world.edge.transaction() as tx:
        await insert_samples(tx, "one", {Metric.CPU_PERCENT: 99.0}, at=world.clock.now())
    await evaluator_of(world, MetricsLog(PLACE, stream)).step()
    (line,) = lines_of(stream)

    assert set() == {name.value for name in OF_PROCESSES} & line.keys()


async def test_no_tenant_is_named(world: "World") -> None:
    stream = io.StringIO()
    await evaluator_of(world, MetricsLog(PLACE, stream)).step()

    tenant = world.account.tenant
    assert str(tenant.id) not in stream.getvalue()
    assert tenant.name not in stream.getvalue()


async def test_dead_letters_are_of_the_worst_tenant_and_of_all(world: "World") -> None:
    stream = io.StringIO()
    other = await world.open_account("Outra")
    for account, number in ((world.account, 1), (other, 2)):
        for _ in range(number):
            await world.tell("kiwify", world.sale(), SaleStatus.APPROVED, account=account)
    async with world.workers.transaction() as tx:
        await tx.execute("update deliveries set status = 'dead'")
    await evaluator_of(world, MetricsLog(PLACE, stream)).step()
    (line,) = lines_of(stream)

    assert (2, 3) == (line["dead_letters"], line["dead_letters_all"])


async def test_without_a_log_nothing_is_asked_or_written(
    world: "World", capsys: "pytest.CaptureFixture[str]"
) -> None:
    await evaluator_of(world, None).step()

    assert "" == capsys.readouterr().out
    assert open_metrics_log("test", "https://track.example.com", on=False) is None


async def test_a_minute_without_anything_has_no_rates(world: "World") -> None:
    assert {Flow.ATTEMPTS: 0, Flow.ACCEPTED: 0, Flow.SALES: 0} == await flow(world)


async def test_a_process_writes_what_it_measures_even_without_a_database(
    world: "World", tmp_path: "Path", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    monkeypatch.setattr(sampling, "EVERY_S", 0.05)
    stream = io.StringIO()
    gone = await Database.connect(world.url, Role.INGEST, size=1)
    await gone.close()
    process = Process("worker@here:1", Part.WORK, [], tmp_path)
    sampler = Sampler(process, gone, world.clock, log=MetricsLog(PLACE, stream))
    async with sampler.running(), asyncio.timeout(30):
        while not stream.getvalue().endswith("\n"):  # noqa: ASYNC110 - another task is waited for
            await asyncio.sleep(0.01)
    first, *_ = lines_of(stream)

    assert "worker@here:1" == first["about"]
    assert {"cpu_percent", "disk_percent"} <= first.keys()


def test_a_stream_that_is_gone_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    values = {Metric.CPU_PERCENT: 1.0}

    MetricsLog(PLACE, stream).write("worker", values, dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
