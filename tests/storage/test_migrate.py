"""Migrations: each revision whole or not at all, forward only, one process at a time."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.support.program import PATIENCE_S

from trackai.errors import ConfigurationError, StatementRefused, StorageUnavailable
from trackai.storage import migrate as module
from trackai.storage import migrations
from trackai.storage.migrate import LOCK, TAKE_LOCK, migrate
from trackai.storage.schema import current, pending, revisions

if TYPE_CHECKING:
    from tests.storage.conftest import Ask

    from trackai.storage.embedded import EmbeddedPostgres

VERSIONS = Path(migrations.__file__).parent / "versions"

MIGRATE = """
import asyncio, sys
from trackai.storage.migrate import migrate
print(*asyncio.run(migrate(sys.argv[1])))
"""
REVISION = '''"""A step."""

from trackai.storage.migrations import downgrade, script_of

revision = {name!r}
down_revision = {before!r}
upgrade = script_of(__file__)
'''

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write revisions of a test's own (keyword: script) and return where they are."""

    def scripts(**steps: str) -> Path:
        shutil.copy(Path(migrations.__file__).with_name("env.py"), tmp_path)
        (tmp_path / "versions").mkdir(exist_ok=True)
        before = None
        for name, script in steps.items():
            text = REVISION.format(name=name, before=before)
            (tmp_path / "versions" / f"{name}.py").write_text(text)
            (tmp_path / "versions" / f"{name}.sql").write_text(script)
            before = name
        return tmp_path

    return scripts


TABLES = "select tablename from pg_tables where schemaname = 'public' order by 1"


# Ahead ----------------------------------------------------------------------------------------


async def test_an_empty_database_gets_every_revision(empty_database_url: str, ask: "Ask") -> None:
    assert await current(empty_database_url) is None
    assert revisions() == await pending(empty_database_url)
    assert revisions() == await migrate(empty_database_url)
    assert revisions()[-1] == await current(empty_database_url)
    assert [] == await pending(empty_database_url)
    assert "deliveries" in [row["tablename"] for row in await ask(empty_database_url, TABLES)]


async def test_migrating_twice_does_nothing_the_second_time(fresh_database_url: str) -> None:
    assert [] == await migrate(fresh_database_url)


async def test_revisions_run_up_to_the_target(empty_database_url: str, write: Write) -> None:
    scripts = write(s1="create table a ()", s2="create table b ()", s3="create table c ()")

    assert ["s1", "s2"] == await migrate(empty_database_url, target="s2", scripts=scripts)
    assert ["s3"] == await pending(empty_database_url, scripts=scripts)
    assert ["s3"] == await migrate(empty_database_url, scripts=scripts)


async def test_a_script_may_hold_several_statements_and_percent_signs(
    empty_database_url: str, write: Write, ask: "Ask"
) -> None:
    scripts = write(s1="create table a (t text); insert into a values ('100 %s :x; $1'), ('b');")
    await migrate(empty_database_url, scripts=scripts)
    rows = await ask(empty_database_url, "select t from a order by 1")

    assert ["100 %s :x; $1", "b"] == [row["t"] for row in rows]


async def test_the_older_spelling_of_the_address_is_taken(empty_database_url: str) -> None:
    url = empty_database_url.replace("postgresql://", "postgres://")

    assert revisions() == await migrate(url)


async def test_two_databases_migrate_at_once_in_one_process(
    empty_database_url: str, fresh_database_url: str, write: Write
) -> None:
    scripts = write(s1="select pg_sleep(0.2); create table a ()", s2="create table b ()")
    other = fresh_database_url
    connection = await asyncpg.connect(other)
    await connection.execute("drop table alembic_version")
    await connection.close()
    done = await asyncio.gather(
        migrate(empty_database_url, scripts=scripts), migrate(other, scripts=scripts)
    )

    assert [["s1", "s2"], ["s1", "s2"]] == list(done)


# At once --------------------------------------------------------------------------------------


