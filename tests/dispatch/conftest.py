"""Sold but not yet sent: a tenant's deliveries, a dispatcher, and a stand-in for Meta over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tests.support.sending import PATIENT
from tests.support.world import PIXEL_TOKEN, Account, World, open_world

from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.dispatch.breaker import Limits
from trackai.dispatch.dispatcher import Dispatcher, DispatchTools
from trackai.dispatch.gate import Gate
from trackai.model.clock import new_id
from trackai.queue.postgres import PostgresQueue
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.platforms import SaleStatus

if TYPE_CHECKING:
    from tests.conftest import Serve

    from trackai.storage.pool import Row

DELIVERIES = """
select id, status, reason, attempts, next_at, settled_at, event_id, receipt_id
from deliveries where tenant_id = $1 order by event_id
"""
ATTEMPTS = """
select a.delivery_id, a.attempt, a.status, a.reason, a.http_status, a.batch_size, a.receipt_id,
  a.error_code, d.event_id
from dispatch_attempts a join deliveries d on d.tenant_id = a.tenant_id and d.id = a.delivery_id
where a.tenant_id = $1 order by a.attempt, d.event_id
"""
QUEUED = "select delivery_id, run_at, lease from queue_messages where tenant_id = $1"


@dataclass
class Office:
    """A world whose sales are sent."""

    world: World
    meta: MetaSandbox
    meta_url: str
    tools: DispatchTools
    dispatcher: Dispatcher
    queue: PostgresQueue

    def another(self) -> "Office":
        """Return the same with a dispatcher of its own, as a second worker has."""
        return replace(self, dispatcher=Dispatcher(self.tools))

    async def step(self) -> bool:
        """Send what is due now, to the end of it."""
        worked = await self.dispatcher.step()
        await self.dispatcher.finish()
        return worked

    async def open_account(self, name: str) -> Account:
        """Open another account with a pixel at the stand-in."""
        account = await self.world.open_account(name, meta_url=self.meta_url)
        self.register(account)
        return account

    def register(self, account: Account) -> None:
        """Make the account's pixel and token known at the stand-in."""
        pixel = account.destination.pixel_id
        self.meta.add_dataset(pixel)
        self.meta.add_token(account.destination.token, datasets=[pixel])

    async def sell(self, count: int = 1, *, account: Account | None = None) -> list[str]:
        """Make sales whose events are owed; return the events' ids, sorted."""
        ids = []
        for _ in range(count):
            sale = self.world.sale("kiwify")
            await self.world.tell("kiwify", sale, SaleStatus.APPROVED, account=account)
            ids.append(f"kiwify:{sale.transaction}")
        return sorted(ids)

    async def deliveries(self, account: Account | None = None) -> "list[Row]":
        """Return the deliveries, by event id."""
        return list(await self.world.rows(DELIVERIES, account))

    async def attempts(self, account: Account | None = None) -> "list[Row]":
        """Return every try, first ones first."""
        return list(await self.world.rows(ATTEMPTS, account))

    def arrived(self, account: Account | None = None) -> list[str]:
        """Return the ids of what Meta took, sorted."""
        pixel = (account or self.world.account).destination.pixel_id
        return sorted(event.event_id or "" for event in self.meta.accepted(pixel))


@pytest.fixture
async def office(fresh_database_url: str, serve: "Serve") -> AsyncIterator[Office]:
    """Yield an account with a pixel at a stand-in whose clock is the world's."""
    async with open_world(fresh_database_url) as world, open_http(PATIENT) as http:
        meta = MetaSandbox(world.clock)
        url = await serve(meta)
        queue = PostgresQueue(world.workers, world.clock, new_id)
        tools = DispatchTools(
            world.workers,
            world.envelope,
            queue,
            destinations(http, world.clock),
            world.clock,
            new_id,
            Gate(world.workers, Limits()),
        )
        made = Office(world, meta, url, tools, Dispatcher(tools), queue)
        world.account = await made.open_account("Loja")
        assert world.account.destination.token == PIXEL_TOKEN
        yield made
