"""Connections to PostgreSQL: roles, transactions, and the driver's errors in our words.

The only commits are the end of `transaction()` and the statement of `one_statement()`. Nothing
outside this package sees the driver.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec
from typing_extensions import override

from trackai.errors import InvariantBroken, StatementRefused, StorageGone, StorageUnavailable
from trackai.storage.connect_errors import CONNECT_ERRORS, why_not_connected
from trackai.storage.login import said_of

Row = asyncpg.Record

# Longest wait for a free connection and for one statement.
ACQUIRE_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 30.0


# What people ask is planned once: planning anew takes longer than the answer. Indexes are walked
# entry by entry, which passes over rows that were folded and are not vacuumed yet; a bitmap of
# pages does not.
_ASKING = {"plan_cache_mode": "force_generic_plan", "enable_bitmapscan": "off"}

BEGIN, COMMIT, ROLLBACK = "begin", "commit", "rollback"
# The commit does not wait for the disk.
HASTILY = "set local synchronous_commit = off"


class Role(StrEnum):
    """Who asks; each is a database role with the least it needs."""

    INGEST = "trackai_ingest"
    PIPELINE = "trackai_pipeline"
    APP = "trackai_app"
    HOUSEKEEPING = "trackai_housekeeping"
    ACCESS = "trackai_access"


class Tx:
    """An open transaction: the handle that storage functions take."""

    __slots__ = ("_connection",)

    def __init__(self, connection: "asyncpg.pool.PoolConnectionProxy[Row]") -> None:
        self._connection = connection

    async def fetch(self, statement: str, *values: object) -> list[Row]:
        """Run a statement and return its rows."""
        return await self._connection.fetch(statement, *values)

    async def fetch_one(self, statement: str, *values: object) -> Row | None:
        """Run a statement and return its first row."""
        return await self._connection.fetchrow(statement, *values)

    async def execute(self, statement: str, *values: object) -> int:
        """Run a statement and return how many rows it touched."""
        tag = await self._connection.execute(statement, *values)
        last = tag.rpartition(" ")[2]
        return int(last) if last.isdigit() else 0

    async def copy(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> int:
        """Add rows by COPY, which row-level security does not take; return how many."""
        tag: str = await self._connection.copy_records_to_table(
            table, columns=columns, records=rows
        )
        return int(tag.rpartition(" ")[2])


class _OneStatement(Tx):
    """A handle that commits with its only statement."""

    __slots__ = ("_used",)

    def __init__(self, connection: "asyncpg.pool.PoolConnectionProxy[Row]") -> None:
        super().__init__(connection)
        self._used = False

    @override
    async def fetch(self, statement: str, *values: object) -> list[Row]:
        """Run the statement."""
        self._use()
        return await super().fetch(statement, *values)

    @override
    async def fetch_one(self, statement: str, *values: object) -> Row | None:
        """Run the statement."""
        self._use()
        return await super().fetch_one(statement, *values)

    @override
    async def execute(self, statement: str, *values: object) -> int:
        """Run the statement."""
        self._use()
        return await super().execute(statement, *values)

    def _use(self) -> None:
        if self._used:
            raise InvariantBroken("A second statement needs transaction().")
        self._used = True


class Database:
    """A pool of connections that act as one role."""

    def __init__(self, pool: "asyncpg.Pool[Row]") -> None:
        self._pool = pool

    @classmethod
    async def connect(cls, url: str, role: Role | None, *, size: int) -> Self:
        """Open the pool; StorageUnavailable or ConfigurationError says why it cannot be.

        Without a role it acts as whoever the address names: the tables' owner.
        """
        acting = {} if role is None else {"role": role.value}
        name = "owner" if role is None else role.value.removeprefix("trackai_")
        try:
            pool = await asyncpg.create_pool(
                url,
                **said_of(url),
                min_size=1,
                max_size=size,
                command_timeout=STATEMENT_TIMEOUT_S,
                init=_prepare_connection,
                reset=_leave_as_is,
                server_settings={
                    **acting,
                    "application_name": f"trackai {name}",
                    "timezone": "UTC",
                    "idle_in_transaction_session_timeout": "60s",
                    # The driver's types are looked up with plans that never pay for compiling.
                    "jit": "off",
                    # Disks of today. The default makes a fresh table's statistics look like a
                    # reason to walk a tenant's whole index in place of one key.
                    "random_page_cost": "1.1",
                    **(_ASKING if role is Role.APP else {}),
                },
            )
        except CONNECT_ERRORS as error:
            raise why_not_connected(error, url) from error
        return cls(pool)

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, role: Role | None, *, size: int) -> AsyncIterator[Self]:
        """Open the pool for the length of a block."""
        database = await cls.connect(url, role, size=size)
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def transaction(
        self, *, tenant_id: UUID | None = None, waits: bool = True
    ) -> AsyncIterator[Tx]:
        """Open a transaction, commit at its end, roll back when the block raises.

        `tenant_id` makes row-level security show that tenant alone (role APP sees nothing
        without it). Without `waits` the commit does not wait for the disk: a crash may lose what
        was written less than a second before. Driver errors become StorageUnavailable (try again)
        or StatementRefused.
        """
        with _our_errors():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                try:
                    await connection.execute(_begin(tenant_id, waits=waits))
                    yield Tx(connection)
                except BaseException:
                    await connection.execute(ROLLBACK)
                    raise
                await connection.execute(COMMIT)

    @property
    def in_use(self) -> float:
        """Return which share of the connections that there may be is used at this moment."""
        return (self._pool.get_size() - self._pool.get_idle_size()) / self._pool.get_max_size()

    @asynccontextmanager
    async def one_statement(self) -> AsyncIterator[Tx]:
        """Hand out a connection for a single statement, which commits by itself.

        One round trip in place of three; the hot path's. A second statement is InvariantBroken.
        """
        with _our_errors():
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                yield _OneStatement(connection)

    async def close(self) -> None:
        """Finish what runs, then close all connections; forcibly after ten seconds."""
        try:
            await asyncio.wait_for(self._pool.close(), timeout=10.0)
        except TimeoutError:
            self._pool.terminate()


# How tasks open connections of a role: for the length of a block, for they seldom need any.
Open = Callable[[Role], AbstractAsyncContextManager[Database]]

# What will fail again unchanged: bad values, broken constraints, wrong statements.
_REFUSED = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.exceptions.UntranslatableCharacterError,
    asyncpg.exceptions.ProgramLimitExceededError,
    # More locks or memory than one transaction may take: its own doing, not the server's state.
    asyncpg.exceptions.OutOfMemoryError,
)
# There is nobody to ask: no connection, or a server that starts, stops or has no room for us.
_GONE = (
    asyncpg.InterfaceError,
    # A session that the server ended is used once more before its end is noticed.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    OSError,
    TimeoutError,
)
# Everything else the driver raises is about the server's state and may pass.
_AWAY = (asyncpg.PostgresError,)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except _REFUSED as error:
        raise StatementRefused(f"The database refused a value: {type(error).__name__}.") from error
    except asyncpg.QueryCanceledError as error:
        raise StorageUnavailable("The database took too long.", retry_after_s=1.0) from error
    except _GONE as error:
        raise StorageGone(
            f"The database is away: {type(error).__name__}.", retry_after_s=1.0
        ) from error
    except _AWAY as error:
        raise StorageUnavailable(
            f"The database is away: {type(error).__name__}.", retry_after_s=1.0
        ) from error


def _begin(tenant_id: UUID | None, *, waits: bool) -> str:
    """Return what begins a transaction in one round trip; it takes no parameters."""
    first = [BEGIN] if waits else [BEGIN, HASTILY]
    if tenant_id is not None:
        # Row-level security shows this tenant until the end.
        first.append(f"set local app.tenant_id = '{UUID(str(tenant_id))}'")
    return "; ".join(first)


async def _prepare_connection(connection: "asyncpg.Connection[Row]") -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_encode_jsonb, decoder=_decode_jsonb
    )


async def _leave_as_is(_connection: object) -> None:
    """Spare the driver's round trip that resets a session.

    What our transactions set ends with them, and they take no session locks.
    """


def _encode_jsonb(value: Any) -> bytes:
    return b"\x01" + msgspec.json.encode(value)


def _decode_jsonb(data: bytes) -> Any:
    return msgspec.json.decode(data[1:])


def columns(rows: Sequence[Sequence[object]]) -> list[list[object] | None]:
    """Turn rows into one list a column, the shape `unnest` statements take.

    A column without any value is None: `unnest` pads it with nulls all the same.
    """
    return [
        list(column) if any(value is not None for value in column) else None
        for column in zip(*rows, strict=True)
    ]
