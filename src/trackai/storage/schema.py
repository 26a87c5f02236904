"""Which revision a database's schema is at, and which it lacks; running them is `migrate`'s.

Apart from it since every command asks this, and Alembic is slow to load.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg

from trackai.storage.connect_errors import CONNECT_ERRORS, why_not_connected
from trackai.storage.login import said_of
from trackai.storage.pool import Row

SCRIPTS = Path(__file__).with_name("migrations")
CONNECT_TIMEOUT_S = 15.0

# Null when the table does not exist: nothing ever ran here.
FIND_VERSION_TABLE = "select to_regclass('alembic_version')::text"
# The revision the schema is at.
READ_VERSION = "select version_num from alembic_version"

Driver: TypeAlias = "asyncpg.Connection[Row]"


def revisions(scripts: Path = SCRIPTS) -> list[str]:
    """Return the names of all revisions that this release knows, oldest first."""
    return sorted(path.stem for path in (scripts / "versions").glob("*.sql"))


async def current(url: str) -> str | None:
    """Return the newest revision of the database; None when none ever ran."""
    async with connected(url) as connection:
        return await version(connection)


async def pending(url: str, *, scripts: Path = SCRIPTS) -> list[str]:
    """Return the revisions that the database lacks, oldest first.

    Empty for a database that a newer release has migrated: its schema serves this release too.
    """
    have = await current(url)
    names = revisions(scripts)
    if have is None:
        return names
    return names[names.index(have) + 1 :] if have in names else []


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Driver]:
    """Open one plain connection; StorageUnavailable or ConfigurationError says why not."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, **said_of(url))
    except CONNECT_ERRORS as error:
        raise why_not_connected(error, url) from error
    try:
        yield connection
    finally:
        if not connection.is_closed():
            await connection.close(timeout=CONNECT_TIMEOUT_S)


async def version(connection: Driver) -> str | None:
    """Return the newest revision of the connection's database; None when none ever ran."""
    if await connection.fetchval(FIND_VERSION_TABLE) is None:
        return None
    found: str | None = await connection.fetchval(READ_VERSION)
    return found
