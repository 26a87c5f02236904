"""A database that the previous release left, brought to this one: all is there, and goes on."""

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import aiohttp
import asyncpg
import pytest
from tests.support.customer import Customer
from tests.support.databases import database, execute
from tests.support.edge import open_edge_of
from tests.support.opened import raw_rows
from tests.support.sending import dispatcher_of
from tests.support.world import Account, Stopped, World
from upgrade.fixture import SALES
from upgrade.release import PREVIOUS_SCHEMA
from upgrade.stage import customer_of

from trackai.analytics.verify import Days, verify
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.platforms import PLATFORMS
from trackai.storage import dumps, tenant_keys, tenants, users_key
from trackai.storage.envelope import Envelope
from trackai.storage.migrate import migrate
from trackai.storage.pool import Database, Role
from trackai.storage.schema import revisions

if TYPE_CHECKING:
    from tests.conftest import Serve

    from trackai.storage.embedded import EmbeddedPostgres

pytestmark = pytest.mark.xdist_group("release")
RELEASES = Path(__file__).parents[1] / "fixtures" / "releases"
# Tables whose number of rows a migration changes, and why.
CHANGED: dict[str, str] = {}
# Whose e-mails have one key, whichever table they are in.
PEOPLE = {"users": ("users", users_key.USERS), "one_time_links": ("users", users_key.USERS)}
SEALED = {
    *("gateway_connections", "destinations", "clicks", "webhook_receipts", "conversions"),
    *("conversion_notices", "users", "alarm_routes"),
}
NEXT_SALES = 2
MOST_STEPS = 50
WAITING = """
select (select count(*) from webhook_receipts where tenant_id = $1 and run_at is not null) as
  receipts,
  (select count(*) from deliveries where tenant_id = $1 and status = 'pending') as deliveries
"""
ACCEPTED = """
select count(*) as number from deliveries where tenant_id = $1 and status = 'accepted'
"""


@dataclass(frozen=True)
class Restored:
    """The database after it was migrated, and what was known of it before."""

    url: str
    facts: dict[str, Any]
    migrated: list[str]
    rows: dict[str, int]

    @property
    def moment(self) -> dt.datetime:
        """When the previous release stopped."""
        return dt.datetime.fromisoformat(self.facts["moment"])


@pytest.fixture(
    scope="module", params=sorted(one.name for one in RELEASES.iterdir() if one.is_dir())
)
def restored(
    postgres_server: "EmbeddedPostgres", worker_id: str, request: pytest.FixtureRequest
) -> Iterator[Restored]:
    facts = json.loads((RELEASES / request.param / "facts.json").read_text())
    with database(postgres_server, f"release_{worker_id}") as url:
        yield asyncio.run(_restore(url, facts, RELEASES / request.param))


async def _restore(url: str, facts: dict[str, Any], directory: Path) -> Restored:
    async def pieces() -> AsyncIterator[bytes]:
        yield (directory / "database.dump").read_bytes()

    await dumps.make_roles(url, facts["roles"])
    await dumps.fill(url, pieces(), major=await dumps.server_major(url))
    migrated = await migrate(url)
    connection = await asyncpg.connect(url)
    rows = {
        table: await connection.fetchval(f"select count(*) from {table}")  # noqa: S608 - as listed
        for table in facts["rows"]
    }
    await connection.close()
    return Restored(url, facts, migrated, rows)


@asynccontextmanager
async def world_of(restored: Restored, customer: Customer, clock: Stopped) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:

        async def database(role: Role) -> Database:
            return await stack.enter_async_context(Database.opened(restored.url, role, size=4))

        people = await database(Role.APP)
        tenant = customer.tenant
        async with people.transaction(tenant_id=tenant.id) as tx:
            (funnel, *_) = await tenants.list_funnels(tx, tenant_id=tenant.id)
        yield World(
            *(restored.url, clock, Envelope([bytes(range(32))]), people),
            *(await database(Role.INGEST), await database(Role.PIPELINE)),
            Account(tenant, funnel, customer.pixel, {}),
        )


def test_the_release_is_the_one_before_this(restored: Restored) -> None:
    behind = revisions().index(restored.facts["revision"]) + 1

    assert (RELEASES / PREVIOUS_SCHEMA).is_dir()
    assert revisions()[behind:] == restored.migrated != []


def test_no_row_is_lost_or_made(restored: Restored) -> None:
    expected = {name: n for name, n in restored.facts["rows"].items() if name not in CHANGED}

    assert expected == {name: n for name, n in restored.rows.items() if name not in CHANGED}
    assert sum(n > 0 for n in expected.values()) > 40


async def test_everything_sealed_opens_with_the_key_it_was_sealed_with(restored: Restored) -> None:
    envelope, opened = Envelope([bytes(range(32))]), Counter[str]()
    async with (
        Database.opened(restored.url, Role.PIPELINE, size=1) as workers,
        workers.transaction() as tx,
    ):
        await tenant_keys.know_all_tenants(tx, envelope, limit=100)
    async with (
        Database.opened(restored.url, Role.ACCESS, size=1) as access,
        access.transaction() as tx,
    ):
        await users_key.know_all_tenants(tx, envelope)
    for (table, _), row in (await raw_rows(restored.url)).items():
        for column, value in row.items():
            if column.endswith("_sealed") and value:
                place, owner = PEOPLE.get(table, (table, row.get("tenant_id")))
                assert isinstance(owner, UUID)
                assert isinstance(value, bytes)
                envelope.open(value, table=place, tenant_id=owner)
                opened[table] += 1

    assert SEALED <= opened.keys()


async def test_what_was_counted_stays_exact(restored: Restored) -> None:
    async with Database.opened(restored.url, Role.APP, size=1) as people:
        for one in restored.facts["customers"]:
            tenant_id = UUID(one["tenant_id"])
            async with people.transaction(tenant_id=tenant_id) as tx:
                now = restored.moment + dt.timedelta(minutes=1)
                found = await verify(tx, tenant_id=tenant_id, days=Days(30), now=now)

            assert 0 == found.different, found.compared


async def test_webhooks_and_deliveries_go_on(restored: Restored, serve: "Serve") -> None:
    clock = Stopped()
    clock.moment = restored.moment + dt.timedelta(minutes=1)
    meta = MetaSandbox(clock)
    meta_url = await serve(meta)
    customer = customer_of(restored.facts["customers"][0], meta, meta_url)
    await execute(restored.url, f"update destinations set api_url = '{meta_url}'")  # noqa: S608 - ours
    async with (
        world_of(restored, customer, clock) as world,
        open_edge_of(world, serve) as edge,
        aiohttp.ClientSession() as http,
        dispatcher_of(world) as dispatcher,
    ):
        (accepted,) = await world.rows(ACCEPTED)
        before = await world.rows(WAITING)
        for gateway in PLATFORMS:
            for _ in range(NEXT_SALES):
                sale = replace(customer.sale(gateway), sold_at=world.clock.now())
                assert {200} == set(await customer.tell(http, edge, gateway, sale))
        await world.work()
        for _ in range(MOST_STEPS):
            await dispatcher.step()
            await dispatcher.finish()
        after = await world.rows(WAITING)
        (accepted_after,) = await world.rows(ACCEPTED)

    assert before[0]["receipts"] > 0, "the previous release left nothing to go on with"
    assert (0, 0) == (after[0]["receipts"], after[0]["deliveries"])
    sold = (SALES + NEXT_SALES) * len(PLATFORMS)
    assert sold == accepted_after["number"] - accepted["number"] == len(customer.accepted())
