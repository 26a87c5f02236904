"""Who may see and do what: roles, and tenants apart from each other."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest

from trackai.errors import StatementRefused, TrackaiError
from trackai.model.clock import new_id
from trackai.storage.pool import Database, Role
from trackai.storage.purging import TABLES as PURGED
from trackai.storage.rollups import CHANGED
from trackai.storage.rollups import TABLES as ROLLUPS

if TYPE_CHECKING:
    from tests.support.world import World

TABLES = """
select c.relname as name, c.relrowsecurity as secured, c.relforcerowsecurity as forced
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
where c.relkind in ('r', 'p') and not c.relispartition
  and c.relnamespace = 'public'::regnamespace order by c.relname
"""
GRANTS = """
select table_name, privilege_type from information_schema.role_table_grants
where grantee = $1 and table_schema = 'public'
"""

# Of those who sign in, whom no tenant's rows lead to.
OF_PEOPLE = ("memberships", "one_time_links", "sessions")
OF_ALARMS = tuple(table for table in PURGED if table.startswith("alarm_"))
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")

# What each role has no business with.
FORBIDDEN = {
    Role.ACCESS: {
        *((table, verb) for table in {*PURGED} - {*OF_PEOPLE} for verb in VERBS),
        *(("audit_logs", verb) for verb in ("SELECT", "UPDATE", "DELETE")),
        *(("tenants", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
    },
    Role.INGEST: {
        *((table, verb) for table in ("clicks", "page_events") for verb in ("UPDATE", "DELETE")),
        *(("destinations", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("conversions", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("deliveries", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("queue_messages", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("gateway_connections", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("erased_people", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(
            (table, verb)
            for table in (*ROLLUPS, *CHANGED, *OF_ALARMS)
            for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")
        ),
        *(("feature_flags", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("alarm_samples", verb) for verb in ("SELECT", "UPDATE", "DELETE")),
        *(("alarms_key", verb) for verb in VERBS),
    },
    Role.PIPELINE: {
        *(("tenants", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("gateway_connections", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("destinations", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *((table, "DELETE") for table in ("conversions", "deliveries", "dispatch_attempts")),
        ("webhook_receipts", "DELETE"),
        *(("erased_people", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *((table, verb) for table in CHANGED for verb in ("INSERT", "UPDATE")),
        # Whom to call, when not, from which value on, and what is on is for people to say.
        *(
            (table, verb)
            for table in ("alarm_routes", "alarm_silences", "alarm_limits", "feature_flags")
            for verb in ("INSERT", "UPDATE", "DELETE")
        ),
        *(("alarm_history", "UPDATE"), ("alarms_key", "DELETE")),
    },
    Role.HOUSEKEEPING: {
        *((table, verb) for table in PURGED for verb in ("INSERT", "UPDATE")),
        *(("audit_logs", verb) for verb in ("SELECT", "INSERT", "UPDATE", "DELETE")),
        *(("tenants", verb) for verb in ("INSERT", "UPDATE")),
    },
    Role.APP: {
        *(("conversions", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("deliveries", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("dispatch_attempts", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *(("webhook_receipts", verb) for verb in ("INSERT", "DELETE")),
        *(("tenants", "DELETE"), ("gateway_connections", "DELETE"), ("destinations", "DELETE")),
        # What is personal may be emptied, column by column; whole rows may not be changed.
        *(
            (table, "UPDATE")
            for table in ("clicks", "page_events", "conversion_notices", "matches")
        ),
        *((table, "DELETE") for table in ("clicks", "page_events", "erased_people", "audit_logs")),
        *(("erased_people", "UPDATE"), ("audit_logs", "UPDATE")),
        *(
            (table, verb)
            for table in (*ROLLUPS, *CHANGED, "rollup_peaks", "campaigns")
            for verb in ("INSERT", "UPDATE", "DELETE")
        ),
        *(("alarm_history", verb) for verb in ("UPDATE", "DELETE")),
        *(("alarm_signals", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
        *((table, "DELETE") for table in ("alarm_routes", "alarm_silences", "alarm_calls")),
        *(("alarm_calls", "UPDATE"), *(("alarm_samples", verb) for verb in VERBS)),
        *(("alarms_key", verb) for verb in ("INSERT", "UPDATE", "DELETE")),
    },
}


@dataclass
class Two:
    """Two tenants who both have rows in every table."""

    mine: UUID
    other: UUID
    app: Database
    owner: "asyncpg.Connection[Any]"
    tables: list[str]


@pytest.fixture
async def two(world: "World") -> AsyncIterator[Two]:
    await world.fill(world.account)
    other = await world.open_account("Outro")
    await world.fill(other)
    await world.count(world.account, other)
    async with AsyncExitStack() as stack:
        owner = await asyncpg.connect(world.url)
        stack.push_async_callback(owner.close)
        found = [row["name"] for row in await owner.fetch(TABLES)]
        tables = [name for name in found if name not in OF_PEOPLE]
        yield Two(world.account.tenant.id, other.tenant.id, world.people, owner, tables)


async def test_every_table_of_a_tenant_has_forced_row_level_security(two: Two) -> None:
    rows = await two.owner.fetch(TABLES)

    assert len(rows) >= 14
    assert {(True, True)} == {(row["secured"], row["forced"]) for row in rows}


async def test_both_tenants_have_rows_in_every_table(two: Two) -> None:
    for table in two.tables:
        for tenant in (two.mine, two.other):
            count = await two.owner.fetchval(
                f"select count(*) from {table} where tenant_id = $1",  # noqa: S608 - from pg_class
                tenant,
            )
            assert count > 0, table


async def test_people_see_their_tenants_rows_and_no_others(two: Two) -> None:
    async with two.app.transaction(tenant_id=two.mine) as tx:
        for table in two.tables:
            rows = await tx.fetch(f"select distinct tenant_id from {table}")  # noqa: S608

            assert [two.mine] == [row["tenant_id"] for row in rows], table


async def test_people_without_a_tenant_see_nothing(two: Two) -> None:
    async with two.app.transaction() as tx:
        for table in [*two.tables, "tenants"]:
            assert await tx.fetch(f"select 1 from {table}") == [], table  # noqa: S608


async def test_people_see_only_their_own_account(two: Two) -> None:
    async with two.app.transaction(tenant_id=two.mine) as tx:
        rows = await tx.fetch("select id from tenants")

    assert [two.mine] == [row["id"] for row in rows]


@pytest.mark.parametrize(
    "statement",
    [
        "update funnels set name = 'mine' where tenant_id = $1",
        "update gateway_connections set disabled_at = now() where tenant_id = $1",
        "update destinations set token_sealed = '' where tenant_id = $1",
        "update webhook_receipts set run_at = now() where tenant_id = $1",
        "update tenants set name = 'mine' where id = $1",
        "update clicks set visitor_sealed = null where tenant_id = $1",
        "update page_events set fbp = null where tenant_id = $1",
        "update conversions set buyer_sealed = '' where tenant_id = $1",
        "update conversion_notices set notice_sealed = '' where tenant_id = $1",
        "update webhook_receipts set body_sealed = '' where tenant_id = $1",
        "delete from webhook_rejections where tenant_id = $1",
        "delete from identities where tenant_id = $1",
    ],
)
async def test_people_change_nothing_of_another_tenant(two: Two, statement: str) -> None:
    async with two.app.transaction(tenant_id=two.mine) as tx:
        changed = await tx.execute(statement, two.other)

    assert changed == 0


async def test_people_add_nothing_to_another_tenant(two: Two) -> None:
    with pytest.raises(StatementRefused):
        async with two.app.transaction(tenant_id=two.mine) as tx:
            await tx.execute(
                "insert into funnels (tenant_id, id, name) values ($1, $2, 'x')",
                two.other,
                new_id(),
            )


@pytest.mark.parametrize(
    "column", ["amount_minor", "status", "transaction", "product_name", "sold_at", "currency"]
)
async def test_people_cannot_change_the_facts_of_a_sale(two: Two, column: str) -> None:
    with pytest.raises(StatementRefused):
        async with two.app.transaction(tenant_id=two.mine) as tx:
            await tx.execute(f"update conversions set {column} = null")  # noqa: S608


async def test_a_row_cannot_be_moved_to_another_tenant(two: Two) -> None:
    with pytest.raises(TrackaiError):
        async with two.app.transaction(tenant_id=two.mine) as tx:
            await tx.execute("update destinations set tenant_id = $1", two.other)


@pytest.mark.parametrize("role", Role)
async def test_a_role_has_no_grant_that_it_has_no_business_with(two: Two, role: Role) -> None:
    rows = await two.owner.fetch(GRANTS, role.value)
    granted = {(row["table_name"], row["privilege_type"]) for row in rows}
    secret = {
        (table, verb)
        for table in (*OF_PEOPLE, "users", "users_key", "sign_in_failures")
        for verb in VERBS
        if role not in {Role.ACCESS, Role.HOUSEKEEPING}
    }

    assert granted
    assert set() == granted & (FORBIDDEN[role] | secret)
    assert "TRUNCATE" not in {verb for _, verb in granted}


@pytest.mark.parametrize(
    "statement",
    [
        "update tenants set name = 'x'",
        "create table mine (x int)",
        "alter table clicks disable row level security",
        "drop table clicks",
        "truncate clicks",
    ],
)
@pytest.mark.parametrize("role", [Role.INGEST, Role.PIPELINE])
async def test_a_role_is_refused_what_it_was_not_granted(
    world: "World", role: Role, statement: str
) -> None:
    database = world.edge if role is Role.INGEST else world.workers
    with pytest.raises(StatementRefused):
        async with database.transaction() as tx:
            await tx.execute(statement)


# At rest ---------------------------------------------------------------------------------------


async def test_no_table_holds_personal_data_or_a_secret_in_the_clear(
    two: Two, world: "World"
) -> None:
    dumped = {}
    for row in await two.owner.fetch(
        "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
    ):
        table = row["relname"]
        rows = await two.owner.fetch(f"select * from {table}")  # noqa: S608 - from pg_class
        dumped[table] = b"\n".join(_bytes(value) for one in rows for value in one.values())
    private = [word.encode() for word in world.private()]

    assert len(private) > 8
    assert [] == [
        (table, word) for table, content in dumped.items() for word in private if word in content
    ]


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
