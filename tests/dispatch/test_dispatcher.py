"""From owed to accepted: what is sent together, what failures change, and who else they touch."""

import asyncio
import datetime as dt
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from tests.dispatch.conftest import QUEUED
from tests.support.customer import until

from trackai.accounts.onboarding import Onboarding
from trackai.analytics.performance import STAGES
from trackai.model.clock import new_id
from trackai.storage.breakers import StoredBreaker, lock_breaker, update_breaker
from trackai.storage.queue_messages import QueuedDelivery, enqueue
from trackai.telemetry.metrics import REGISTRY

if TYPE_CHECKING:
    from tests.conftest import Serve
    from tests.dispatch.conftest import Office

# Longer than any lease or first pause.
LATER = {"minutes": 3}


async def test_what_is_due_goes_out_in_one_request(office: "Office") -> None:
    ids = await office.sell(25)
    worked = await office.step()

    assert worked
    assert ids == office.arrived()
    assert office.meta.summary()["requests"] == 1
    attempts = await office.attempts()
    assert {("accepted", None, 200, 25, 1)} == {
        (row["status"], row["reason"], row["http_status"], row["batch_size"], row["attempt"])
        for row in attempts
    }
    assert {("accepted", 1)} == {
        (row["status"], row["attempts"]) for row in await office.deliveries()
    }
    assert await office.world.rows(QUEUED) == []
    assert not await office.step()


async def test_an_attempt_names_the_webhook_that_caused_it(office: "Office") -> None:
    await office.sell(3)
    await office.step()
    receipts = await office.world.rows("select id from webhook_receipts where tenant_id = $1")

    assert {row["id"] for row in receipts} == {row["receipt_id"] for row in await office.attempts()}


def timed() -> Counter[str]:
    """Return stage -> how many times were told of it, to whoever reads this process' counters."""
    name = "trackai_stage_seconds_count"
    stages = {stage: REGISTRY.get_sample_value(name, {"stage": stage}) for stage in STAGES}
    return Counter({stage: int(number or 0) for stage, number in stages.items()})


async def test_every_stage_is_timed_as_pages_tell_it(office: "Office") -> None:
    before = timed()
    await office.sell(3)
    office.meta.script_fault("http_500")
    await office.step()
    failed = timed() - before
    office.world.clock.forward(**LATER)
    await office.step()

    assert {"call": 3} == failed
    assert {"match": 3, "wait": 3, "call": 6, "whole": 3} == timed() - before


@pytest.mark.parametrize("kind", ["http_500", "http_503_html", "truncated_json"])
async def test_a_failed_try_waits_and_goes_again(office: "Office", kind: str) -> None:
    ids = await office.sell(4)
    office.meta.script_fault(kind)
    await office.step()
    waiting = await office.deliveries()
    at_once = await office.step()
    office.world.clock.forward(**LATER)
    await office.step()

    assert {("pending", 1)} == {(row["status"], row["attempts"]) for row in waiting}
    assert all(row["next_at"] > row["next_at"] - dt.timedelta(seconds=1) for row in waiting)
    assert not at_once
    assert ids == office.arrived()
    assert ["deferred"] * 4 + ["accepted"] * 4 == [row["status"] for row in await office.attempts()]


async def test_an_answer_that_got_lost_is_asked_for_again_under_the_same_id(
    office: "Office",
) -> None:
    ids = await office.sell(3)
    office.meta.script_fault("answer_lost")
    await office.step()
    office.world.clock.forward(**LATER)
    await office.step()

    assert ids == office.arrived()
    assert ids == sorted(event.event_id or "" for event in office.meta.duplicates)
    assert {"accepted"} == {row["status"] for row in await office.deliveries()}


async def test_meta_says_how_long_to_wait(office: "Office") -> None:
    await office.sell(2)
    office.meta.script_fault("throttle_buc", minutes=20)
    await office.step()

    now = office.world.clock.now()
    assert all(
        row["next_at"] >= now + dt.timedelta(minutes=20) for row in await office.deliveries()
    )
    assert {"throttled"} == {row["reason"] for row in await office.attempts()}


async def test_an_expired_token_holds_events_until_there_is_another(office: "Office") -> None:
    ids = await office.sell(2)
    pixel = office.world.account.destination
    office.meta.script_fault("token_expired", times=3, match=pixel.pixel_id)
    for _ in range(3):
        await office.step()
        office.world.clock.forward(hours=1)
    held = await office.deliveries()
    office.meta.add_token("EAAanother", datasets=[pixel.pixel_id])
    people = Onboarding(office.world.people, office.world.envelope, office.world.clock, new_id)
    await people.set_token(pixel.tenant_id, pixel.id, "EAAanother")
    await office.step()

    assert {("pending", "token_refused")} == {(row["status"], row["reason"]) for row in held}
    assert ids == office.arrived()


