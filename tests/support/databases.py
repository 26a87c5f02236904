"""Databases of the tests' server: made for a while, and dropped whoever is still in them."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from trackai.storage.embedded import EmbeddedPostgres

T = TypeVar("T")

DROP_TRIES = 50


def run_apart(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a coroutine in a thread of its own, away from the loops of pytest-asyncio."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


async def execute(url: str, *statements: str) -> None:
    """Give statements as the database's owner, each in a transaction of its own."""
    import asyncpg  # noqa: PLC0415 - unit tests must not pay for it

    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def execute_apart(url: str, *statements: str) -> None:
    """Do the same where another loop may run."""
    run_apart(lambda: execute(url, *statements))


@contextmanager
def database(server: "EmbeddedPostgres", name: str, made_as: str = "") -> Iterator[str]:
    """Make a database for the length of a block; yield its address."""
    execute_apart(server.url, f"create database {name} {made_as}")
    yield server.url_of(name)
    _drop(server, name)


def _drop(server: "EmbeddedPostgres", name: str) -> None:
    """Drop a database; PostgreSQL's own vacuum, which no role of ours may end, may be in it."""
    import asyncpg  # noqa: PLC0415 - as above

    for again in range(DROP_TRIES):
        try:
            execute_apart(server.url, f"drop database {name} with (force)")
        except asyncpg.InsufficientPrivilegeError:
            if again == DROP_TRIES - 1:
                raise
            time.sleep(0.2)
        else:
            return
