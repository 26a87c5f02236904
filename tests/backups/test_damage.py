"""A backup that was damaged, swapped or sealed with another key is noticed, never half restored."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from trackai.backups.catalogue import BASE, MANIFEST, ROWS, Base, Catalogue
from trackai.backups.restoring import restore
from trackai.backups.vaults import Directory
from trackai.errors import BackupDamaged, BackupFailed, NotFound
from trackai.storage import backups
from trackai.storage.dumps import is_empty
from trackai.storage.envelope import Envelope

if TYPE_CHECKING:
    from tests.support.world import World

    from trackai.backups.keeping import Keeper


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def cut(path: Path, by: int) -> None:
    path.write_bytes(path.read_bytes()[:-by])


async def test_whatever_is_damaged_nothing_is_restored(
    world: "World", keeper: "Keeper", catalogue: Catalogue, vault: Path, empty_database_url: str
) -> None:
    await world.fill(world.account)
    made = await keeper.make(catalogue)
    other = await keeper.make(catalogue)
    rows = vault / made.name / ROWS
    whole = rows.read_bytes()

    async def refused() -> None:
        with pytest.raises(BackupDamaged):
            await restore(catalogue, made, empty_database_url)
        assert await is_empty(empty_database_url)
        rows.write_bytes(whole)

    for at in (0, 60, len(whole) // 2, len(whole) - 1):
        flip(rows, at)
        await refused()
    cut(rows, 1)
    await refused()
    cut(rows, len(whole) // 2)
    await refused()
    shutil.copy(vault / other.name / ROWS, rows)
    await refused()
    assert (await restore(catalogue, made, empty_database_url)).proved


async def test_a_file_of_an_earlier_attempt_under_the_same_name_is_noticed(
    keeper: "Keeper", catalogue: Catalogue, empty_database_url: str
) -> None:
    made = await keeper.make(catalogue)
    plain = b"".join([piece async for piece in catalogue.reading(f"{made.name}/{ROWS}")])
    async with catalogue.writing(f"{made.name}/{ROWS}") as writing:
        await writing.add(plain)

    with pytest.raises(BackupDamaged, match="another file"):
        await restore(catalogue, made, empty_database_url)


async def test_a_damaged_manifest_is_listed_with_its_trouble(
    keeper: "Keeper", catalogue: Catalogue, vault: Path
) -> None:
    made = await keeper.make(catalogue)
    whole = await keeper.make(catalogue)
    flip(vault / made.name / MANIFEST, 80)

    listed = {one.name: one for one in await catalogue.backups()}

    assert listed[made.name].manifest is None
    assert "damaged" in (listed[made.name].trouble or "")
    assert listed[whole.name].manifest == whole
    assert whole == await catalogue.newest()


async def test_without_its_key_a_backup_is_noise(
    world: "World", keeper: "Keeper", catalogue: Catalogue, vault: Path
) -> None:
    await world.fill(world.account)
    made = await keeper.make(catalogue)
    stranger = Catalogue(Directory(vault), Envelope([bytes(32)]))

    (listed,) = await stranger.backups()
    with pytest.raises(BackupDamaged, match="TRACKAI_SECRET_KEY"):
        await stranger.load(made.name)

    kept = [one.key for one in await catalogue.vault.kept()]
    stored = b"".join([(vault / key).read_bytes() for key in kept])
    assert "TRACKAI_SECRET_KEY" in (listed.trouble or "")
    assert [] == [one for one in world.private() if one.encode() in stored]
    assert b"PGDMP" not in stored


async def test_a_trial_that_fails_is_noted_and_is_no_backup_to_the_alarm(
    world: "World", keeper: "Keeper", catalogue: Catalogue, vault: Path
) -> None:
    first = await keeper.make(catalogue)
    world.clock.forward(days=1)
    made = await keeper.make(catalogue)
    flip(vault / made.name / ROWS, 1000)

    with pytest.raises(BackupDamaged):
        await keeper.try_out(catalogue, made)

    async with world.workers.transaction() as tx:
        known = {one.name: one for one in await backups.list_backups(tx)}
        since = await backups.find_unsaved_since_all_tenants(tx)
    assert known[made.name].refuted_at == world.clock.now()
    assert since == first.taken_at


async def test_what_fails_in_the_middle_is_no_backup(
    world: "World", keeper: "Keeper", catalogue: Catalogue, vault: Path
) -> None:
    async def fails(_: Catalogue, name: str) -> tuple[Base, object] | None:
        assert (vault / name / ROWS).exists()
        raise BackupFailed(f"No room for {BASE}.")

    broken = replace(keeper, base=fails)  # type: ignore[arg-type]

    with pytest.raises(BackupFailed):
        await broken.make(catalogue)

    async with world.workers.transaction() as tx:
        known = await backups.list_backups(tx)
    assert [] == await catalogue.backups()
    assert [] == known
    with pytest.raises(NotFound):
        await catalogue.newest()


async def test_a_dump_that_ends_early_is_no_backup(
    keeper: "Keeper", catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.storage.dumps.DUMP_OPTIONS", ("--format=custom", "--no-such"))

    with pytest.raises(BackupFailed, match="pg_dump ended with 1"):
        await keeper.make(catalogue)

    assert [] == await catalogue.vault.kept()


async def test_a_backup_of_a_newer_release_is_refused(
    keeper: "Keeper", catalogue: Catalogue, empty_database_url: str
) -> None:
    made = await keeper.make(catalogue)
    newer = msgspec.structs.replace(made, revision="9999_pre_the_future")

    with pytest.raises(Exception, match="newer release"):
        await restore(catalogue, newer, empty_database_url)
    assert await is_empty(empty_database_url)