async def test_one_tenants_trouble_is_not_anothers(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(2)
    ids = await office.sell(2, account=other)
    office.meta.script_fault("http_500", match=office.world.account.destination.pixel_id)
    await office.step()

    assert office.arrived() == []
    assert ids == office.arrived(other)


@pytest.mark.parametrize("count", [2, 9, 16])
async def test_one_bad_event_is_found_and_the_others_go(office: "Office", count: int) -> None:
    ids = await office.sell(count)
    bad = ids[count // 2]
    office.meta.script_fault("bad_event", times=None, event_id=bad)
    await office.step()

    assert [one for one in ids if one != bad] == office.arrived()
    ends = {row["event_id"]: row["status"] for row in await office.deliveries()}
    assert ends.pop(bad) == "dead"
    assert {"accepted"} == set(ends.values())


async def test_an_event_older_than_seven_days_is_given_up_unsent(office: "Office") -> None:
    await office.sell(1)
    office.world.clock.forward(days=8)
    fresh = await office.sell(1)
    await office.step()

    assert fresh == office.arrived()
    assert {("dead", "event_too_old"), ("accepted", None)} == {
        (row["status"], row["reason"]) for row in await office.deliveries()
    }


async def test_retries_end_with_a_reason_when_the_seven_days_do(office: "Office") -> None:
    await office.sell(1)
    office.meta.script_fault("http_500", times=None)
    for _ in range(10):
        await office.step()
        office.world.clock.forward(days=1)
    (delivery,) = await office.deliveries()

    assert (delivery["status"], delivery["reason"]) == ("dead", "event_too_old")
    assert await office.world.rows(QUEUED) == []


async def test_a_dispatcher_that_dies_in_mid_request_is_succeeded_when_its_lease_ends(
    office: "Office",
) -> None:
    ids = await office.sell(3)
    office.meta.script_fault("timeout", seconds=60)
    dying = asyncio.create_task(office.step())
    await until(lambda: office.meta.summary()["requests"] > 0, "a request on its way")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    recorded = await office.attempts()
    early = await office.step()
    office.world.clock.forward(**LATER)
    await office.step()

    assert recorded == []
    assert not early
    assert ids == office.arrived()
    assert office.meta.duplicates == []


async def test_a_message_about_what_is_settled_is_put_away_unsent(office: "Office") -> None:
    ids = await office.sell(1)
    await office.step()
    (delivery,) = await office.deliveries()
    account = office.world.account
    async with office.world.workers.transaction() as tx:
        now = office.world.clock.now()
        message = QueuedDelivery(account.tenant.id, delivery["id"], account.destination.id, now)
        await enqueue(tx, [message])
    await office.step()

    assert ids == office.arrived()
    assert office.meta.summary()["requests"] == 1
    assert await office.world.rows(QUEUED) == []


async def test_two_dispatchers_side_by_side_send_everything_once(office: "Office") -> None:
    ids = await office.sell(30)

    async def work() -> None:
        while await office.step():
            pass

    await asyncio.gather(work(), work())

    assert ids == office.arrived()
    assert office.meta.duplicates == []


async def alter(office: "Office", statement: str, *values: object) -> None:
    """Change what no role of the program may, as a failing disk or an operator does."""
    connection = await asyncpg.connect(office.world.url)
    await connection.execute(statement, *values)
    await connection.close()


async def test_a_damaged_buyer_costs_that_delivery_alone(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(1)
    await alter(
        office,
        "update conversions set buyer_sealed ="
        " set_byte(buyer_sealed, 30, get_byte(buyer_sealed, 30) # 255)",
    )
    ids = await office.sell(1, account=other)
    await office.step()

    assert ids == office.arrived(other)
    assert [("dead", "does_not_open")] == [
        (row["status"], row["reason"]) for row in await office.deliveries()
    ]
    assert await office.world.rows(QUEUED) == []


async def test_a_damaged_token_costs_that_destination_alone(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(1)
    ids = await office.sell(1, account=other)
    await alter(
        office,
        "update destinations set token_sealed ="
        " set_byte(token_sealed, 30, get_byte(token_sealed, 30) # 255) where tenant_id = $1",
        office.world.account.tenant.id,
    )
    await office.step()

    assert ids == office.arrived(other)
    assert [("pending", "destination_gone")] == [
        (row["status"], row["reason"]) for row in await office.deliveries()
    ]


@pytest.mark.parametrize(
    "error",
    [
        {"code": 99_999_999_999},
        {"code": 1, "error_subcode": 3_000_000_000},
        {"code": 1, "fbtrace_id": "a\x00b" + "c" * 9000},
        {"code": 100, "error_user_title": "a\x00b"},
    ],
    ids=["code", "subcode", "trace", "title"],
)
async def test_an_odd_answer_is_written_down_all_the_same(
    office: "Office", serve: "Serve", error: dict[str, object]
) -> None:
    async def odd(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        body = json.dumps({"error": error}).encode()
        await send({"type": "http.response.body", "body": body})

    url = await serve(odd)
    await office.sell(1)
    await alter(office, "update destinations set api_url = $1", url)
    await office.step()

    assert len(await office.attempts()) == 1


async def test_events_that_are_too_old_do_not_keep_a_breaker_half_open(office: "Office") -> None:
    await office.sell(6)
    office.world.clock.forward(days=7, hours=1)
    young = await office.sell(1)
    account, now = office.world.account, office.world.clock.now()
    key = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with office.world.workers.transaction() as tx:
        await lock_breaker(tx, **key, now=now)
        opened = StoredBreaker("open", 5, 1, "permission_missing", now, now, None)
        await update_breaker(tx, opened, **key)
    await office.step()

    assert young == office.arrived()
    statuses = Counter(row["status"] for row in await office.deliveries())
    assert {"accepted": 1, "dead": 6} == dict(statuses)


async def test_a_probe_that_asks_nothing_leaves_the_next_event_to_be_the_probe(
    office: "Office",
) -> None:
    await office.sell(2)
    account, now = office.world.account, office.world.clock.now()
    # A Purchase without money is refused here, without a request.
    await office.world.rows(
        "update conversions set amount_minor = null, currency = null where tenant_id = $1 and id = "
        "(select conversion_id from deliveries where tenant_id = $1 order by id limit 1)"
    )
    key = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with office.world.workers.transaction() as tx:
        await lock_breaker(tx, **key, now=now)
        await update_breaker(tx, StoredBreaker("open", 5, 1, "timeout", now, now, None), **key)
    for _ in range(4):
        await office.step()
        office.world.clock.forward(seconds=3)

    assert len(office.arrived()) == 1
