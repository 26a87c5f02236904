"""Each thing that is measured in the database, measured in one where it is really so."""

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from tests.support.world import SECRET

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.measuring import (
    FEWEST_WEBHOOKS,
    Measured,
    breakers_open,
    measure,
    rate_drop,
    spread,
    success_percent,
)
from trackai.housekeeping.rollups import Folder
from trackai.model.alarm import INSTALLATION, Subject
from trackai.sandbox.platforms import Person, SaleStatus, platform
from trackai.storage.alarm_measures import Matched, Webhooks
from trackai.storage.breakers import lock_breaker, lock_host_breaker_all_tenants
from trackai.storage.destinations import disable_destination
from trackai.storage.jobs import insert_jobs
from trackai.storage.tenants import mark_deleted
from trackai.storage.token_checks import TokenCheck, record_check

if TYPE_CHECKING:
    from tests.support.world import World

HOUR = dt.timedelta(hours=1)
TENANT = UUID(int=7)
HOST = "graph.facebook.com"


async def looked(world: "World") -> dict[Subject, Measured]:
    """Return what is measured now."""
    async with world.workers.transaction() as tx:
        return await measure(tx, ALARMS.values(), ["fold", "purge"], world.clock.now())


async def measured(world: "World") -> dict[Subject, float | None]:
    """Return every subject with its value, now."""
    return {subject: one.value for subject, one in (await looked(world)).items()}


async def of_tenant(world: "World", alarm: str) -> float | None:
    return (await measured(world))[Subject(world.account.tenant.id, alarm)]


async def of_pixel(world: "World", alarm: str) -> float | None:
    account = world.account
    name = str(account.destination.id)
    return (await measured(world))[Subject(account.tenant.id, alarm, name)]


async def of_all(world: "World", alarm: str) -> float | None:
    return (await measured(world))[Subject(INSTALLATION, alarm)]


async def change(world: "World", statement: str) -> None:
    async with world.workers.transaction() as tx:
        await tx.execute(statement, world.account.tenant.id)


async def sell(world: "World", number: int = 1, *statuses: SaleStatus) -> None:
    for _ in range(number):
        await world.tell("kiwify", world.sale(), *(statuses or (SaleStatus.APPROVED,)))


async def test_dead_letters_are_counted_by_tenant(world: "World") -> None:
    before = await of_tenant(world, "dlq_depth")
    await sell(world, 3)
    await change(world, "update deliveries set status = 'dead' where tenant_id = $1")
    other = await world.open_account("Outra")
    found = await measured(world)

    assert 0 == before
    assert 3 == found[Subject(world.account.tenant.id, "dlq_depth")]
    assert 0 == found[Subject(other.tenant.id, "dlq_depth")]


async def test_dead_letters_of_those_who_have_few_are_counted_together(world: "World") -> None:
    other = await world.open_account("Outra")
    await sell(world, 3)
    await change(world, "update deliveries set status = 'dead' where tenant_id = $1")
    await world.tell("kiwify", world.sale(), SaleStatus.APPROVED, account=other)
    async with world.workers.transaction() as tx:
        await tx.execute(
            "update deliveries set status = 'dead' where tenant_id = $1", other.tenant.id
        )
    found = await measured(world)

    assert 4 == found[Subject(INSTALLATION, "dlq_spread")]


@pytest.mark.parametrize(
    ("dead", "together"),
    [([], 0), ([100, 100, None], 200), ([101, 7], 7), ([5000, 101], 0), ([0, 1], 1)],
)
def test_who_has_an_alarm_of_its_own_is_not_among_those_who_have_few(
    dead: list[float | None], together: float
) -> None:
    assert together == spread(dead)


@pytest.mark.parametrize(("state", "held"), [("open", 1), ("half_open", 1), ("closed", 0)])
async def test_a_breaker_that_probes_still_holds(world: "World", state: str, held: float) -> None:
    account = world.account
    ids = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with world.workers.transaction() as tx:
        await lock_breaker(tx, **ids, now=world.clock.now())
        await tx.execute("update breakers set state = $1", state)
        await lock_host_breaker_all_tenants(tx, HOST, now=world.clock.now())
        await tx.execute("update host_breakers set state = $1", state)
    found = await measured(world)

    assert held == await of_pixel(world, "breaker_open")
    assert held == found[Subject(INSTALLATION, "breaker_open", HOST)]


