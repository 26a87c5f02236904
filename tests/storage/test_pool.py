"""Transactions, single statements, and what a connection carries from one to the next."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tests.support.proxy import database_proxy

from trackai.errors import InvariantBroken, StatementRefused, StorageGone
from trackai.model.clock import new_id
from trackai.storage.pool import Database, Role, columns


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Database]:
    """A pool of a single connection, so that every use meets the traces of the last."""
    database = await Database.connect(database_url, Role.APP, size=1)
    yield database
    await database.close()


async def test_one_statement_commits_by_itself(one: Database) -> None:
    tenant_id = new_id()
    async with one.one_statement() as tx:
        await tx.execute("create temporary table kept as select $1::uuid as id", tenant_id)
    async with one.one_statement() as tx:
        row = await tx.fetch_one("select id from kept")

    assert row is not None
    assert tenant_id == row["id"]


async def test_second_statement_needs_a_transaction(one: Database) -> None:
    async with one.one_statement() as tx:
        await tx.fetch("select 1")
        with pytest.raises(InvariantBroken):
            await tx.fetch_one("select 1")
        with pytest.raises(InvariantBroken):
            await tx.execute("select 1")


async def test_refused_statement_leaves_the_connection_usable(one: Database) -> None:
    with pytest.raises(StatementRefused):
        async with one.one_statement() as tx:
            await tx.fetch("select $1::uuid", "no uuid")
    async with one.one_statement() as tx:
        rows = await tx.fetch("select 1 as one")

    assert [1] == [row["one"] for row in rows]


async def test_tenant_of_a_transaction_does_not_outlive_it(one: Database) -> None:
    ask = "select current_setting('app.tenant_id', true) as tenant"
    async with one.transaction(tenant_id=new_id()) as tx:
        inside = await tx.fetch_one(ask)
    async with one.one_statement() as tx:
        after = await tx.fetch_one(ask)
    with pytest.raises(ZeroDivisionError):
        async with one.transaction(tenant_id=new_id()):
            raise ZeroDivisionError
    async with one.one_statement() as tx:
        after_failure = await tx.fetch_one(ask)

    assert inside is not None
    assert after is not None
    assert after_failure is not None
    assert inside["tenant"]
    assert not after["tenant"]
    assert not after_failure["tenant"]


def test_rows_become_columns() -> None:
    assert [["a", "b"], [1, None], None] == columns([("a", 1, None), ("b", None, None)])


async def test_column_without_values_is_a_column_of_nulls(one: Database) -> None:
    statement = "select * from unnest($1::text[], $2::int[]) as t (name, number) order by name"
    async with one.one_statement() as tx:
        rows = await tx.fetch(statement, *columns([("a", None), ("b", None)]))

    assert [("a", None), ("b", None)] == [(row["name"], row["number"]) for row in rows]


HANG_UP = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'
"""


async def test_sessions_that_the_server_ends_are_an_outage_and_nothing_else(
    fresh_database_url: str,
) -> None:
    line = database_proxy(fresh_database_url)
    troubles: list[BaseException] = []
    over = asyncio.Event()
    async with line.listening():
        database = await Database.connect(line.url(fresh_database_url), Role.INGEST, size=6)

        async def ask() -> None:
            while not over.is_set():
                try:
                    async with database.transaction() as tx:
                        await tx.fetch("select 1")
                except Exception as error:  # noqa: BLE001 - whatever it is, it is looked at below
                    troubles.append(error)
                    await asyncio.sleep(0.001)

        asking = [asyncio.create_task(ask()) for _ in range(6)]
        owner = await asyncpg.connect(fresh_database_url)
        try:
            for _ in range(40):
                await asyncio.sleep(0.05)
                await owner.execute(HANG_UP)
        finally:
            over.set()
            await asyncio.gather(*asking)
            await owner.close()
            await database.close()

    assert troubles
    assert {StorageGone} == {type(error) for error in troubles}
