"""What a destination's trouble changes for its own deliveries, and what it does not for others."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from tests.support.customer import until

from trackai.dispatch.breaker import Failed, Go, Hold, Succeeded, Throttled
from trackai.dispatch.gate import Admitted, Lane
from trackai.storage.queue_messages import Share

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

BREAKERS = "select state, reason, failures, openings from breakers where tenant_id = $1"
HOSTS = "select state, failures from host_breakers where $1::uuid is not null"
MINUTE = {"seconds": 61}


async def _fail(office: "Office", times: int) -> None:
    """Let the destination fail so often, each time when its event is due."""
    for _ in range(times):
        assert await office.step()
        office.world.clock.forward(seconds=40)


async def test_five_failures_in_a_row_open_it_and_then_nothing_goes(office: "Office") -> None:
    await office.sell(3)
    office.meta.script_fault("http_500", times=None)
    await _fail(office, 5)
    requests = office.meta.summary()["requests"]
    office.world.clock.forward(seconds=15)
    tried = await office.step()

    assert not tried
    assert [("open", "transient_error", 1)] == [
        (row["state"], row["reason"], row["openings"]) for row in await office.world.rows(BREAKERS)
    ]
    assert office.meta.summary()["requests"] == requests == 5


async def test_half_open_lets_one_event_through_and_then_all(office: "Office") -> None:
    ids = await office.sell(4)
    office.meta.script_fault("http_500", times=5)
    await _fail(office, 5)
    office.world.clock.forward(**MINUTE)
    await office.step()
    after_probe = office.arrived()
    office.world.clock.forward(seconds=3)
    await office.step()

    assert len(after_probe) == 1
    assert ids == office.arrived()
    assert [("closed", 0)] == [
        (row["state"], row["openings"]) for row in await office.world.rows(BREAKERS)
    ]


async def test_an_outage_uses_up_no_ones_tries(office: "Office") -> None:
    ids = await office.sell(1)
    office.meta.script_fault("http_500", times=None)
    for _ in range(60):
        await office.step()
        office.world.clock.forward(minutes=10)
    held = await office.deliveries()
    office.meta.clear_faults()
    office.world.clock.forward(minutes=16)
    await office.step()

    assert ["pending"] == [row["status"] for row in held]
    assert ids == office.arrived()


async def test_an_event_that_alone_keeps_failing_is_given_up_after_five_tries(
    office: "Office",
) -> None:
    (bad,) = await office.sell(1)
    for _ in range(5):
        office.meta.script_fault("http_500")
        await office.step()
        await office.sell(1)  # another one that goes well in between
        await office.step()
        office.world.clock.forward(minutes=1)

    ends = {row["event_id"]: (row["status"], row["reason"]) for row in await office.deliveries()}
    assert ends.pop(bad) == ("dead", "tries_exhausted")
    assert set(ends.values()) == {("accepted", None)}


async def test_a_refused_token_opens_at_once_and_says_so(office: "Office") -> None:
    await office.sell(2)
    office.meta.script_fault("token_expired", times=None)
    for _ in range(30):
        await office.step()
        office.world.clock.forward(minutes=1)

    (breaker,) = await office.world.rows(BREAKERS)
    assert (breaker["state"], breaker["reason"]) == ("open", "token_refused")
    assert office.meta.summary()["requests"] <= 6
    assert {0} == {
        row["failed_tries"]
        for row in await office.world.rows(
            "select failed_tries from deliveries where tenant_id = $1"
        )
    }


async def test_a_throttled_destination_is_left_alone_as_long_as_it_asks(office: "Office") -> None:
    ids = await office.sell(2)
    office.meta.script_fault("throttle_buc", minutes=20)
    await office.step()
    more = await office.sell(1)
    office.world.clock.forward(minutes=19)
    early = await office.step()
    office.world.clock.forward(minutes=2)
    await office.step()
    office.world.clock.forward(minutes=2)
    await office.step()

    assert not early
    assert sorted(ids + more) == office.arrived()


async def test_two_tenants_failures_open_their_host_and_a_third_waits(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(1)
    await office.sell(1, account=other)
    office.meta.script_fault("http_500", times=None)
    await _fail(office, 3)
    third = await office.open_account("Terceira")
    ids = await office.sell(1, account=third)
    before = office.meta.summary()["requests"]
    await office.step()
    after = office.meta.summary()["requests"]
    hosts = await office.world.rows(HOSTS)
    office.meta.clear_faults()
    for _ in range(4):
        office.world.clock.forward(**MINUTE)
        await office.step()

    assert ["open"] == [row["state"] for row in hosts]
    assert before == after
    assert ids == office.arrived(third)


@pytest.mark.parametrize("kind", ["timeout"])
async def test_a_silent_destination_delays_nobody_else(office: "Office", kind: str) -> None:
    other = await office.open_account("Outra")
    pixel = office.world.account.destination.pixel_id
    office.meta.script_fault(kind, times=None, match=pixel, seconds=60)
    await office.sell(2)
    await office.dispatcher.step()
    await until(lambda: office.meta.summary()["requests"] > 0, "a request that hangs")
    ids = await office.sell(3, account=other)
    await office.dispatcher.step()
    await until(lambda: office.arrived(other) == ids, "the other's events")
    hanging = asyncio.create_task(office.dispatcher.finish())
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    assert office.arrived() == []


async def test_a_flood_of_one_tenant_delays_nobody_else(office: "Office") -> None:
    other = await office.open_account("Outra")
    await office.sell(40)
    ids = await office.sell(2, account=other)
    lease = await office.queue.receive(Share(destinations=2, each=5))

    assert len(lease.messages) == 7
    assert {other.destination.id} < {one.destination_id for one in lease.messages}
    assert len(ids) == 2


async def test_a_destination_near_its_limit_is_sent_less_and_nothing_fails(
    office: "Office",
) -> None:
    first = await office.sell(1)
    office.meta.script_fault("usage", percent=95)
    await office.step()
    second = await office.sell(1)
    early = await office.step()
    arrived = office.arrived()
    office.world.clock.forward(seconds=50)
    await office.step()

    assert (arrived, early) == (first, False)
    assert sorted(first + second) == office.arrived()
    assert {row["status"] for row in await office.attempts()} == {"accepted"}


async def test_an_open_breaker_is_news_once_however_long_it_lasts(office: "Office") -> None:
    await office.sell(2)
    office.meta.script_fault("token_expired", times=None)
    with capture_logs() as logs:
        for _ in range(90):
            await office.step()
            office.world.clock.forward(minutes=1)

    changes = [line for line in logs if line["event"].startswith("breaker.")]
    assert [("breaker.open", "warning")] == [
        (line["event"], line["log_level"]) for line in changes if line["log_level"] != "info"
    ]
    assert len(changes) > 4


async def test_a_token_refused_in_the_middle_of_an_outage_is_news(office: "Office") -> None:
    await office.sell(1)
    office.meta.script_fault("http_500", times=5)
    office.meta.script_fault("token_expired", times=None)
    with capture_logs() as logs:
        for _ in range(90):
            await office.step()
            office.world.clock.forward(minutes=1)

    told = [
        (line["event"], line["reason"])
        for line in logs
        if line["log_level"] in ("warning", "error")
    ]
    assert [("breaker.open", "transient_error"), ("breaker.open", "token_refused")] == told


async def test_a_yes_under_way_does_not_end_the_pause_that_was_asked_for(office: "Office") -> None:
    account, now, gate = office.world.account, office.world.clock.now(), office.tools.gate
    lane = Lane(account.tenant.id, account.destination.id, "graph.example")
    async with office.world.workers.transaction() as tx:
        await gate.note(tx, lane, Admitted(Go()), [Failed("timeout")], now)
    first, second = [(await gate.admit([lane], now))[lane.destination_id] for _ in range(2)]
    async with office.world.workers.transaction() as tx:
        await gate.note(tx, lane, first, [Throttled(dt.timedelta(hours=1))], now)
    async with office.world.workers.transaction() as tx:
        await gate.note(tx, lane, second, [Succeeded()], now)
    after = (await gate.admit([lane], now))[lane.destination_id]

    assert Hold(now + dt.timedelta(hours=1)) == after.admission
