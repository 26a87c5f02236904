"""A customer of an installation: a tenant with every gateway and a pixel, who sells."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.support.program import PATIENCE_S, POLL_S, Place

from trackai.accounts.onboarding import NewDestination
from trackai.gateways.registry import gateway as gateway_named
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import DestinationAccount, Tenant
from trackai.sandbox.meta import MetaSandbox
from trackai.sandbox.platforms import PLATFORMS, Person, Sale, SaleStatus, platform
from trackai.sandbox.platforms.deliver import address

if TYPE_CHECKING:
    from trackai.sandbox.meta.state import ReceivedEvent

WEBHOOKS_AT_ONCE = 16
SECRETS = {
    name: f"{gateway_named(name).secret_prefix}{name}-secret-0123456789abcdef" for name in PLATFORMS
}
PIXEL_TOKEN = "EAAjourneytoken0123456789"


@dataclass
class Customer:
    """A tenant with all gateways and a pixel at the stand-in."""

    tenant: Tenant
    pixel: DestinationAccount
    paths: Mapping[str, str]
    meta: MetaSandbox

    def accepted(self) -> "list[ReceivedEvent]":
        """Return what Meta took for this pixel."""
        return self.meta.accepted(self.pixel.pixel_id)

    def sale(self, gateway: str, **changes: Any) -> Sale:
        """Return a new sale of this gateway, sold now."""
        made = platform(gateway, SECRETS[gateway]).transaction(new_id())
        return Sale(made, SystemClock().now(), **{"buyer": Person(), **changes})

    async def tell(
        self,
        http: aiohttp.ClientSession,
        base: str,
        gateway: str,
        sale: Sale,
        status: SaleStatus = SaleStatus.APPROVED,
    ) -> list[int | None]:
        """Post what the platform says of a sale; statuses, None where no answer came."""
        statuses: list[int | None] = []
        for webhook in platform(gateway, SECRETS[gateway]).notices(sale, status):
            url = address(base + self.paths[gateway], webhook)
            headers = {"Content-Type": webhook.content_type, **webhook.headers}
            try:
                async with http.post(url, data=webhook.body, headers=headers) as answer:
                    statuses.append(answer.status)
            except (aiohttp.ClientError, TimeoutError, OSError):
                statuses.append(None)
        return statuses

    async def sell(
        self,
        http: aiohttp.ClientSession,
        base: str,
        gateway: str,
        count: int,
        *,
        after: Callable[[int], None] = lambda _done: None,
    ) -> list[str]:
        """Sell so many at once; return the transactions whose webhooks all got a 200.

        `after` is called with the number of sales done so far: a place to make trouble.
        """
        slots = asyncio.Semaphore(WEBHOOKS_AT_ONCE)
        taken: list[str] = []
        done = 0

        async def one() -> None:
            nonlocal done
            async with slots:
                sale = self.sale(gateway)
                statuses = await self.tell(http, base, gateway, sale)
            done += 1
            if set(statuses) == {200}:
                taken.append(f"{gateway}:{sale.transaction}")
            after(done)

        await asyncio.gather(*(one() for _ in range(count)))
        return taken


async def open_customer(
    place: Place, meta: MetaSandbox, meta_url: str, name: str = "Curso"
) -> Customer:
    """Set up a tenant as the command line does, without a process a command."""
    # Not of the part that is the time: several may be opened at once.
    pixel_id = str(int(new_id().hex[-12:], 16))
    meta.add_dataset(pixel_id, name)
    meta.add_token(PIXEL_TOKEN + pixel_id, datasets=[pixel_id])
    async with place.here().onboarding() as onboarding:
        tenant = await onboarding.create_tenant(f"{name} {pixel_id}")
        connections = {
            gateway: await onboarding.connect_gateway(tenant.id, gateway, SECRETS[gateway])
            for gateway in PLATFORMS
        }
        pixel = await onboarding.connect_destination(
            tenant.id,
            NewDestination(
                kind="meta", pixel_id=pixel_id, token=PIXEL_TOKEN + pixel_id, api_url=meta_url
            ),
        )
    paths = {
        gateway: f"/api/v1/webhooks/{gateway}/{connection.endpoint_key}"
        for gateway, connection in connections.items()
    }
    return Customer(tenant, pixel, paths, meta)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds, bounded."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        await asyncio.sleep(POLL_S)


async def await_accepted(customer: Customer, event_ids: Sequence[str]) -> None:
    """Wait until Meta has all of these, then hold that it has each once."""
    wanted = set(event_ids)
    await until(
        lambda: wanted <= {event.event_id for event in customer.accepted()},
        f"{len(wanted)} events at Meta",
    )
    ids = [event.event_id for event in customer.accepted()]
    assert len(ids) == len(set(ids))
