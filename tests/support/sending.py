"""A world whose sales are sent, to a stand-in for Meta."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tests.support.world import World

from trackai.destinations.http import HttpLimits, open_http
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

# An answer is late because a test has it so, and for no other reason.
PATIENT = HttpLimits(total_s=300, connect_s=60)
NEWEST = "select id from deliveries where tenant_id = $1 order by created_at desc, id desc limit 1"


@dataclass
class Sender:
    """A dispatcher of the world's account, and who it sends to."""

    world: World
    meta: MetaSandbox
    dispatcher: Dispatcher

    async def send(self) -> None:
        """Send what is due."""
        await self.dispatcher.step()
        await self.dispatcher.finish()

    async def sell(self, gateway: str = "kiwify", **changes: object) -> UUID:
        """Make a paid sale; return the id of its event, which is owed."""
        await self.world.tell(gateway, self.world.sale(gateway, **changes), SaleStatus.APPROVED)
        found: UUID = (await self.world.rows(NEWEST))[0]["id"]
        return found


@asynccontextmanager
async def open_sender(world: World, serve: "Serve") -> AsyncIterator[Sender]:
    """Open another account of the world, whose pixel is at a stand-in."""
    async with dispatcher_of(world) as dispatcher:
        meta = MetaSandbox(world.clock)
        world.account = await world.open_account("Loja", meta_url=await serve(meta))
        pixel = world.account.destination
        meta.add_dataset(pixel.pixel_id)
        meta.add_token(pixel.token, datasets=[pixel.pixel_id])
        yield Sender(world, meta, dispatcher)


@asynccontextmanager
async def dispatcher_of(world: World) -> AsyncIterator[Dispatcher]:
    """Open what sends a world's events, wherever its pixels are."""
    async with open_http(PATIENT) as http:
        queue = PostgresQueue(world.workers, world.clock, new_id)
        yield Dispatcher(
            DispatchTools(
                *(world.workers, world.envelope, queue, destinations(http, world.clock)),
                *(world.clock, new_id, Gate(world.workers, Limits())),
            )
        )
