"""The embedded server's log is kept, and played on a copy up to a time, by real servers."""

import asyncio
import datetime as dt
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from trackai.backups.catalogue import BASE, Catalogue
from trackai.backups.keeping import Keeper, Keeping
from trackai.backups.vaults import Directory
from trackai.backups.wal import CopiesData, TakesLog, restore_until
from trackai.errors import BackupDamaged, BackupFailed, ConfigurationError, NotFound
from trackai.model.clock import SystemClock, new_id
from trackai.storage.embedded import EmbeddedPostgres, start_embedded
from trackai.storage.envelope import Envelope
from trackai.storage.migrate import migrate
from trackai.storage.pool import Database, Role
from trackai.storage.wal import archive_of, end_segment, find_archiving

PATIENCE_S = 60.0
pytestmark = pytest.mark.xdist_group("points in time")


@pytest.fixture(scope="module")
def place(fast_directory: Path) -> Iterator[Path]:
    """Yield a directory that every user can enter, for servers of these tests' own."""
    directory = Path(tempfile.mkdtemp(prefix="tai-", dir=fast_directory))
    directory.chmod(0o711)
    yield directory
    for cluster in directory.rglob("postgres/postmaster.pid"):
        with suppress(ConfigurationError):
            start_embedded(cluster.parents[1], durable=False).stop()
    shutil.rmtree(directory)


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedPostgres]:
    """Yield a server whose log is kept."""
    home = Path(tempfile.mkdtemp(prefix="server-", dir=place))
    home.chmod(0o711)
    with start_embedded(home, durable=False, archives=True) as made:
        yield made


@pytest.fixture
async def keeper(server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Keeper]:
    await migrate(server.url)
    keeping = Keeping(str(tmp_path / "vault"), keep=dt.timedelta(7), trial_every=dt.timedelta(0))
    async with Database.opened(server.url, Role.PIPELINE, size=1) as database:
        yield Keeper(
            *(server.url, keeping, Envelope([bytes(32)]), database, SystemClock(), new_id),
            CopiesData(server.url, SystemClock()),
            TakesLog(server.url, archive_of(server.directory)),
        )


async def write(url: str, name: str) -> dt.datetime:
    """Add a tenant, and return a time after its commit and before the next one's."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "set role trackai_app;"
            " select set_config('app.tenant_id', gen_random_uuid()::text, false)"
        )
        await connection.execute(
            "insert into tenants (id, name, site_key)"
            " values (current_setting('app.tenant_id')::uuid, $1, $1)",
            name,
        )
        await asyncio.sleep(0.05)
        moment: dt.datetime = await connection.fetchval("select clock_timestamp()")
        await asyncio.sleep(0.05)
    finally:
        await connection.close()
    return moment


async def names(home: Path) -> list[str]:
    def start() -> EmbeddedPostgres:
        return start_embedded(home, durable=False)

    server = await asyncio.to_thread(start)
    try:
        connection = await asyncpg.connect(server.url)
        try:
            return [row["name"] for row in await connection.fetch("select name from tenants")]
        finally:
            await connection.close()
    finally:
        await asyncio.to_thread(server.stop)


async def take_all(keeper: Keeper) -> None:
    """Have all that was written archived and taken."""
    await until_archived(keeper)
    await keeper.take_log()


async def until_archived(keeper: Keeper) -> None:
    """End the segment that is written, and wait until the server has laid it down."""
    found = await find_archiving(keeper.url)
    assert found is not None
    assert keeper.log is not None
    await end_segment(keeper.url)
    path = keeper.log.archive / found[1]
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(0.1)


async def test_a_time_between_two_sales_is_reached_and_so_is_the_end(
    keeper: Keeper, place: Path
) -> None:
    async with keeper.catalogue() as catalogue:
        await write(keeper.url, "before")
        made = await keeper.make(catalogue)
        moment = await write(keeper.url, "between")
        await write(keeper.url, "after")
        await take_all(keeper)

        for home, until in ((place / "time", moment), (place / "end", None)):
            home.mkdir(mode=0o711)
            began = await restore_until(catalogue, home, until)
            assert began.name == made.name

        assert made.base is not None
        early = made.base.finished_at - dt.timedelta(hours=1)
        with pytest.raises(NotFound, match="begin where"):
            await restore_until(catalogue, place / "early", early)
        with pytest.raises(ConfigurationError, match="there already"):
            await restore_until(catalogue, place / "time", moment)

    assert ["before", "between"] == sorted(await names(place / "time"))
    assert ["after", "before", "between"] == sorted(await names(place / "end"))


async def test_a_time_behind_the_end_of_the_log_is_refused_and_the_end_is_offered(
    keeper: Keeper, place: Path
) -> None:
    async with keeper.catalogue() as catalogue:
        await keeper.make(catalogue)
        await write(keeper.url, "last")
        await take_all(keeper)
        later = SystemClock().now() + dt.timedelta(days=1)
        home = place / "later"
        home.mkdir(mode=0o711)

        with pytest.raises(BackupFailed, match="--until end"):
            await restore_until(catalogue, home, later)
        await restore_until(catalogue, home, None)

    assert ["last"] == await names(home)


async def test_a_damaged_copy_is_not_made_the_data(
    keeper: Keeper, place: Path, tmp_path: Path
) -> None:
    async with keeper.catalogue() as catalogue:
        made = await keeper.make(catalogue)
        path = tmp_path / "vault" / made.name / BASE
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        home = place / "damaged"
        home.mkdir(mode=0o711)

        with pytest.raises(BackupDamaged):
            await restore_until(catalogue, home, None)

    assert not (home / "postgres").exists()


async def test_the_log_stays_while_the_vault_is_away(keeper: Keeper, tmp_path: Path) -> None:
    assert keeper.log is not None
    await write(keeper.url, "one")
    (tmp_path / "file").write_text("in the way")
    away = Catalogue(Directory(tmp_path / "file" / "vault"), keeper.envelope)
    await until_archived(keeper)
    waiting = {one.name for one in keeper.log.archive.iterdir()}

    with pytest.raises(BackupFailed):
        await keeper.log.run(away)
    assert waiting <= {one.name for one in keeper.log.archive.iterdir()}

    assert await keeper.take_log() >= 1
    async with keeper.catalogue() as catalogue:
        assert {one.key.split("/")[2] for one in await catalogue.vault.kept("wal/")} >= waiting
