"""An edge over real HTTP and a real database, with a tenant and a connection of its own."""

import datetime as dt
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.program import PATIENCE_S
from tests.support.proxy import Proxy

from trackai.gateways.port import Gateway
from trackai.gateways.registry import gateways
from trackai.ingest.app import Edge, EdgeLimits
from trackai.ingest.opening import EdgeTools, open_edge
from trackai.ingest.spool import Spool
from trackai.model.clock import new_id
from trackai.model.tenant import Funnel, GatewayConnection, Secret, Tenant
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import insert_connection
from trackai.storage.pool import Database, Role, Row
from trackai.storage.tenants import insert_funnel, insert_tenant

if TYPE_CHECKING:
    from tests.conftest import Serve

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
TOKEN = "perfectpay-token-0123456789abcdef"


class Stopped:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> dt.datetime:
        return self.moment


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def field(self) -> str | None:
        field: str | None = self.json["error"].get("field")
        return field


@dataclass
class World:
    """A served edge and what stands around it."""

    url: str
    edge: Edge
    http: aiohttp.ClientSession
    clock: Stopped
    envelope: Envelope
    people: Database
    workers: Database
    ingest: Database
    tenant: Tenant
    funnel: Funnel
    connection: GatewayConnection

    async def call(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Reply:
        """Send a request; headers by keyword, with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.http.request(method, self.url + path, data=data, headers=named) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def track(self, kind: str, body: object, **headers: str) -> Reply:
        """Report something under this tenant's site key."""
        known = {"content_type": "application/json", "x_site_key": self.tenant.site_key}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.call("POST", f"/api/v1/track/{kind}", raw, **(known | headers))

    async def webhook(self, body: bytes, **headers: str) -> Reply:
        """Send a webhook to this tenant's connection."""
        path = f"/api/v1/webhooks/{self.connection.gateway}/{self.connection.endpoint_key}"
        return await self.call("POST", path, body, **headers)

    async def rows(self, statement: str) -> list[Row]:
        """Return what a statement finds for this tenant ($1)."""
        async with self.workers.transaction() as tx:
            return await tx.fetch(statement, self.tenant.id)

    async def connect(self, *secrets: Secret, tenant: Tenant | None = None) -> GatewayConnection:
        """Add a connection."""
        made = GatewayConnection(
            tenant_id=(tenant or self.tenant).id,
            id=new_id(),
            funnel_id=self.funnel.id,
            gateway="perfectpay",
            endpoint_key=f"key{new_id().hex}",
            secrets=secrets,
        )
        async with self.people.transaction(tenant_id=made.tenant_id) as tx:
            await insert_connection(tx, self.envelope, made, now=self.clock.now())
        return made


BuildWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def build(database_url: str, serve: "Serve") -> AsyncIterator[BuildWorld]:
    """Make worlds that end with the test; keyword arguments go to EdgeLimits."""
    async with AsyncExitStack() as stack:

        async def database(role: Role, size: int = 2, url: str = database_url) -> Database:
            opened = await Database.connect(url, role, size=size)
            stack.push_async_callback(opened.close)
            return opened

        async def make(
            known: Mapping[str, Gateway] | None = None,
            spool: Spool | None = None,
            line: Proxy | None = None,
            secrets: Secrets = NOWHERE,
            **limits: Any,
        ) -> World:
            clock, envelope = Stopped(), Envelope([bytes(range(32))])
            people, workers = await database(Role.APP), await database(Role.PIPELINE)
            # Whoever asks of a busy machine is patient; tests of impatience say so.
            settings = EdgeLimits(**{"patience_s": PATIENCE_S, **limits})
            url = line.url(database_url) if line else database_url
            ingest = await database(Role.INGEST, settings.connections, url)
            tools = EdgeTools(envelope, clock, new_id, known or gateways(), spool, secrets)
            edge = await stack.enter_async_context(open_edge(ingest, tools, settings))
            url = await serve(edge)
            timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
            http = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
            )
            tenant = Tenant(id=new_id(), name="Curso", site_key=f"site{new_id().hex}")
            funnel = Funnel(tenant_id=tenant.id, id=new_id(), name="Principal")
            async with people.transaction(tenant_id=tenant.id) as tx:
                await insert_tenant(tx, envelope, tenant, now=clock.now())
                await insert_funnel(tx, funnel, now=clock.now())
            unconnected = GatewayConnection(tenant.id, new_id(), funnel.id, "", "")
            world = World(
                url,
                edge,
                http,
                clock,
                envelope,
                people,
                workers,
                ingest,
                tenant,
                funnel,
                unconnected,
            )
            world.connection = await world.connect(Secret(TOKEN))
            return world

        yield make


@pytest.fixture
async def world(build: BuildWorld) -> World:
    """One served edge with the usual limits."""
    return await build()
