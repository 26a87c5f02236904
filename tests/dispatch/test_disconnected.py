"""What a pixel that was disconnected was still owed."""

from typing import TYPE_CHECKING

import pytest

from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.accounts.upkeep import Upkeep
from trackai.dispatch.dead_letters import DeadLetters, ReplayReleaser, Wish
from trackai.model.clock import new_id
from trackai.storage.dead_letters import Wanted

if TYPE_CHECKING:
    from tests.dispatch.conftest import Office


@pytest.fixture
def upkeep(office: "Office") -> Upkeep:
    world = office.world
    return Upkeep(
        *(world.people, world.envelope, world.clock, new_id),
        tenant_id=world.account.tenant.id,
        actor="cli:ana",
    )


async def connect_again(office: "Office") -> None:
    world, pixel = office.world, office.world.account.destination
    onboarding = Onboarding(world.people, world.envelope, world.clock, new_id)
    await onboarding.connect_destination(
        world.account.tenant.id,
        NewDestination("meta", pixel.pixel_id, pixel.token, api_url=office.meta_url),
    )


async def test_what_it_was_owed_becomes_dead_letters_and_is_not_sent(
    office: "Office", upkeep: Upkeep
) -> None:
    await office.sell(2)
    buried = await upkeep.disconnect_destination(office.world.account.destination.id)
    while await office.step():
        pass

    assert buried == 2
    assert office.arrived() == []
    assert {("dead", "destination_disconnected")} == {
        (row["status"], row["reason"]) for row in await office.deliveries()
    }


async def test_it_is_owed_nothing_from_then_on(office: "Office", upkeep: Upkeep) -> None:
    await upkeep.disconnect_destination(office.world.account.destination.id)
    await office.sell()

    assert await office.deliveries() == []


async def test_a_replay_waits_until_it_is_connected_again(office: "Office", upkeep: Upkeep) -> None:
    world = office.world
    ids = await office.sell(2)
    await upkeep.disconnect_destination(world.account.destination.id)
    letters = DeadLetters(world.people, world.clock, new_id, world.account.tenant.id)
    await letters.replay(Wish("test", Wanted()))
    await ReplayReleaser(world.workers, office.queue, world.clock).step()
    await office.step()
    held = await office.deliveries()
    await connect_again(office)
    world.clock.forward(minutes=6)
    while await office.step():
        pass

    assert {("pending", "destination_gone")} == {(row["status"], row["reason"]) for row in held}
    assert ids == office.arrived()


async def test_a_replay_of_its_dead_letters_ends_with_it(office: "Office", upkeep: Upkeep) -> None:
    world = office.world
    (event_id,) = await office.sell()
    office.meta.script_fault("bad_event", times=None, event_id=event_id)
    await office.step()
    letters = DeadLetters(world.people, world.clock, new_id, world.account.tenant.id)
    replay = await letters.replay(Wish("test", Wanted()))
    await upkeep.disconnect_destination(world.account.destination.id)
    progress = await letters.progress(replay["id"])  # type: ignore[arg-type]
    (row,) = await office.deliveries()

    assert (progress["waiting"], progress["dead_again"]) == (0, 1)
    assert (row["status"], row["reason"]) == ("dead", "invalid_parameter")
