"""Every statement is one that the database takes; the hot ones find their rows by index."""

import asyncio
import importlib
import json
import pkgutil
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from trackai import storage
from trackai.storage.cluster import OWNER, SUPERUSER

if TYPE_CHECKING:
    from tests.conftest import CloneDatabase

# Asked of the schema before migrations, or of the server.
NOT_OF_THE_SCHEMA = {"migrate"}
STARTS = ("select", "insert", "update", "delete", "with")


def _statements() -> Iterator[tuple[str, str]]:
    for module in pkgutil.iter_modules(storage.__path__):
        if module.ispkg or module.name in NOT_OF_THE_SCHEMA:
            continue
        for name, value in vars(importlib.import_module(f"trackai.storage.{module.name}")).items():
            several = value if isinstance(value, dict) else {"": value}  # one a table
            for key, text in several.items() if name.isupper() else ():
                if isinstance(text, str) and text.lstrip().startswith(STARTS):
                    yield f"{module.name}.{name}{'.' if key else ''}{key}", text


STATEMENTS = dict(_statements())

# What every webhook, click or delivery asks, and the index that must answer.
HOT = {
    "clicks.FIND_BY_CLICK_ID": "clicks_pkey",
    "clicks.FIND_BY_FBCLID": "clicks_by_fbclid",
    "clicks.FIND_BY_FBP": "clicks_by_fbp",
    "clicks.FIND_BY_VISITOR": "clicks_by_visitor",
    "clicks.FIND_FIRST_OF_AD": "clicks_by_fbp",
    "identities.FIND_CLICK_IDS_OF_PERSON": "identities_pkey",
    "matches.CLAIM_TO_LOOK_AGAIN_ALL_TENANTS": "matches_to_look_again",
    "matches.FIND_FIRST_OF_SUBSCRIPTION": "conversions_by_subscription",
    "receipts.CLAIM_RECEIPT_ALL_TENANTS": "webhook_receipts_waiting",
    "queue_messages.CLAIM_ALL_TENANTS": "queue_messages_by_destination",
    "held.LIST_HELD_RECEIPTS_ALL_TENANTS": "webhook_receipts_held",
    "held.RELEASE_RECEIPTS": "webhook_receipts_held",
    "held.COUNT_DUE_RECEIPTS_ALL_TENANTS": "webhook_receipts_waiting",
    "held.LIST_HELD_DESTINATIONS_ALL_TENANTS": "queue_messages_by_destination",
    "held.RELEASE_MESSAGES": "queue_messages_by_destination",
    "conversions.FIND_BY_TRANSACTION": "conversions_tenant_id_gateway_transaction_key",
    "conversions.LIST_NOTICES": "conversion_notices_pkey",
    "erased_people.FIND_AMONG": "erased_people_pkey",
    "erasing.IS_OF_ERASED_SALE": "conversion_notices_by_receipt",
    "deliveries.LOAD_OUTGOING_ALL_TENANTS": "deliveries_pkey",
    "deliveries.HASTEN_OF_CONVERSION": "deliveries_by_conversion",
    "deliveries.SETTLE_DELIVERIES": "deliveries_pkey",
    "events.FIND_EVENT": "deliveries_pkey",
    "events.LIST_EVENTS_BY_ID": "deliveries_by_event",
    "sales.LIST_SALES": "conversions_by_sale",
    "sales.LIST_LATER_SALES": "conversions_by_sale",
    "sales.LIST_SALES_BY_ID": "conversions_tenant_id_gateway_transaction_key",
    "matches.FIND_DECISION": "matches_pkey",
    "gateway_connections.FIND_BY_ENDPOINT_KEY_ALL_TENANTS": "gateway_connections_endpoint_key_key",
    "tenants.FIND_TENANT_BY_SITE_KEY": "tenants_site_key_key",
}


