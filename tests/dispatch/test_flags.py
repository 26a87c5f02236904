"""A destination that is off: its events wait, are no dead letters, and go when it is on."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.support.flags import Panel

from trackai.destinations.registry import KINDS
from trackai.dispatch import release
from trackai.dispatch.dispatcher import Dispatcher
from trackai.dispatch.release import DeliveryReleaser
from trackai.operations.flow import LATE_DELIVERY_S
from trackai.storage import health, held
from trackai.storage.queue_messages import hasten_destination, waiting_of

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office

META = "destination.meta"
QUEUED = "select run_at::text as run_at, lease from queue_messages where tenant_id = $1"


class Staff:
    """A worker process: it remembers flags, sends events, and releases them."""

    def __init__(self, office: "Office", panel: Panel) -> None:
        switches, world = panel.switches(), office.world
        tools = replace(office.tools, switches=switches)
        self.office = replace(office, tools=tools, dispatcher=Dispatcher(tools))
        self.releaser = DeliveryReleaser(world.workers, switches, world.clock)


@pytest.fixture
def panel(office: "Office") -> Panel:
    return Panel(office.world)


async def test_events_wait_while_it_is_off_and_all_go_after(office: "Office", panel: Panel) -> None:
    staff = Staff(office, panel)
    await panel.say(META, killed=True)
    ids = await office.sell(3)
    worked = (await staff.office.step(), await staff.office.step())
    waiting = await office.deliveries()
    queued = {(row["run_at"], row["lease"]) for row in await office.world.rows(QUEUED)}
    nothing = await staff.releaser.step()
    sent_meanwhile = office.arrived()
    await panel.say(META, killed=False)
    released = (await staff.releaser.step(), await staff.releaser.step())
    await staff.office.step()

    assert (True, False) == worked
    assert {("pending", 0)} == {(row["status"], row["attempts"]) for row in waiting}
    assert {("infinity", None)} == queued
    assert (False, []) == (nothing, sent_meanwhile)
    assert (True, False) == released
    assert ids == office.arrived()
    assert {"accepted"} == {row["status"] for row in await office.deliveries()}


async def test_only_the_tenant_that_it_is_off_for_waits(office: "Office", panel: Panel) -> None:
    other, staff = await office.open_account("Outra"), Staff(office, panel)
    await panel.say(META, 0, account=office.world.account)
    await office.sell(2)
    ids = await office.sell(2, account=other)
    await staff.office.step()

    assert ([], ids) == (office.arrived(), office.arrived(other))


async def test_a_worker_that_ends_in_between_changes_nothing(
    office: "Office", panel: Panel
) -> None:
    await panel.say(META, 0)
    ids = await office.sell(2)
    await Staff(office, panel).office.step()
    await panel.say(META, 100)
    successor = Staff(office, panel)
    await successor.releaser.step()
    await successor.office.step()

    assert ids == office.arrived()


async def test_what_waited_longer_than_meta_takes_is_said_to_be_too_old(
    office: "Office", panel: Panel
) -> None:
    staff = Staff(office, panel)
    await panel.say(META, 0)
    await office.sell(1)
    await staff.office.step()
    office.world.clock.forward(days=6)
    young = await office.sell(1)
    await staff.office.step()
    office.world.clock.forward(days=2)
    meanwhile = {row["status"] for row in await office.deliveries()}
    await panel.say(META, 100)
    await staff.releaser.step()
    await staff.office.step()

    assert {"pending"} == meanwhile
    assert young == office.arrived()
    assert {("accepted", None), ("dead", "event_too_old")} == {
        (row["status"], row["reason"]) for row in await office.deliveries()
    }


async def test_what_waits_is_counted_and_not_late(office: "Office", panel: Panel) -> None:
    world, staff = office.world, Staff(office, panel)
    await panel.say(META, 0)
    await office.sell(2)
    await staff.office.step()
    world.clock.forward(seconds=2 * LATE_DELIVERY_S)
    async with world.workers.transaction() as tx:
        (queued,) = await health.count_queued_all_tenants(tx, now=world.clock.now())
        (all_,) = await held.count_held_all_tenants(tx)
        waiting = await waiting_of(tx, tenant_id=world.account.tenant.id)
    async with world.people.transaction(tenant_id=world.account.tenant.id) as tx:
        (own,) = await held.count_held(tx, tenant_id=world.account.tenant.id)

    assert (2, 0, None) == (queued.waiting, queued.due, queued.oldest_due)
    assert (META, 2, 1) == (all_.flag, all_.number, all_.tenants)
    assert (2, None) == (waiting.number, waiting.oldest)
    assert (world.account.destination.id, 2) == (own.destination_id, own.number)
    assert own.name in KINDS


async def test_a_backlog_is_released_in_parts(
    office: "Office", panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "EACH", 2)
    staff = Staff(office, panel)
    await panel.say(META, 0)
    ids = await office.sell(5)
    await staff.office.step()
    await panel.say(META, 100)
    parts = []
    while await staff.releaser.step():
        await staff.office.step()
        parts.append(len(office.arrived()))

    assert [2, 4, 5] == parts
    assert ids == office.arrived()


async def test_what_is_hastened_meanwhile_waits_again(office: "Office", panel: Panel) -> None:
    staff = Staff(office, panel)
    await panel.say(META, 0)
    await office.sell(1)
    await staff.office.step()
    destination = office.world.account.destination
    async with office.world.people.transaction(tenant_id=destination.tenant_id) as tx:
        await hasten_destination(
            tx,
            tenant_id=destination.tenant_id,
            destination_id=destination.id,
            now=office.world.clock.now(),
        )
    await staff.office.step()

    assert {"infinity"} == {row["run_at"] for row in await office.world.rows(QUEUED)}
    assert [] == office.arrived()
