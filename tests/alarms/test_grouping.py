"""Many incidents of one cause are one call, to the installation's people and to a tenant's own."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from tests.alarms.conftest import ENVIRONMENT

from trackai.alarms.catalogue import watched
from trackai.alarms.choices import NewRoute
from trackai.alarms.evaluator import Evaluator, Source, Watch
from trackai.alarms.measuring import Measured
from trackai.model.alarm import RouteKind, Subject
from trackai.model.clock import new_id
from trackai.storage.alarm_calls import list_calls_all_tenants

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tests.alarms.conftest import Tower

    from trackai.storage.alarm_routes import Route
    from trackai.storage.pool import Tx


@dataclass
class Pixels:
    """Pixels of two tenants whose events are held back, or not."""

    real: Source
    tenants: tuple[UUID, UUID]
    held: set[tuple[int, int]] = field(default_factory=set)  # of which tenant, which pixel
    known: set[tuple[int, int]] = field(default_factory=set)

    async def measure(self, tx: "Tx", now: "dt.datetime") -> dict[Subject, Measured]:
        del tx, now
        self.known |= self.held
        return {
            Subject(self.tenants[whose], "breaker_open", f"pixel-{number:05}"): Measured(
                float((whose, number) in self.held), f"pixel {number}"
            )
            for whose, number in self.known
        }

    async def routes(self, tx: "Tx") -> "Sequence[Route]":
        return await self.real.routes(tx)


async def pixels_of(tower: "Tower") -> Pixels:
    """Have the owners of two tenants and the installation's people called; nothing is held yet."""
    other = await tower.world.open_account("Outra")
    tenants = (tower.world.account.tenant.id, other.tenant.id)
    await tower.page()
    for whose, tenant_id in enumerate(tenants):
        owner = NewRoute(RouteKind.EMAIL, "owner", f"owner-{whose}@loja.test")
        await tower.choices(tenant_id).add_route(owner)
    pixels = Pixels(tower.evaluator._watch.source, tenants)
    watch = Watch(watched(production=True), pixels, ENVIRONMENT)
    tower.evaluator = Evaluator(tower.world.workers, watch, tower.world.clock, new_id)
    return pixels


def letters(tower: "Tower", whose: int) -> list[str]:
    """Return what the owner of a tenant was told."""
    to = f"owner-{whose}@loja.test"
    return [letter.subject for letter in tower.post.letters if letter.to == to]


async def test_many_of_a_tenant_are_one_letter_and_few_are_told_one_by_one(
    tower: "Tower",
) -> None:
    pixels = await pixels_of(tower)
    pixels.held = {(0, number) for number in range(12)} | {(1, 0), (1, 1)}
    await tower.look(4)

    assert ["Events are held back: 12 at once"] == letters(tower, 0)
    assert 2 == len(letters(tower, 1))
    assert ["Events are held back: 14 at once"] == [
        one["payload"]["summary"] for one in tower.pager.events
    ]


async def test_a_tenants_shared_letter_ends_with_the_last_of_its_own(tower: "Tower") -> None:
    pixels = await pixels_of(tower)
    pixels.held = {(0, number) for number in range(12)} | {(1, 0)}
    await tower.look(4)
    pixels.held = {(0, 3), (1, 0)}
    await tower.look(4)
    nearly = len(letters(tower, 0))
    pixels.held = {(1, 0)}
    await tower.look(4)
    over = letters(tower, 0)[1:], len(letters(tower, 1)), len(tower.pager.events)
    pixels.held = set()
    await tower.look(4)

    assert 1 == nearly
    assert (["Over: Events are held back"], 1, 1) == over
    assert 2 == len(letters(tower, 1))
    assert ["trigger", "resolve"] == [one["event_action"] for one in tower.pager.events]


async def test_one_after_the_other_they_become_many_and_a_restart_forgets_nothing(
    tower: "Tower",
) -> None:
    pixels = await pixels_of(tower)
    for number in range(9):
        pixels.held.add((0, number))
        tower.evaluator = Evaluator(
            *(tower.world.workers, tower.evaluator._watch, tower.world.clock, new_id)
        )
        await tower.look(4)
    began = letters(tower, 0)
    await tower.choices(pixels.tenants[0]).acknowledge("breaker_open", "pixel-00008")
    await tower.look(1)
    taken = letters(tower, 0)[len(began) :]
    pixels.held = set()
    await tower.look(4)

    assert (6, "Events are held back: 6 at once") == (len(began), began[-1])
    assert 1 == len(taken)
    assert 6 == len(letters(tower, 0)) - len(began) - len(taken)


async def test_ten_thousand_at_once_are_two_calls(tower: "Tower") -> None:
    pixels = await pixels_of(tower)
    pixels.held = {(0, number) for number in range(10_000)}
    await tower.look(4)
    pixels.held = set()
    await tower.look(4)
    async with tower.world.workers.transaction() as tx:
        calls = await list_calls_all_tenants(tx, limit=100)

    assert 4 == len(calls)
    assert {"sent"} == {row["state"] for row in calls}
