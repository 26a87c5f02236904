"""A database whose password is kept elsewhere: changed while it is used, and not to be had."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.storage.conftest import passable

from trackai.cli.login import open_login
from trackai.errors import ConfigurationError, StorageUnavailable
from trackai.storage.embedded import EmbeddedPostgres, start_embedded
from trackai.storage.pool import Database
from trackai.storage.schema import current
from trackai.storage.snapshots import open_snapshot
from trackai.storage.wakeups import Channel, Wakeups
from trackai.storage.wal import superuser

OLD, NEW = "made-up-old", "made-up-new"


@dataclass
class Guest:
    """A login that has to say a password, and the file that its password is kept in."""

    server: EmbeddedPostgres
    url: str
    safe: Path

    @property
    def kept_at(self) -> str:
        return f"file:{self.safe.name}"

    async def change(self, password: str) -> None:
        """Change the password at the server, then where it is kept, as Amazon RDS does."""
        await _execute(self.server.url, f"alter role guest password '{password}'")
        self.safe.write_text(f'{{"username": "guest", "password": "{password}"}}')


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def server(fast_directory: Path) -> Iterator[EmbeddedPostgres]:
    """Yield a server that asks one login for its password."""
    with passable(fast_directory) as home:
        with start_embedded(home, durable=False) as made:
            asyncio.run(_execute(made.url, "create role guest login"))
            rules = next(home.rglob("pg_hba.conf"))
            rules.write_text("local all guest scram-sha-256\n" + rules.read_text())
        with start_embedded(home, durable=False) as made:
            yield made


@pytest.fixture
async def guest(server: EmbeddedPostgres, tmp_path: Path) -> Guest:
    rest = server.url.partition("@")[2]
    made = Guest(server, f"postgresql://guest@{rest}", tmp_path / "database")
    await made.change(OLD)
    return made


async def test_without_its_password_nobody_comes_in(guest: Guest) -> None:
    with pytest.raises(ConfigurationError):
        await current(guest.url)


async def test_every_connection_is_made_with_the_password_as_it_is_kept(guest: Guest) -> None:
    async with open_login(guest.url, guest.kept_at, guest.safe.parent) as url:
        assert url is not None
        async with Database.opened(url, None, size=1) as database, database.transaction() as tx:
            (row,) = await tx.fetch("select current_user as who")
        async with open_snapshot(url):
            pass

    assert "guest" == row["who"]


async def test_a_password_that_was_changed_needs_no_restart(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trackai.cli.login.PASSWORD_S", 0.0)
    async with open_login(guest.url, guest.kept_at, guest.safe.parent) as url:
        assert url is not None
        async with Database.opened(url, None, size=1) as database:
            async with database.transaction() as tx:
                await tx.fetch("select 1")
            await guest.change(NEW)
            await _execute(
                superuser(guest.server.url),
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'guest'",
            )
            found = await _again(database)

    assert 1 == found


async def _again(database: Database) -> int:
    """Ask until it is answered: a password is looked up once a second at most."""
    while True:
        try:
            async with database.transaction() as tx:
                (row,) = await tx.fetch("select 1 as one")
        except StorageUnavailable:
            await asyncio.sleep(0.05)
        else:
            return int(row["one"])


async def test_wake_ups_listen_with_it_too(guest: Guest) -> None:
    async with open_login(guest.url, guest.kept_at, guest.safe.parent) as url:
        assert url is not None
        async with Wakeups(url) as wakeups:
            while not await _listens(superuser(guest.server.url)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await _execute(guest.server.url, f"notify {Channel.RECEIPTS.value}")
            await wakeups.wait(Channel.RECEIPTS, timeout_s=20)


async def _listens(url: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return bool(
            await connection.fetchval(
                "select count(*) from pg_stat_activity where application_name = 'trackai wakeups'"
                " and query like 'LISTEN %deliveries%'"
            )
        )
    finally:
        await connection.close()


async def test_a_password_that_cannot_be_looked_up_is_a_database_that_is_away(
    guest: Guest,
) -> None:
    guest.safe.unlink()
    async with open_login(guest.url, guest.kept_at, guest.safe.parent) as url:
        assert url is not None
        with pytest.raises(StorageUnavailable) as caught:
            await current(url)

    assert "TRACKAI_DATABASE_PASSWORD_FROM" in str(caught.value)
    assert OLD not in repr(caught.value)


async def test_an_address_that_has_its_password_is_left_as_it_is(guest: Guest) -> None:
    async with open_login(guest.url, None, None) as url:
        assert url is guest.url


async def test_a_place_that_is_none_stops_the_start(guest: Guest) -> None:
    with pytest.raises(ConfigurationError, match="aws:NAME"):
        async with open_login(guest.url, "somewhere", None):
            pass