# The index of a partitioned table that an index of a partition is a part of; others are themselves.
INDEX_OF_THE_WHOLE = """
select pg_partition_root(c.oid)::regclass::text as name from pg_class c
where c.relname = any($1) and c.relispartition
union all
select c.relname from pg_class c where c.relname = any($1) and not c.relispartition
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    opened = await asyncpg.connect(database_url)
    yield opened
    await opened.close()


def test_statements_are_found() -> None:
    assert len(STATEMENTS) > 40


@pytest.mark.parametrize("name", sorted(STATEMENTS))
async def test_the_database_takes_the_statement(
    connection: "asyncpg.Connection[Any]", name: str
) -> None:
    prepared = await connection.prepare(STATEMENTS[name])

    assert prepared.get_query() == STATEMENTS[name]


# Plans are made for tables that have rows: some thousands, of some tenants.
COLUMNS = """
select table_name, column_name, udt_name from information_schema.columns
where table_schema = 'public' and table_name = any($1)
"""
FILLED = (
    *("tenants", "gateway_connections", "clicks", "identities", "webhook_receipts", "conversions"),
    *("conversion_notices", "matches", "deliveries", "queue_messages", "erased_people"),
)
ROWS, TENANTS = 5000, 50
VALUES = {
    "uuid": "md5('{column}' || n)::uuid",
    "text": "'{column}' || n",
    "timestamptz": "now() + n * interval '1 second'",
    "bytea": "decode(md5('{column}' || n), 'hex')",
    "jsonb": "'{{}}'",
    "bpchar": "'BRL'",
    "int2": "365",
    "date": "current_date",
    "int4": "1",
    "int8": "1",
    "bool": "false",
}
NAMED = {
    "tenant_id": f"md5((n % {TENANTS})::text)::uuid",
    "status": "'pending'",
    "state": "'received'",
}


@pytest.fixture(scope="module")
def filled_url(clone_database: "CloneDatabase") -> Iterator[str]:
    with clone_database("filled") as url:
        asyncio.run(_fill(url.replace(f"//{OWNER}@", f"//{SUPERUSER}@")))
        yield url


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    tables: dict[str, dict[str, str]] = {}
    for row in await connection.fetch(COLUMNS, FILLED):
        column = row["column_name"]
        value = NAMED.get(column, VALUES[row["udt_name"]].format(column=column))
        tables.setdefault(row["table_name"], {})[column] = value
    # Foreign keys are triggers, and off (only a superuser may): only numbers of rows matter.
    await connection.execute("set session_replication_role = replica")
    for table, values in tables.items():
        await connection.execute(
            f"insert into {table} ({', '.join(values)}) "  # noqa: S608 - from the catalogue
            f"select {', '.join(values.values())} from generate_series(1, {ROWS}) as n"
        )
    await connection.execute("analyze")
    await connection.close()


@pytest.mark.xdist_group("plans")
@pytest.mark.parametrize("name", sorted(HOT))
async def test_a_hot_statement_asks_its_index(filled_url: str, name: str) -> None:
    connection = await asyncpg.connect(filled_url)
    prepared = await connection.prepare(STATEMENTS[name])
    # A day decides which partitions there are to ask: without one there is none.
    values = ", ".join(
        "current_date" if one.name == "date" else "null" for one in prepared.get_parameters()
    )
    # A generic plan is what a prepared statement ends with.
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"prepare hot as {STATEMENTS[name]}")
    asked = (
        f"explain (format json) execute hot({values})"
        if values
        else "explain (format json) execute hot"
    )
    plan = json.loads(await connection.fetchval(asked))
    found = _indexes(plan[0]["Plan"])
    whole = {row["name"] for row in await connection.fetch(INDEX_OF_THE_WHOLE, list(found))}
    await connection.close()

    assert HOT[name] in whole


def _indexes(plan: dict[str, Any]) -> set[str]:
    own = {plan["Index Name"]} if "Index Name" in plan else set()
    return own.union(*(_indexes(part) for part in plan.get("Plans", [])))
