"""A tenant of the scratch installation with all gateways and a pixel at the sandbox's Meta."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.scratch import Scratch
from trackai.accounts.onboarding import NewDestination
from trackai.model.clock import SystemClock, new_id
from trackai.model.tenant import GatewayConnection, Tenant
from trackai.sandbox.platforms import PLATFORMS, Person, Platform, Sale, platform

GATEWAYS = ("perfectpay", "hotmart", "kiwify", "stripe")
PIXEL = "100200300400500"
TOKEN = "EAAbenchmark"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who sells, and how the platforms sign."""

    tenant: Tenant
    connections: Mapping[str, GatewayConnection]
    platforms: Mapping[str, Platform]

    def path(self, gateway: str) -> str:
        """Where the gateway's webhooks go."""
        return f"/api/v1/webhooks/{gateway}/{self.connections[gateway].endpoint_key}"

    def sale(self, gateway: str, number: int, *, click_id: str | None = None) -> Sale:
        """Return a new sale, sold now to a buyer of this number."""
        return Sale(
            self.platforms[gateway].transaction(new_id()),
            SystemClock().now(),
            click_id=click_id,
            buyer=Person(email=f"buyer{number}@example.com", phone=f"55119{number:08}"),
        )


async def open_customer(place: Scratch, meta_url: str) -> Customer:
    """Set the tenant up as the command line does."""
    shared = {name: f"whsec_{secrets.token_hex(16)}" for name in PLATFORMS}
    async with place.here.onboarding() as onboarding:
        tenant = await onboarding.create_tenant("Benchmark")
        connections = {
            name: await onboarding.connect_gateway(tenant.id, name, shared[name])
            for name in GATEWAYS
        }
        pixel = NewDestination(kind="meta", pixel_id=PIXEL, token=TOKEN, api_url=meta_url)
        await onboarding.connect_destination(tenant.id, pixel)
    platforms = {name: platform(name, shared[name]) for name in GATEWAYS}
    return Customer(tenant, connections, platforms)


def sandbox_meta() -> list[str]:
    """Return the arguments that serve Meta's stand-in on "{port}" with the pixel and token."""
    return ["sandbox", "meta", "--pixel", PIXEL, "--token", TOKEN, "--port", "{port}"]
