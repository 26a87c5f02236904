"""What is known of the whole installation, where it is really so."""

from typing import TYPE_CHECKING

import pytest

from trackai.housekeeping.rollups import Folder
from trackai.model.alarm import Fact
from trackai.sandbox.platforms import SaleStatus
from trackai.storage.installation_facts import load_facts_all_tenants

if TYPE_CHECKING:
    from tests.support.world import World


async def facts(world: "World") -> dict[Fact, float]:
    async with world.workers.transaction() as tx:
        return await load_facts_all_tenants(tx, now=world.clock.now())


async def sell(world: "World", number: int) -> None:
    for _ in range(number):
        await world.tell("kiwify", world.sale(), SaleStatus.APPROVED)


async def test_of_nothing_little_is_known(world: "World") -> None:
    found = await facts(world)

    assert {Fact.DEAD_LETTERS_ALL: 0, Fact.OLDEST_DEAD_LETTER_S: 0} == {
        fact: value for fact, value in found.items() if fact != Fact.ROLLUP_WAITING
    }


async def test_dead_letters_of_all_tenants_are_counted_with_the_age_of_the_first(
    world: "World",
) -> None:
    await sell(world, 2)
    statement = "update deliveries set status = 'dead', settled_at = $1"
    async with world.workers.transaction() as tx:
        await tx.execute(statement, world.clock.now())
    world.clock.forward(minutes=10)
    found = await facts(world)

    assert (2, 600) == (found[Fact.DEAD_LETTERS_ALL], found[Fact.OLDEST_DEAD_LETTER_S])


async def test_counts_that_were_folded_are_known(world: "World") -> None:
    await sell(world, 4)
    before = await facts(world)
    await Folder(world.workers, world.clock).step()
    world.clock.forward(seconds=90)
    after = await facts(world)

    assert before[Fact.ROLLUP_WAITING] > 0
    assert Fact.MATCH_RATE_PERCENT not in before
    assert (0, 90) == (after[Fact.ROLLUP_WAITING], after[Fact.ROLLUP_LAG_S])
    assert 0 == pytest.approx(after[Fact.MATCH_RATE_PERCENT])
