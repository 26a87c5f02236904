"""Brings a database's schema up to date: Alembic revisions in plain SQL, forward only.

Each revision commits together with its version, or leaves no trace. Steps of `migrate`:
1. connect, and wait for whoever else migrates this database (an advisory lock);
2. run what is missing, oldest first, each in a transaction of its own;
3. let go. Needs a direct connection (no transaction pooler) and a role that owns the database and
   may create roles.
"""

import asyncio
import threading
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationInfo
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from trackai.errors import ConfigurationError, StatementRefused, StorageUnavailable, TrackaiError
from trackai.storage.schema import SCRIPTS, Driver, connected, revisions, version

HEAD = "head"

# "trackai" in ASCII: any number that nothing else locks in this database.
LOCK = 0x747261636B6169
# How long to wait for another process that migrates.
LOCK_WAIT_S = 300
POLL_S = 0.05

# Gives up with lock_timeout.
TAKE_LOCK = "select pg_advisory_lock($1)"

# Someone else's doing: the same migration may succeed later.
_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InterfaceError,
    OSError,
)
# Alembic keeps its context in module globals: one upgrade at a time in a process.
_ALEMBIC = threading.Lock()


async def migrate(
    url: str, *, target: str = HEAD, scripts: Path = SCRIPTS, allow_newer: bool = False
) -> list[str]:
    """Run the missing revisions up to the target and return their names, oldest first.

    Safe to run from several processes at once: one works, the others find nothing left to do.
    `allow_newer`: nor is there anything to do where a newer release was, as this one may run there.
    StatementRefused when a revision fails (it left no trace, those before it stay);
    ConfigurationError when the database is not ours to migrate; StorageUnavailable when it is away.
    """
    names = revisions(scripts)
    applied: list[str] = []
    async with connected(url) as connection:
        await _take_lock(connection)
        have = await version(connection)
        if allow_newer and have is not None and have not in names:
            return []
        _check_forward(names, have, target)
        try:
            await _upgrade(connection, scripts, target, applied)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, OSError) as error:
            done = names.index(have) + 1 if have else 0
            raise _failure(names[done + len(applied)], error) from error
    return applied


def _config(scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


async def _take_lock(connection: Driver) -> None:
    await connection.execute(f"set lock_timeout = '{LOCK_WAIT_S}s'")
    try:
        await connection.execute(TAKE_LOCK, LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise StorageUnavailable(
            f"Another process has been migrating this database for {LOCK_WAIT_S} s. Try again "
            "when it is done."
        ) from error


def _check_forward(names: list[str], have: str | None, target: str) -> None:
    if have is not None and have not in names:
        raise ConfigurationError(
            f"A newer release has migrated this database (to {have}). Run that release's "
            "migrations instead of this one's."
        )
    if target != HEAD and target not in names:
        raise ConfigurationError(f"There is no revision {target}. Known: {', '.join(names)}.")
    if target != HEAD and have is not None and names.index(target) < names.index(have):
        raise ConfigurationError(
            f"Migrations only go forward, and the database is at {have}, beyond {target}. "
            "To go back, restore a backup."
        )


async def _upgrade(connection: Driver, scripts: Path, target: str, applied: list[str]) -> None:
    async def hand_over() -> Driver:
        return connection

    def note(*, step: MigrationInfo, **_: object) -> None:
        if step.up_revision_id is not None:
            applied.append(step.up_revision_id)

    def upgrade(bound: Connection) -> None:
        config = _config(scripts)
        config.attributes.update(connection=bound, on_version_apply=note)
        command.upgrade(config, target)

    while not _ALEMBIC.acquire(blocking=False):  # noqa: ASYNC110 - threads' lock, has no event
        await asyncio.sleep(POLL_S)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=hand_over, poolclass=NullPool
    )
    try:
        async with engine.connect() as bound:
            await bound.run_sync(upgrade)
    finally:
        _ALEMBIC.release()
        await engine.dispose()


def _failure(name: str, error: Exception) -> TrackaiError | ConfigurationError:
    # SQLAlchemy wraps what its own statements raise; what the script raises comes as it is.
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, asyncpg.InsufficientPrivilegeError):
        return ConfigurationError(
            f"Migration {name} was refused: the role in TRACKAI_DATABASE_URL must own the database "
            "and its tables, and have CREATEROLE."
        )
    # Data errors quote the value.
    said = type(cause).__name__
    if cause is not None and cause.args and not isinstance(cause, asyncpg.DataError):
        said = f"{said}: {cause.args[0]}"
    if isinstance(cause, _PASSING):
        return StorageUnavailable(f"Migration {name} left no trace; run it again. {said}")
    return StatementRefused(f"Migration {name} failed and left no trace. {said}")
