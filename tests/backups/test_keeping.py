"""A backup a day, tried out once a week, let go in its time; and how old the last one is."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.measuring import measure
from trackai.backups.catalogue import Catalogue
from trackai.backups.keeping import Keeper
from trackai.model.alarm import INSTALLATION, Subject
from trackai.operations.backups import backup
from trackai.operations.findings import Patient, State
from trackai.storage import backups
from trackai.storage.backups import Backup, Origin

if TYPE_CHECKING:
    from tests.support.world import World

OLD = Subject(INSTALLATION, "backup_old")
DAY = dt.timedelta(days=1)


async def age_h(world: "World", *, elsewhere: bool = False) -> float | None:
    async with world.workers.transaction() as tx:
        found = await measure(
            *(tx, ALARMS.values(), [], world.clock.now()), backups_elsewhere=elsewhere
        )
    return found[OLD].value


async def tell(world: "World", *told: Backup) -> None:
    async with world.workers.transaction() as tx:
        for one in told:
            await backups.insert_backup(tx, one)


async def known(world: "World") -> list[Backup]:
    async with world.workers.transaction() as tx:
        return await backups.list_backups(tx)


def patient(world: "World", **changes: object) -> Patient:
    made = Patient(
        *(world.workers, world.envelope, None, world.clock, Path(), None, []), production=True
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_an_installation_without_a_backup_is_as_old_as_its_first_tenant(
    world: "World",
) -> None:
    async with world.workers.transaction() as tx:
        (row,) = await tx.fetch("select min(created_at) as at from tenants")
    world.clock.forward(days=3)

    lost = (world.clock.now() - row["at"]).total_seconds() / 3600
    assert await age_h(world) == max(0.0, lost)


async def test_the_alarm_has_the_age_of_the_last_backup(
    world: "World", keeper: Keeper, catalogue: Catalogue
) -> None:
    await keeper.make(catalogue)
    world.clock.forward(hours=5)

    assert await age_h(world) == 5.0


async def test_of_backups_made_elsewhere_nothing_is_known_until_something_tells(
    world: "World",
) -> None:
    assert await age_h(world, elsewhere=True) is None

    at = world.clock.now()
    await tell(world, Backup("snapshot-1", Origin.ELSEWHERE, at - dt.timedelta(hours=2), at))

    assert await age_h(world, elsewhere=True) == 2.0


async def test_every_day_a_backup_and_once_a_week_a_trial(
    world: "World", keeper: Keeper, catalogue: Catalogue
) -> None:
    weekly = replace(keeper, keeping=replace(keeper.keeping, trial_every=7 * DAY))

    assert await weekly.back_up() > 0
    world.clock.forward(days=1)
    await weekly.back_up()

    newest, first = await known(world)
    assert (first.verified_at, newest.verified_at) == (world.clock.now() - DAY, None)
    assert len(await catalogue.backups()) == 2


async def test_after_a_week_a_backup_and_its_row_are_gone(
    world: "World", keeper: Keeper, catalogue: Catalogue, vault: Path
) -> None:
    first = await keeper.make(catalogue)
    await tell(world, Backup("elsewhere", Origin.ELSEWHERE, world.clock.now(), world.clock.now()))
    world.clock.forward(days=7, seconds=1)
    assert await keeper.keep_up() == 0  # the newest stays
    second = await keeper.make(catalogue)

    assert await keeper.keep_up() == 2

    assert [second.name] == [one.name for one in await catalogue.backups()]
    assert [second.name] == [one.name for one in await known(world)]
    assert not (vault / first.name).exists()


async def test_what_somebody_deleted_is_not_taken_for_a_backup(
    world: "World", keeper: Keeper, catalogue: Catalogue
) -> None:
    made = await keeper.make(catalogue)
    await catalogue.vault.remove([one.key for one in await catalogue.vault.kept(made.name)])

    await keeper.keep_up()

    assert [] == await known(world)


async def test_the_doctor_fails_a_production_without_backups(world: "World") -> None:
    (none,) = await backup(patient(world))
    (unknown,) = await backup(patient(world, backups_elsewhere=True))
    (soon,) = await backup(patient(world, vault="/backups"))
    (laptop,) = await backup(patient(world, production=False))

    assert (none.state, "TRACKAI_BACKUP_TO" in none.to_do) == (State.FAILED, True)
    assert (unknown.state, "backup note" in unknown.to_do) == (State.WARNING, True)
    assert (soon.state, "backup run" in soon.to_do) == (State.WARNING, True)
    assert laptop.state is State.OK


async def test_the_doctor_tells_old_untried_and_refuted_ones(world: "World") -> None:
    at = world.clock.now()
    await tell(world, Backup("one", Origin.OWN, at, at), Backup("two", Origin.OWN, at - DAY, at))

    fresh = await backup(patient(world))
    async with world.workers.transaction() as tx:
        await backups.note_trial(tx, "one", at=at, proved=True)
        await backups.note_trial(tx, "two", at=at, proved=False)
    tried = await backup(patient(world))
    world.clock.forward(hours=27)
    old = await backup(patient(world))

    assert [one.state for one in fresh] == [State.OK, State.WARNING]
    assert [(one.state, "two" in one.found) for one in tried] == [
        (State.FAILED, True),
        (State.OK, False),
    ]
    assert [one.state for one in old] == [State.FAILED, State.FAILED]
