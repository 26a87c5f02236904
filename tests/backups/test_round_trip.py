"""What was in a database is in the one that a backup is restored into: every row, every right."""

from typing import TYPE_CHECKING

import asyncpg
import pytest
from tests.support.opened import raw_rows

from trackai.backups.restoring import compare, restore
from trackai.errors import ConfigurationError, StatementRefused
from trackai.storage import backups
from trackai.storage.dumps import is_empty
from trackai.storage.pool import Database, Role
from trackai.storage.schema import pending

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World

    from trackai.backups.catalogue import Catalogue
    from trackai.backups.keeping import Keeper

# What a schema is made of, apart from its rows.
SHAPE = """
select 'policy' as kind, polrelid::regclass::text || ' ' || polname as name,
  coalesce(pg_get_expr(polqual, polrelid), '') || ' ' || polroles::regrole[]::text as what
from pg_policy
union all select 'table', c.oid::regclass::text, concat_ws(' ', c.relkind, c.relrowsecurity,
  c.relforcerowsecurity, pg_get_expr(c.relpartbound, c.oid), (select string_agg(one::text, ',')
    from (select one from unnest(c.relacl) as one order by one::text) s))
from pg_class c where c.relnamespace = 'public'::regnamespace
union all select 'trigger', tgrelid::regclass::text || ' ' || tgname, pg_get_triggerdef(oid)
from pg_trigger where not tgisinternal
union all select 'constraint', conrelid::regclass::text || ' ' || conname, pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
union all select 'function', p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid))
from pg_proc p where pronamespace = 'public'::regnamespace
order by 1, 2, 3
"""


async def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_two_tenants_come_back_row_by_row(
    world: "World", keeper: "Keeper", catalogue: "Catalogue", empty_database_url: str
) -> None:
    other = await world.open_account("Outro")
    for account in (world.account, other):
        await world.fill(account)
    await world.count(world.account, other)
    before = await raw_rows(world.url)

    made = await keeper.make(catalogue)
    restored = await restore(catalogue, made, empty_database_url)

    after = await raw_rows(empty_database_url)
    assert restored.proved
    assert made.rows == len(before)
    # The backup notes itself when it is over.
    assert before == {key: row for key, row in after.items() if key[0] != "backups"}
    assert await ask(world.url, SHAPE) == await ask(empty_database_url, SHAPE)
    assert [] == await pending(empty_database_url)


async def test_roles_see_in_the_restored_one_what_they_did(
    world: "World", keeper: "Keeper", catalogue: "Catalogue", empty_database_url: str
) -> None:
    other = await world.open_account("Outro")
    await world.fill(other)
    mine = world.account.tenant.id

    await restore(catalogue, await keeper.make(catalogue), empty_database_url)

    async with Database.opened(empty_database_url, Role.APP, size=1) as people:
        async with people.transaction(tenant_id=mine) as tx:
            seen = await tx.fetch("select distinct tenant_id from funnels")
        with pytest.raises(StatementRefused):
            async with people.transaction(tenant_id=mine) as tx:
                await tx.execute("delete from conversions")
    assert [mine] == [row["tenant_id"] for row in seen]


async def test_the_restored_one_goes_on_where_it_was(
    world: "World", keeper: "Keeper", catalogue: "Catalogue", empty_database_url: str
) -> None:
    await world.fill(world.account)
    await restore(catalogue, await keeper.make(catalogue), empty_database_url)

    # Numbers that the database gives are not given twice.
    sequences = await ask(
        empty_database_url,
        "select c.relname, coalesce(pg_sequence_last_value(c.oid), 0) from pg_class c"
        " where c.relkind = 'S' order by 1",
    )
    assert sequences == await ask(
        world.url,
        "select c.relname, coalesce(pg_sequence_last_value(c.oid), 0) from pg_class c"
        " where c.relkind = 'S' order by 1",
    )


async def test_a_trial_has_a_server_of_its_own_and_leaves_nothing(
    world: "World", keeper: "Keeper", catalogue: "Catalogue", scratch: "Path"
) -> None:
    made = await keeper.make(catalogue)

    tried = await keeper.try_out(catalogue, made)

    async with world.workers.transaction() as tx:
        (known,) = await backups.list_backups(tx)
    assert tried.proved
    assert [] == list(scratch.iterdir())
    assert (known.name, known.verified_at, known.refuted_at) == (
        made.name,
        world.clock.now(),
        None,
    )


CHANGES = {
    "tenants": "update tenants set name = name || '.'",
    "webhook_receipts": "update webhook_receipts set body_sealed ="
    " set_byte(body_sealed, 40, get_byte(body_sealed, 40) # 1)"
    " where id = (select id from webhook_receipts limit 1)",
    "identities": "delete from identities where ctid = (select ctid from identities limit 1)",
    "audit_logs": "update audit_logs set details = '{}'",
    "host_breakers": "drop table host_breakers",
    "another": "create table another (id integer)",
}


async def test_one_row_that_differs_is_found(
    world: "World", keeper: "Keeper", catalogue: "Catalogue"
) -> None:
    await world.fill(world.account)
    made = await keeper.make(catalogue)
    found = {one.table for one in (await compare(made, world.url)).tables if not one.same}
    # The backup's own row came after it.
    assert found == {"backups"}

    for table, change in CHANGES.items():
        await ask(world.url, change)
        after = await compare(made, world.url)

        differ = {one.table for one in after.tables if not one.same}
        assert differ - found == {table}
        assert not after.proved
        found = differ


async def test_a_database_that_is_not_empty_is_left_alone(
    world: "World", keeper: "Keeper", catalogue: "Catalogue", empty_database_url: str
) -> None:
    made = await keeper.make(catalogue)
    await ask(empty_database_url, "create table mine (id integer)")

    with pytest.raises(ConfigurationError, match="not empty"):
        await restore(catalogue, made, empty_database_url)
    with pytest.raises(ConfigurationError, match="not empty"):
        await restore(catalogue, made, world.url)


async def test_what_cannot_be_read_whole_is_not_saved_in_part(
    world: "World", keeper: "Keeper", catalogue: "Catalogue"
) -> None:
    await ask(world.url, "drop policy machine on conversions")

    with pytest.raises(Exception, match="every row of conversions"):
        await keeper.make(catalogue)

    assert [] == await catalogue.backups()


async def test_every_table_can_be_saved(world: "World", keeper: "Keeper") -> None:
    async with keeper.catalogue() as catalogue:
        made = await keeper.make(catalogue)

    tables = {name for (name,) in await ask(world.url, TABLES)}
    assert tables == {one.name for one in made.tables}


TABLES = """
select relname::text from pg_class where relnamespace = 'public'::regnamespace
  and relkind in ('r', 'p') and not relispartition
"""


async def test_an_empty_database_is_known_for_one(empty_database_url: str, world: "World") -> None:
    assert await is_empty(empty_database_url)
    assert not await is_empty(world.url)
