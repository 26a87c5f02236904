"""Puts an edge together over a database, and ends it: what waits is committed or kept."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from trackai.gateways.port import Gateway
from trackai.ingest.app import Edge, EdgeLimits
from trackai.ingest.directory import Directory
from trackai.ingest.keeper import Keeper
from trackai.ingest.outage import Reach
from trackai.ingest.spool import Spool
from trackai.ingest.stores import Stores
from trackai.model.clock import Clock, NewId
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database


@dataclass(frozen=True, slots=True)
class EdgeTools:
    """What an edge needs besides a database; without a spool an outage refuses pages, too."""

    envelope: Envelope
    clock: Clock
    new_id: NewId
    gateways: Mapping[str, Gateway]
    spool: Spool | None = None
    secrets: Secrets = NOWHERE


@asynccontextmanager
async def open_edge(
    database: Database, tools: EdgeTools, limits: EdgeLimits
) -> AsyncIterator[Edge]:
    """Open an edge for the length of a block."""
    reach = Reach(database, patience_s=limits.patience_s)
    keeper = Keeper(reach, tools.envelope, tools.spool)
    edge = Edge(
        Directory(reach, tools.envelope, tools.secrets),
        Stores(reach, tools.envelope, keep=keeper.keep, writers=limits.writers),
        clock=tools.clock,
        new_id=tools.new_id,
        gateways=tools.gateways,
        limits=limits,
    )
    await edge.start()
    async with keeper.running():
        try:
            yield edge
        finally:
            await edge.close()