async def test_of_two_processes_at_once_one_works_and_the_other_finds_nothing_to_do(
    empty_database_url: str, ask: "Ask"
) -> None:
    # Both are made to wait at the lock, so that they really meet.
    holder = await asyncpg.connect(empty_database_url)
    await holder.fetch(TAKE_LOCK, LOCK)
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", MIGRATE, empty_database_url), stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    waiting = "select 1 from pg_locks where locktype = 'advisory' and not granted"
    async with asyncio.timeout(PATIENCE_S):
        while len(await ask(empty_database_url, waiting)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await holder.close()
    outputs = [(await process.communicate())[0].decode().split() for process in processes]

    assert [0, 0] == [process.returncode for process in processes]
    assert [[], revisions()] == sorted(outputs)


async def test_waiting_for_another_process_is_bounded(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_S", 1)
    holder = await asyncpg.connect(empty_database_url)
    await holder.fetch(TAKE_LOCK, LOCK)

    with pytest.raises(StorageUnavailable, match="has been migrating this database"):
        await migrate(empty_database_url)
    await holder.close()
    assert await current(empty_database_url) is None


# Failing --------------------------------------------------------------------------------------


async def test_a_failing_revision_leaves_no_trace_and_those_before_it_stay(
    empty_database_url: str, write: Write, ask: "Ask"
) -> None:
    broken = "create table b (); insert into b default values; alter table missing add c text"
    scripts = write(s1="create table a ()", s2=broken)

    with pytest.raises(StatementRefused, match=r's2 failed .* relation "missing" does not exist'):
        await migrate(empty_database_url, scripts=scripts)
    tables = [row["tablename"] for row in await ask(empty_database_url, TABLES)]
    assert ["a", "alembic_version"] == tables
    assert "s1" == await current(empty_database_url)
    scripts = write(s1="create table a ()", s2="create table b ()")
    assert ["s2"] == await migrate(empty_database_url, scripts=scripts)


async def test_the_error_of_a_failed_revision_quotes_no_value(
    empty_database_url: str, write: Write
) -> None:
    scripts = write(
        s1="create table a (t text); insert into a values ('Ana'); select t::int from a"
    )

    with pytest.raises(StatementRefused) as caught:
        await migrate(empty_database_url, scripts=scripts)
    assert "InvalidTextRepresentationError" in str(caught.value)
    assert "Ana" not in str(caught.value)


async def test_a_migration_that_a_busy_table_holds_up_gives_way_and_can_be_run_again(
    empty_database_url: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "200ms")
    scripts = write(s1="create table a ()", s2="alter table a add t text")
    await migrate(empty_database_url, target="s1", scripts=scripts)
    busy = await asyncpg.connect(empty_database_url)
    await busy.execute("begin; lock table a")

    with pytest.raises(StorageUnavailable, match="s2 left no trace; run it again"):
        await migrate(empty_database_url, scripts=scripts)
    await busy.close()
    assert ["s2"] == await migrate(empty_database_url, scripts=scripts)


async def test_a_role_without_the_rights_is_told_which_it_needs(
    postgres_server: "EmbeddedPostgres", empty_database_url: str, ask: "Ask"
) -> None:
    await ask(empty_database_url, "drop role if exists guest", "create role guest login")
    database = empty_database_url.partition("@/")[2].partition("?")[0]
    try:
        with pytest.raises(ConfigurationError, match="CREATEROLE"):
            await migrate(postgres_server.url_of(database, user="guest"))
    finally:
        await ask(empty_database_url, "drop role guest")


@pytest.mark.parametrize("url", ["mysql://db.example/x", "postgresql://h:port/x", "nonsense"])
async def test_an_address_that_is_none_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(ConfigurationError, match="TRACKAI_DATABASE_URL"):
        await migrate(url)


async def test_a_database_that_does_not_exist_is_the_operators_to_mend(
    postgres_server: "EmbeddedPostgres",
) -> None:
    with pytest.raises(ConfigurationError, match="no database of this name"):
        await migrate(postgres_server.url_of("absent"))


async def test_a_server_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        await pending(f"postgresql://x@/x?host={tmp_path}&port=5432")


# Never back -----------------------------------------------------------------------------------


async def test_a_revision_behind_the_database_is_refused(
    empty_database_url: str, write: Write
) -> None:
    scripts = write(s1="create table a ()", s2="create table b ()")
    await migrate(empty_database_url, scripts=scripts)

    with pytest.raises(ConfigurationError, match="only go forward"):
        await migrate(empty_database_url, target="s1", scripts=scripts)
    assert "s2" == await current(empty_database_url)


async def test_an_unknown_revision_is_refused_and_the_known_are_named(
    empty_database_url: str, write: Write
) -> None:
    with pytest.raises(ConfigurationError, match=r"no revision s9. Known: s1"):
        await migrate(empty_database_url, target="s9", scripts=write(s1="select 1"))


async def test_a_database_of_a_newer_release_serves_and_is_not_migrated(
    empty_database_url: str, write: Write, ask: "Ask"
) -> None:
    await migrate(empty_database_url, scripts=write(s1="select 1", s2="select 1"))
    await ask(empty_database_url, "update alembic_version set version_num = 's3'")
    older = write(s1="select 1", s2="select 1")

    assert [] == await pending(empty_database_url, scripts=older)
    with pytest.raises(ConfigurationError, match="newer release"):
        await migrate(empty_database_url, scripts=older)


async def test_the_way_back_leaves_a_newer_releases_schema_as_it_is(
    empty_database_url: str, write: Write, ask: "Ask"
) -> None:
    older = write(s1="create table a ()", s2="create table b ()")
    await migrate(empty_database_url, target="s1", scripts=older)
    # Nothing newer: what is missing is run.
    assert ["s2"] == await migrate(empty_database_url, scripts=older, allow_newer=True)
    await ask(empty_database_url, "update alembic_version set version_num = 's3'")

    assert [] == await migrate(empty_database_url, scripts=older, allow_newer=True)
    assert "s3" == await current(empty_database_url)


# The revisions themselves ---------------------------------------------------------------------


def test_revisions_are_numbered_in_order_say_pre_or_post_and_have_their_script() -> None:
    names = revisions()

    assert names == sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    assert names == sorted(path.stem for path in VERSIONS.glob("*.sql"))
    assert [f"{number + 1:04}" for number in range(len(names))] == [name[:4] for name in names]
    # 32 characters is what Alembic's table holds.
    assert all(re.fullmatch(r"\d{4}_(pre|post)_[a-z0-9_]+", name) for name in names)
    assert all(len(name) <= 32 for name in names)


def test_no_script_ends_the_transaction_it_runs_in() -> None:
    scripts = [path.read_text() for path in VERSIONS.glob("*.sql")]

    assert not [script for script in scripts if re.search(r"(?im)^\s*(commit|rollback)\b", script)]
