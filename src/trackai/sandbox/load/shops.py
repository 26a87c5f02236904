"""Made-up tenants with all that their made-up sales refer to."""

import secrets

import msgspec

from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.model.clock import SystemClock, new_id
from trackai.model.notice import Buyer
from trackai.model.tenant import Tenant
from trackai.sandbox.load.shape import GATEWAY_OF, Ad, Shop, words_of_ads
from trackai.storage import bulk, conversions
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Role
from trackai.storage.tenant_keys import know

# How a few shops share all tries.
SHARES = (0.8, 0.15, 0.05)
FUNNELS = ("Curso", "Mentoria", "Assinatura", "Evento")
NO_TOKEN = "made-up"  # noqa: S105 - as it says
PIXELS = ("482910573640001", "482910573640002")


async def open_shops(url: str, envelope: Envelope, number: int) -> list[Shop]:
    """Make so many tenants, at most four; nothing of theirs is ever sent."""
    shares = SHARES[:number]
    async with (
        Database.opened(url, Role.APP, size=2) as people,
        Database.opened(url, None, size=1) as owner,
    ):
        onboarding = Onboarding(people, envelope, SystemClock(), new_id, "bench load")
        shops = []
        for index, share in enumerate(shares, start=1):
            tenant = await onboarding.create_tenant(f"Carga {index} {new_id().hex[-6:]}")
            ads = await _ads(owner, tenant)
            sealed = await _nobody(people, envelope, tenant)
            shops.append(await _shop(onboarding, tenant, ads, sealed, share / sum(shares)))
    return shops


async def _shop(
    onboarding: Onboarding, tenant: Tenant, ads: list[Ad], nobody: bytes, share: float
) -> Shop:
    funnels = [await onboarding.create_funnel(tenant.id, name) for name in FUNNELS]
    # Nobody knows the secret: no webhook is believed.
    secret = secrets.token_urlsafe(32)
    connections = {
        gateway: await onboarding.connect_gateway(tenant.id, gateway, secret, funnel=funnel)
        for gateway, funnel in dict(zip(GATEWAY_OF, FUNNELS, strict=True)).items()
    }
    pixels = [
        await onboarding.connect_destination(
            tenant.id, NewDestination(kind="meta", pixel_id=pixel, token=NO_TOKEN)
        )
        for pixel in PIXELS
    ]
    return Shop(
        tenant_id=tenant.id,
        name=tenant.name,
        funnels=[one.id for one in funnels],
        connections={gateway: one.id for gateway, one in connections.items()},
        pixels=[one.id for one in pixels],
        ads=ads,
        buyer_sealed=nobody,
        share=share,
    )


async def _ads(owner: Database, tenant: Tenant) -> list[Ad]:
    async with owner.transaction() as tx:
        return [Ad(*one) for one in await bulk.name_ads(tx, words_of_ads(), tenant_id=tenant.id)]


async def _nobody(people: Database, envelope: Envelope, tenant: Tenant) -> bytes:
    """Return the envelope of a buyer of whom nothing is known."""
    async with people.transaction(tenant_id=tenant.id) as tx:
        await know(tx, envelope, (tenant.id,))
    buyer = msgspec.msgpack.encode(Buyer())
    return envelope.seal(buyer, table=conversions.TABLE, tenant_id=tenant.id)
