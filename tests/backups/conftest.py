"""A tenant with everything, a vault on the disk, and what makes backups into it."""

import datetime as dt
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.world import World, open_world

from trackai.backups.catalogue import Catalogue
from trackai.backups.keeping import Keeper, Keeping
from trackai.backups.vaults import Directory
from trackai.model.clock import new_id


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """Yield one account on a database that this test alone uses."""
    async with open_world(fresh_database_url) as made:
        yield made


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return where backups go."""
    return tmp_path / "vault"


@pytest.fixture
def scratch(fast_directory: Path) -> Iterator[Path]:
    """Yield where trials have their servers; pytest's own directory is closed to them."""
    directory = fast_directory / f"trackai-trials-{os.getpid()}"
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def keeper(world: World, vault: Path, scratch: Path) -> Keeper:
    """Return what makes and tries backups of the world, never tried by itself."""
    week, never = dt.timedelta(days=7), dt.timedelta(0)
    keeping = Keeping(str(vault), keep=week, trial_every=never, scratch=scratch)
    return Keeper(world.url, keeping, world.envelope, world.workers, world.clock, new_id)


@pytest.fixture
def catalogue(world: World, vault: Path) -> Catalogue:
    """Return the vault with the world's key."""
    return Catalogue(Directory(vault), world.envelope)
