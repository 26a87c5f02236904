"""What pages of connections meet outside: an edge that takes webhooks, and a stand-in for Meta."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from tests.support.edge import open_edge_of
from tests.support.program import PATIENCE_S, POLL_S
from tests.support.world import Stopped, World

from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.platforms import SaleStatus, platform
from trackai.sandbox.platforms.deliver import deliver

if TYPE_CHECKING:
    from tests.conftest import Serve

PIXEL, TOKEN = "100200300400500", "EAAtokenThatMetaKnows"


@dataclass
class Outside:
    """The world's edge at an address, and a Meta that knows one pixel and its token."""

    world: World
    edge_url: str
    meta: MetaSandbox

    async def send_until(self, status: int, address: str, secret: str) -> None:
        """Send until this is the answer: an edge remembers secrets for a second."""
        deadline = time.monotonic() + PATIENCE_S
        while await self.send(address, secret) != status:
            assert time.monotonic() < deadline, f"The edge never answered {status}."
            await asyncio.sleep(POLL_S)

    async def send(self, address: str, secret: str, **changes: object) -> int | None:
        """Let the platform of a webhook address tell of a paid sale; return the answer."""
        path = "/api/v1/webhooks/" + address.partition("/api/v1/webhooks/")[2]
        gateway = path.split("/")[4]
        sale = self.world.sale(gateway, **changes)
        webhook = platform(gateway, secret).notice(
            sale, SaleStatus.APPROVED, at=self.world.clock.now()
        )
        async with aiohttp.ClientSession() as session:
            return (await deliver(session, self.edge_url + path, webhook, tries=1)).status


@asynccontextmanager
async def open_outside(world: World, serve: "Serve", meta: MetaSandbox) -> AsyncIterator[Outside]:
    """Open an edge over a world."""
    async with open_edge_of(world, serve) as edge_url:
        yield Outside(world, edge_url, meta)


def make_meta() -> MetaSandbox:
    """Return a Meta that knows the pixel and its token."""
    meta = MetaSandbox(Stopped())
    meta.add_dataset(PIXEL)
    meta.add_token(TOKEN, datasets=[PIXEL])
    return meta
