"""A webhook that somebody caught and sends again: of every gateway, from edge to what is owed."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.edge import open_edge_of
from tests.support.world import SECRET, World, open_world

from trackai.sandbox.platforms import PLATFORMS, SaleStatus, SignedWebhook, platform
from trackai.sandbox.platforms.deliver import address

if TYPE_CHECKING:
    from tests.conftest import Serve

RECEIPTS = "select id, repeats from webhook_receipts where tenant_id = $1 order by id"
SALES = "select count(*) as number from conversions where tenant_id = $1"
EVENTS = "select event_id from deliveries where tenant_id = $1"
# Stripe signs the time; what is older than this is refused (its own library's tolerance).
SIGNED_FOR = dt.timedelta(minutes=5)


@dataclass
class Wire:
    """Somebody who hears what platforms send to an edge."""

    world: World
    edge: str
    http: aiohttp.ClientSession

    async def send(self, gateway: str, webhook: SignedWebhook, key: str | None = None) -> int:
        """Send it; return the answer's status."""
        known = self.world.account.connections[gateway].endpoint_key
        url = address(f"{self.edge}/api/v1/webhooks/{gateway}/{key or known}", webhook)
        headers = {"Content-Type": webhook.content_type, **webhook.headers}
        async with self.http.post(url, data=webhook.body, headers=headers) as answer:
            return answer.status

    def notice(self, gateway: str) -> SignedWebhook:
        """Return what a platform says of a paid sale now."""
        sale = self.world.sale(gateway)
        said = platform(gateway, SECRET).notices(
            sale, SaleStatus.APPROVED, at=self.world.clock.now()
        )
        return said[0]


@pytest.fixture
async def wire(fresh_database_url: str, serve: "Serve") -> AsyncIterator[Wire]:
    async with (
        open_world(fresh_database_url) as world,
        open_edge_of(world, serve) as edge,
        aiohttp.ClientSession() as http,
    ):
        yield Wire(world, edge, http)


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_the_same_webhook_again_changes_nothing(wire: Wire, gateway: str) -> None:
    webhook = wire.notice(gateway)
    statuses = [await wire.send(gateway, webhook)]
    await wire.world.work()
    before = [row["event_id"] for row in await wire.world.rows(EVENTS)]
    for _ in range(3):
        statuses.append(await wire.send(gateway, webhook))
        await wire.world.work()
    (receipt,) = await wire.world.rows(RECEIPTS)
    (sales,) = await wire.world.rows(SALES)

    assert [200] * 4 == statuses
    assert (3, 1) == (receipt["repeats"], sales["number"])
    assert 1 == len(before)
    assert before == [row["event_id"] for row in await wire.world.rows(EVENTS)]


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_the_same_webhook_days_later_is_no_other_sale(wire: Wire, gateway: str) -> None:
    webhook = wire.notice(gateway)
    await wire.send(gateway, webhook)
    await wire.world.work()
    wire.world.clock.forward(days=3)
    late = await wire.send(gateway, webhook)
    await wire.world.work()
    (sales,) = await wire.world.rows(SALES)

    # Where the platform signs the time nothing old is believed; elsewhere it is the same again.
    assert (401 if gateway == "stripe" else 200) == late
    assert 1 == sales["number"]
    assert 1 == len(await wire.world.rows(EVENTS))
    assert 1 == len(await wire.world.rows(RECEIPTS))


@pytest.mark.parametrize("gateway", sorted(PLATFORMS))
async def test_a_webhook_of_one_tenant_is_worth_nothing_at_another(
    wire: Wire, gateway: str
) -> None:
    webhook, other = wire.notice(gateway), await wire.world.open_account("Outra")
    nowhere = await wire.send(gateway, webhook, key=f"key{'0' * 32}")
    await wire.send(gateway, webhook)
    await wire.world.work()

    assert 404 == nowhere
    assert [] == await wire.world.rows(RECEIPTS, other)
    assert [] == await wire.world.rows(EVENTS, other)


async def test_a_signed_time_counts_to_its_last_second(wire: Wire) -> None:
    webhook = wire.notice("stripe")
    wire.world.clock.forward(seconds=SIGNED_FOR.total_seconds())
    in_time = await wire.send("stripe", webhook)
    wire.world.clock.forward(seconds=1)

    assert (200, 401) == (in_time, await wire.send("stripe", webhook))
