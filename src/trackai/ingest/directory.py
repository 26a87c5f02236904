"""Who a request belongs to: tenants and gateway connections, remembered for seconds; and flags.

A change in the tables is seen after ten seconds at the latest (a new one after two); while the
database is away what was known before still counts.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar
from uuid import UUID

from trackai.errors import Unavailable
from trackai.flags.switches import Switches
from trackai.ingest.outage import Reach
from trackai.model.tenant import GatewayConnection, Tenant
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage.envelope import Envelope
from trackai.storage.gateway_connections import (
    find_connection_by_endpoint_key_all_tenants,
    list_connections_of_gateway,
)
from trackai.storage.pool import Tx
from trackai.storage.tenant_keys import know, know_all_tenants
from trackai.storage.tenants import (
    find_tenant,
    find_tenant_by_site_key,
    list_tenants_all_tenants,
)

Key = TypeVar("Key")
Value = TypeVar("Value")

FOUND_S = 10.0  # how long something found is believed
MISSING_S = 2.0  # how long something missing is believed: set-up should work at once
MOST_ENTRIES = 10_000  # a cache's bound; the longest unused goes first
MOST_LOOKUPS = 2  # lookups at once, so that a flood of unknown keys leaves room for the writers

Connections = tuple[GatewayConnection, ...]


class Cache(Generic[Key, Value]):
    """Remembers what `load` returned; None means there is no such thing."""

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value | None]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._monotonic = monotonic
        self._found: OrderedDict[Key, tuple[Value, float]] = OrderedDict()
        # Kept apart, so that made-up keys cannot push out real ones.
        self._missing: OrderedDict[Key, float] = OrderedDict()
        self._loading: dict[Key, asyncio.Task[Value | None]] = {}

    async def find(self, key: Key, *, max_age_s: float = FOUND_S) -> Value | None:
        """Return the value; loaded once for all who ask at the same time.

        Unavailable only when the value has never been known.
        """
        now = self._monotonic()
        known = self._found.get(key)
        if known is not None:
            self._found.move_to_end(key)
            if now - known[1] < max_age_s:
                return known[0]
        elif now - self._missing.get(key, -MISSING_S) < MISSING_S:
            return None
        try:
            return await self._load_once(key)
        except Unavailable:
            if known is None:
                raise
            return known[0]

    def know(self, key: Key, value: Value) -> None:
        """Believe this from now on, as if it had been loaded."""
        self._missing.pop(key, None)
        self._found[key] = (value, self._monotonic())
        _trim(self._found)

    async def _load_once(self, key: Key) -> Value | None:
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(self._load_and_keep(key))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        # One asker that goes away must not take the answer from the others.
        return await asyncio.shield(task)

    def _loaded(self, key: Key, task: "asyncio.Task[Value | None]") -> None:
        del self._loading[key]
        if not task.cancelled():
            task.exception()  # seen, even when all who asked have gone

    async def _load_and_keep(self, key: Key) -> Value | None:
        value = await self._load(key)
        if value is None:
            self._found.pop(key, None)
            self._missing[key] = self._monotonic()
            _trim(self._missing)
        else:
            self.know(key, value)
        return value


class Directory:
    """The edge's questions about tenants and connections."""

    def __init__(
        self,
        reach: Reach,
        envelope: Envelope,
        secrets: Secrets = NOWHERE,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reach = reach
        self._envelope = envelope
        self.secrets = secrets
        self._lookups = asyncio.Semaphore(MOST_LOOKUPS)
        self.tenants: Cache[UUID, Tenant] = Cache(self._tenant, monotonic=monotonic)
        self.site_keys: Cache[str, Tenant] = Cache(self._site_key, monotonic=monotonic)
        self.endpoints: Cache[str, GatewayConnection] = Cache(self._endpoint, monotonic=monotonic)
        self.gateways: Cache[tuple[UUID, str], Connections] = Cache(
            self._gateway, monotonic=monotonic
        )
        self.switches = Switches(self._reading, monotonic=monotonic)

    async def start(self) -> None:
        """Learn tenants and flags: pages are heard though the database goes away before they call.

        This is also the edge's first question, so that a wrong set-up fails here and not later.
        """
        async with self._reach.transaction() as tx:
            tenants = await list_tenants_all_tenants(tx, limit=MOST_ENTRIES)
            await know_all_tenants(tx, self._envelope, limit=MOST_ENTRIES)
        for tenant in tenants:
            self.tenants.know(tenant.id, tenant)
            self.site_keys.know(tenant.site_key, tenant)
        await self.switches.board()

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Tx]:
        async with self._lookups, self._reach.transaction() as tx:
            yield tx

    async def _tenant(self, tenant_id: UUID) -> Tenant | None:
        async with self._lookups, self._reach.transaction() as tx:
            return await self._known(tx, await find_tenant(tx, tenant_id))

    async def _site_key(self, site_key: str) -> Tenant | None:
        async with self._lookups, self._reach.transaction() as tx:
            return await self._known(tx, await find_tenant_by_site_key(tx, site_key))

    async def _known(self, tx: Tx, tenant: Tenant | None) -> Tenant | None:
        """Have the tenant's key at hand before anything of theirs is sealed, also in an outage."""
        if tenant is not None:
            await know(tx, self._envelope, (tenant.id,))
        return tenant

    async def _endpoint(self, endpoint_key: str) -> GatewayConnection | None:
        async with self._lookups, self._reach.transaction() as tx:
            return await find_connection_by_endpoint_key_all_tenants(
                tx, self._envelope, endpoint_key
            )

    async def _gateway(self, key: tuple[UUID, str]) -> Connections | None:
        tenant_id, gateway = key
        async with self._lookups, self._reach.transaction() as tx:
            connections = await list_connections_of_gateway(
                tx, self._envelope, tenant_id=tenant_id, gateway=gateway
            )
        return tuple(connections) or None


def _trim(entries: "OrderedDict[Key, Value]") -> None:
    while len(entries) > MOST_ENTRIES:
        entries.popitem(last=False)
