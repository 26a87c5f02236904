"""The edge over a world, served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.world import World

from trackai.gateways.registry import gateways
from trackai.ingest.app import EdgeLimits
from trackai.ingest.opening import EdgeTools, open_edge
from trackai.model.clock import new_id
from trackai.storage.pool import Database, Role

if TYPE_CHECKING:
    from tests.conftest import Serve


@asynccontextmanager
async def open_edge_of(world: World, serve: "Serve") -> AsyncIterator[str]:
    """Serve an edge that keeps nothing outside the database; yield its address."""
    limits = EdgeLimits()
    tools = EdgeTools(world.envelope, world.clock, new_id, gateways(), None)
    async with (
        Database.opened(world.url, Role.INGEST, size=limits.connections) as ingest,
        open_edge(ingest, tools, limits) as edge,
    ):
        yield await serve(edge)
