"""`python -m benchmarks.edge STORE`: the product's HTTP side with its click store exchanged.

Everything else is what `trackai serve` runs: uvicorn, the same callable, the same checks. The
stores: `none` answers at once and keeps nothing; `row` gives every click a transaction of its own.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence

import uvloop
from typing_extensions import override

from trackai.app import App
from trackai.cli.http import http_server, listening
from trackai.cli.installation import envelope_of, set_up_logging
from trackai.cli.serve import stopped
from trackai.gateways.registry import gateways
from trackai.ingest.app import Edge, EdgeLimits
from trackai.ingest.directory import Directory
from trackai.ingest.group_commit import GroupCommit, GroupLimits
from trackai.ingest.keeper import Keeper
from trackai.ingest.outage import Reach
from trackai.ingest.stores import Stores
from trackai.model.click import Click
from trackai.model.clock import SystemClock, new_id
from trackai.settings import load_settings
from trackai.storage import clicks
from trackai.storage.clicks import insert_clicks
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Role

# Commits side by side of the store without grouping; more did not make it faster.
ROW_CONNECTIONS = 16

# Clicks as they are stored, but for their ads.
UNCOUNTED = """
insert into clicks (tenant_id, click_id, received_at, client_time, funnel_id, fbclid, fbc, fbp,
  gclid, ttclid, utm_source, utm_medium, utm_campaign, utm_content, utm_term, page_url, referrer,
  visitor_sealed, visitor_key, day, keep_days)
select new.*, (new.received_at at time zone 'UTC')::date,
  coalesce((select t.keep_days from tenants t where t.id = new.tenant_id), 30)
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::uuid[],
  $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
  $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::bytea[], $19::bytea[])
  as new (tenant_id, click_id, received_at)
left join lateral (
  select true as known from clicks k
  where k.tenant_id = new.tenant_id and k.click_id = new.click_id and k.day >= $20 limit 1
) before on true
where before.known is null
on conflict do nothing
"""


class _AtOnce(GroupCommit[Click, None]):
    @override
    async def add(self, row: Click) -> None:
        """Keep nothing."""


def _none(_database: Database, _envelope: Envelope) -> GroupCommit[Click, None]:
    async def store(clicks: object) -> list[None]:
        raise AssertionError(clicks)

    return _AtOnce(store, table="clicks", limits=GroupLimits())


def _row(database: Database, envelope: Envelope) -> GroupCommit[Click, None]:
    slots = asyncio.Semaphore(ROW_CONNECTIONS)

    class _Row(_AtOnce):
        @override
        async def add(self, row: Click) -> None:
            """Insert and commit this one."""
            async with slots, database.transaction() as tx:
                await insert_clicks(tx, envelope, [row])

    async def store(clicks: object) -> list[None]:
        raise AssertionError(clicks)

    return _Row(store, table="clicks", limits=GroupLimits())


def _uncounted(database: Database, envelope: Envelope) -> GroupCommit[Click, None]:
    """Store as the product does, without the ad and with the trigger that counts switched off."""
    clicks.INSERT_CLICKS = UNCOUNTED

    async def store(some: Sequence[Click]) -> list[None]:
        async with database.one_statement() as tx:
            await insert_clicks(tx, envelope, some)
        return [None] * len(some)

    return GroupCommit(store, table="clicks", limits=GroupLimits())


STORES: Mapping[str, Callable[[Database, Envelope], GroupCommit[Click, None]]] = {
    "none": _none,
    "row": _row,
    "uncounted": _uncounted,
}


async def _serve(store: str) -> None:
    settings = load_settings()
    set_up_logging(settings, "bench")
    assert settings.database_url is not None
    envelope = envelope_of(settings)
    database = await Database.connect(
        settings.database_url.get_secret_value(), Role.INGEST, size=ROW_CONNECTIONS + 2
    )
    limits = EdgeLimits(track_rate=settings.track_rate, track_burst=settings.track_burst)
    reach = Reach(database)
    keeper = Keeper(reach, envelope, None)
    stores = Stores(reach, envelope, keep=keeper.keep, writers=limits.writers)
    stores.clicks = STORES[store](database, envelope)
    edge = Edge(
        Directory(reach, envelope),
        stores,
        clock=SystemClock(),
        new_id=new_id,
        gateways=gateways(),
        limits=limits,
    )
    with listening(settings.host, settings.port) as listener:
        async with http_server(App(edge, database, edge, edge), listener):
            await stopped()
    await edge.close()
    await database.close()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
