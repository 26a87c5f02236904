"""One moment of a database, held still: what is in every table, counted and summed up.

A transaction of its own, without time limits, in which `pg_dump` reads too (dumps.py), so that what
is counted is what is dumped. Its login reads every row through the policies of the roles that it is
a member of; a table that it would read in part stops it: such a backup would lack rows in silence.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from trackai.errors import InvariantBroken, StorageUnavailable
from trackai.storage.connect_errors import CONNECT_ERRORS, why_not_connected
from trackai.storage.login import said_of
from trackai.storage.schema import CONNECT_TIMEOUT_S, Driver, version

# Text of a value must not depend on the server it is asked of.
_PLAIN = {
    "application_name": "trackai backup",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "jit": "off",
    "statement_timeout": "0",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "0",
}

# Names this moment, so that another session can read at it.
EXPORT_SNAPSHOT = "select pg_export_snapshot()"

# Every table (partitions are in theirs), and whether this login reads all of its rows: nothing
# hides any, or a policy of a role of its own shows them all.
LIST_TABLES_ALL_TENANTS = """
select c.relname as name, quote_ident(c.relname) as quoted,
  has_table_privilege(c.oid, 'select') and (not row_security_active(c.oid) or exists (
    select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('*', 'r')
      and pg_get_expr(p.polqual, p.polrelid) = 'true'
      and exists (select from unnest(p.polroles) as r (id)
        where r.id = 0 or pg_has_role(r.id, 'usage')))
  ) and not exists (
    select from pg_policy p where p.polrelid = c.oid and not p.polpermissive) as whole
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
order by c.relname
"""

# Roles that grants and policies name; they belong to the server, not to the database.
LIST_ROLES = r"""
select rolname as name from pg_roles where rolname like 'trackai\_%' and not rolcanlogin order by 1
"""

# The server's own version, and whether it is a copy that only reads.
LOAD_SERVER = """
select current_setting('server_version_num')::integer as version, pg_is_in_recovery() as copy
"""


@dataclass(frozen=True, slots=True)
class TableSum:
    """What is in a table."""

    table: str
    rows: int
    checksum: str


class Snapshot:
    """A database as it was at one moment."""

    def __init__(self, connection: Driver, name: str, tables: dict[str, str]) -> None:
        self._connection = connection
        self._tables = tables
        self.name = name

    async def revision(self) -> str | None:
        """Return the revision its schema is at; None when it has none of ours."""
        return await version(self._connection)

    async def server_version(self) -> int:
        """Return the server's version, as in 180006."""
        row = await self._connection.fetchrow(LOAD_SERVER)
        return int(row["version"]) if row else 0

    async def roles(self) -> list[str]:
        """Return the roles that the schema needs."""
        return [row["name"] for row in await self._connection.fetch(LIST_ROLES)]

    async def sums(self) -> list[TableSum]:
        """Return what is in every table, by name. Reads all of it: minutes for millions of rows."""
        return [await self._sum(name, quoted) for name, quoted in self._tables.items()]

    async def _sum(self, name: str, quoted: str) -> TableSum:
        row = await self._connection.fetchrow(_sum_of(quoted))
        if row is None:
            raise InvariantBroken("A count has no row.")
        return TableSum(name, row["rows"], row["checksum"])


@asynccontextmanager
async def open_snapshot(url: str) -> AsyncIterator[Snapshot]:
    """Hold a moment still for the length of a block; nothing is written in it.

    Rows that are deleted meanwhile stay on disk, and tables cannot be dropped, until it ends.
    """
    try:
        connection = await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, server_settings=_PLAIN, **said_of(url)
        )
    except CONNECT_ERRORS as error:
        raise why_not_connected(error, url) from error
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            name = await connection.fetchval(EXPORT_SNAPSHOT)
            yield Snapshot(connection, name, await _tables(connection))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise StorageUnavailable(
            f"The database went away while it was read: {type(error).__name__}."
        ) from error
    finally:
        connection.terminate()


async def _tables(connection: Driver) -> dict[str, str]:
    found = await connection.fetch(LIST_TABLES_ALL_TENANTS)
    hidden = [row["name"] for row in found if not row["whole"]]
    if hidden:
        raise InvariantBroken(
            f"The login of the database may not read every row of {', '.join(hidden)}: a backup "
            "would lack some. Use the login that ran the migrations, or one with BYPASSRLS."
        )
    return {row["name"]: row["quoted"] for row in found}


def _sum_of(quoted: str) -> str:
    """Return what counts a table's rows and adds a hash of each: the same in whatever order."""
    return f"""
    select count(*) as rows, coalesce(sum(('x' || left(encode(sha256(convert_to(
      row_of_table::text, 'UTF8')), 'hex'), 15))::bit(60)::bigint), 0)::text as checksum
    from {quoted} as row_of_table
    """  # noqa: S608 - quoted by the server