@pytest.mark.parametrize(
    ("valid", "hours", "left"),
    [(True, 30, 30), (True, -1, -1), (True, None, 8760), (False, 30, 0), (None, None, None)],
)
async def test_a_token_has_hours_left_or_nobody_knows(
    world: "World",
    valid: bool | None,  # noqa: FBT001
    hours: float | None,
    left: float | None,
) -> None:
    account, now = world.account, world.clock.now()
    expires_at = None if hours is None else now + hours * HOUR
    check = TokenCheck(now, now, valid, "", expires_at, "valid", ())
    ids = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with world.workers.transaction() as tx:
        await record_check(tx, check, **ids)

    assert left == await of_pixel(world, "token_expiring")


async def test_a_token_that_nobody_asked_about_is_not_known(world: "World") -> None:
    assert await of_pixel(world, "token_expiring") is None


async def test_webhooks_of_an_hour_fail_in_both_ways(world: "World") -> None:
    nothing = await of_tenant(world, "webhook_success")
    await sell(world, 2)
    well = await of_tenant(world, "webhook_success")
    sale = platform("kiwify", SECRET).notice(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", sale)
    await change(
        world,
        "update webhook_receipts set state = 'failed' where tenant_id = $1 and state = 'received'",
    )
    await world.reject(world.account.connections["kiwify"], sale)
    ill = await of_tenant(world, "webhook_success")
    world.clock.forward(minutes=61)
    later = await of_tenant(world, "webhook_success")

    assert nothing is None
    assert 100 == well
    assert ill == pytest.approx(100 * (1 - 2 / FEWEST_WEBHOOKS))
    assert later is None


def test_few_webhooks_make_no_rate() -> None:
    assert success_percent(Webhooks(TENANT, came=0, failed=0, refused=0)) is None
    assert 95 < (success_percent(Webhooks(TENANT, came=3, failed=2, refused=0)) or 0)
    assert 50 == success_percent(Webhooks(TENANT, came=200, failed=50, refused=100)) or 0


async def test_silence_is_measured_by_the_same_hours_of_weeks_before(world: "World") -> None:
    unknown = await of_tenant(world, "webhooks_silent")
    now = world.clock.now()
    for week in (4, 3, 2, 1):
        world.clock.moment = now - dt.timedelta(weeks=week, hours=1, minutes=30)
        await sell(world, 6 + week)
    world.clock.moment = now
    await Folder(world.workers, world.clock).step()
    silent = await of_tenant(world, "webhooks_silent")
    world.clock.forward(hours=8)
    night = await of_tenant(world, "webhooks_silent")
    world.clock.moment = now
    await sell(world)

    assert unknown is None
    assert 8 == silent
    assert 0 == night
    assert 0 == await of_tenant(world, "webhooks_silent")


@pytest.mark.parametrize(
    ("sales", "matched", "before", "matched_before", "drop"),
    [
        (100, 50, 1000, 900, 40),
        (100, 95, 1000, 900, 0),
        (19, 0, 1000, 900, None),
        (100, 50, 49, 49, None),
    ],
)
def test_a_match_rate_drops_from_what_it_was(
    sales: int, matched: int, before: int, matched_before: int, drop: float | None
) -> None:
    found = rate_drop(Matched(TENANT, sales, matched, before, matched_before))

    assert found is None if drop is None else found == pytest.approx(drop)


async def test_match_rates_are_read_from_counts(world: "World") -> None:
    (row,) = await world.rows("select now() as now from tenants where id = $1")
    world.clock.moment = row["now"] - dt.timedelta(days=3)
    await world.click("c1")
    for _ in range(50):
        await world.tell("kiwify", world.sale(click_id="c1"), SaleStatus.APPROVED)
    world.clock.moment = row["now"]
    for number in range(20):
        stranger = Person(email=f"stranger-{number}@example.com", phone=f"5511980000{number:03}")
        await world.tell("kiwify", world.sale(buyer=stranger), SaleStatus.APPROVED)
    await Folder(world.workers, world.clock).step()

    assert pytest.approx(100) == await of_tenant(world, "match_rate_drop")


async def test_signature_failures_are_those_of_a_quarter_of_an_hour(world: "World") -> None:
    forged = platform("kiwify", SECRET).notice(world.sale(), SaleStatus.APPROVED, forge=True)
    for _ in range(3):
        await world.reject(world.account.connections["kiwify"], forged)
    spike = await of_tenant(world, "signature_failures")
    world.clock.forward(minutes=16)

    assert 3 == spike
    assert 0 == await of_tenant(world, "signature_failures")


async def test_the_queue_has_a_depth_and_an_age_but_not_of_what_is_held(world: "World") -> None:
    names = ("queue_depth", "oldest_delivery")
    empty = [await of_all(world, name) for name in names]
    await sell(world, 3)
    world.clock.forward(minutes=20)
    full = [await of_all(world, name) for name in names]
    async with world.workers.transaction() as tx:
        await lock_host_breaker_all_tenants(tx, HOST, now=world.clock.now())
        await tx.execute("update host_breakers set state = 'open'")

    assert [0, 0] == empty
    assert [3, 1200] == full
    assert 0 == await of_all(world, "oldest_delivery")


async def test_a_webhook_that_nobody_works_on_gets_old(world: "World") -> None:
    none = await of_all(world, "oldest_webhook")
    webhook = platform("kiwify", SECRET).notice(world.sale(), SaleStatus.APPROVED)
    await world.receive("kiwify", webhook)
    world.clock.forward(minutes=7)

    assert 0 == none
    assert 420 == await of_all(world, "oldest_webhook")


async def test_a_task_is_late_when_no_worker_runs_it(world: "World") -> None:
    assert await of_all(world, "scheduler_late") is None
    async with world.workers.transaction() as tx:
        await insert_jobs(tx, [("purge", 60), ("of another release", 60)], now=world.clock.now())
        await tx.execute("update jobs set next_at = '2020-01-01' where name like 'of%'")
    world.clock.forward(minutes=11)
    late = await of_all(world, "scheduler_late")
    await change(world, "update jobs set lease_until = '2040-01-01' where $1::uuid is not null")

    assert 660 == late
    assert 0 == await of_all(world, "scheduler_late")


async def test_who_is_disconnected_or_deleted_is_not_watched(world: "World") -> None:
    account, now = world.account, world.clock.now()
    other = await world.open_account("Outra")
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        ids = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
        await disable_destination(tx, **ids, now=now)
    async with world.people.transaction(tenant_id=other.tenant.id) as tx:
        await mark_deleted(tx, tenant_id=other.tenant.id, now=now)
    found = await measured(world)

    assert Subject(account.tenant.id, "dlq_depth") in found
    assert not {one for one in found if one.name == str(account.destination.id)}
    assert not {one for one in found if one.tenant_id == other.tenant.id}


async def test_a_breaker_of_what_nobody_sends_to_any_more_holds_nothing_back(
    world: "World",
) -> None:
    account, now = world.account, world.clock.now()
    ids = {"tenant_id": account.tenant.id, "destination_id": account.destination.id}
    async with world.workers.transaction() as tx:
        await lock_breaker(tx, **ids, now=now)
        await tx.execute("update breakers set state = 'open'")
        await lock_host_breaker_all_tenants(tx, HOST, now=now)
        await tx.execute("update host_breakers set state = 'open'")
    before = breakers_open(ALARMS, await looked(world))
    async with world.people.transaction(tenant_id=account.tenant.id) as tx:
        await disable_destination(tx, **ids, now=now)
    found = await looked(world)

    assert 2 == before
    assert 0 == breakers_open(ALARMS, found)
    assert not {one for one in found if one.alarm == "breaker_open"}


async def test_who_has_no_route_has_lost_no_call(world: "World") -> None:
    assert 0 == await of_all(world, "calls_lost")
    assert 0 == await of_tenant(world, "tenant_calls_lost")
