"""What a period was like is counted from its rows, kept, and compared."""

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from tests.support.world import World

from trackai.cli.baseline import length_of
from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock, new_id
from trackai.operations.baseline import Verdict, compare, measure
from trackai.sandbox.platforms import SaleStatus
from trackai.storage import smoke_runs
from trackai.storage.pool import Role
from trackai.storage.receipts import NewReceipt, RequestParts
from trackai.storage.rejections import insert_rejection
from trackai.storage.smoke_runs import SmokeRun

if TYPE_CHECKING:
    from tests.golive.conftest import Ground

HOUR = dt.timedelta(hours=1)
GOOD = {"accepted": 100, "whole_p95_ms": 400.0, "attempt_error_rate": 0.01, "due": 0}
GOOD |= {"events_per_minute": 60.0}


def verdicts(**now: float | None) -> dict[str, Verdict]:
    return {one.figure: one.verdict for one in compare(GOOD, {**GOOD, **now})}


@pytest.mark.parametrize(
    ("figure", "now", "verdict"),
    [
        ("whole_p95_ms", 700.0, Verdict.WORSE),
        ("whole_p95_ms", 440.0, Verdict.SAME),
        ("whole_p95_ms", 200.0, Verdict.BETTER),
        ("whole_p95_ms", None, Verdict.UNKNOWN),
        ("attempt_error_rate", 0.05, Verdict.WORSE),
        ("attempt_error_rate", 0.015, Verdict.SAME),
        ("events_per_minute", 10.0, Verdict.SAME),
        ("events_per_minute", 100.0, Verdict.BETTER),
    ],
)
def test_what_is_a_regression(figure: str, now: float | None, verdict: Verdict) -> None:
    assert verdict is verdicts(**{figure: now})[figure]


def test_less_is_sent_while_work_waits_is_a_regression() -> None:
    assert Verdict.WORSE is verdicts(events_per_minute=10.0, due=500)["events_per_minute"]


def test_a_percentile_of_a_few_says_nothing() -> None:
    assert Verdict.UNKNOWN is verdicts(whole_p95_ms=9000.0, accepted=3)["whole_p95_ms"]


async def test_what_is_measured_is_what_the_rows_say(world: World) -> None:
    since, until = world.clock.now() - HOUR, world.clock.now() + HOUR
    await world.fill(world.account)
    async with world.workers.transaction() as tx:
        found = await measure(tx, since, until)
        earlier = await measure(tx, since - HOUR, since)

    assert (1, 1) == (found["webhooks"], found["attempts"])
    assert round(1 / 120, 4) == found["webhooks_per_minute"] == found["clicks_per_minute"]
    assert 0.5 == found["webhook_refused_rate"]
    assert found["call_p50_ms"] is not None
    assert (0, None) == (earlier["webhooks"], earlier["call_p50_ms"])


async def test_a_smoke_test_is_not_measured(world: World) -> None:
    now = world.clock.now()
    await world.tell("kiwify", world.sale(), SaleStatus.APPROVED)
    run = SmokeRun(new_id(), new_id(), world.account.tenant.id, "1", "http://track.test", now)
    async with world.workers.transaction() as tx:
        await smoke_runs.insert_run(tx, run)
        found = await measure(tx, now - HOUR, now + HOUR)

    assert 0 == found["webhooks"]


async def test_the_first_is_the_standard_and_a_worse_one_is_flagged(ground: "Ground") -> None:
    first = await ground.json("baseline", "--for", "1h")
    await ground.rows("update baselines set figures = $1", {"webhook_refused_rate": 0.0})
    async with ground.here.onboarding() as onboarding:
        connection = await onboarding.connect_gateway(ground.tenant.id, "kiwify", "s" * 20)
    now = SystemClock().now()
    async with ground.here.database(Role.INGEST) as database, database.transaction() as tx:
        receipt = NewReceipt(
            tenant_id=ground.tenant.id,
            id=new_id(),
            connection_id=connection.id,
            gateway="kiwify",
            received_at=now,
            body=b"{}",
            request=RequestParts({}, ""),
        )
        await insert_rejection(
            tx,
            ground.here.envelope,
            receipt,
            reason="signature_mismatch",
            keyless=False,
            expires_at=now + HOUR,
        )
    status, _ = await ground.give("baseline", "--for", "1h")
    again = await ground.json("baseline", "--for", "1h")
    _, *listed = await ground.json("baseline", "list")

    told = {one["figure"]: one["verdict"] for one in again["changes"]}
    assert "worse" == told["webhook_refused_rate"]
    assert (True, []) == (first["standard"], first["changes"])
    assert 1 == status
    assert [False, True] == [one["standard"] for one in listed]
    assert 1.0 == listed[0]["webhook_refused_rate"]


@pytest.mark.parametrize("text", ["", "1", "1y", "0h", "8d", "-1h"])
def test_what_is_no_length_is_said(text: str) -> None:
    with pytest.raises(ConfigurationError, match="30m or 1h"):
        length_of(text)
