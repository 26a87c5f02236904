"""What flowed in the last minute, where something was really sold and sent."""

from typing import TYPE_CHECKING

import pytest
from tests.dispatch.conftest import Office, office
from tests.support.world import PIXEL_TOKEN

from trackai.alarms.flow import flow_of
from trackai.housekeeping.rollups import Folder
from trackai.model.flow import Flow

if TYPE_CHECKING:
    from tests.support.world import World

__all__ = ["office", "shop", "world"]


@pytest.fixture
def world(office: Office) -> "World":
    """Return the office's world."""
    return office.world


@pytest.fixture
async def shop(office: Office) -> Office:
    """Yield an office one second after a minute of the present began: minutes are kept two days."""
    (row,) = await office.world.rows(
        "select date_trunc('minute', now()) as now from tenants where id = $1"
    )
    office.world.clock.moment = row["now"]
    office.world.clock.forward(seconds=1)
    return office


async def flow(shop: Office) -> dict[Flow, float]:
    await Folder(shop.world.workers, shop.world.clock).step()
    async with shop.world.workers.transaction() as tx:
        return await flow_of(tx, shop.world.clock.now())


async def test_a_minute_says_what_all_tenants_sold_and_sent(shop: Office) -> None:
    other = await shop.open_account("Outra")
    pixels = [one.destination.pixel_id for one in (shop.world.account, other)]
    shop.meta.add_token(PIXEL_TOKEN, datasets=pixels)
    await shop.sell(2)
    await shop.sell(1, account=other)
    shop.world.clock.forward(seconds=2)
    await shop.step()
    shop.world.clock.forward(seconds=57)
    found = await flow(shop)

    assert (3, 3, 100) == (
        found[Flow.ATTEMPTS],
        found[Flow.ACCEPTED],
        found[Flow.SUCCESS_PERCENT],
    )
    assert 3 == found[Flow.SALES]
    for name in (Flow.LATENCY_P50_MS, Flow.LATENCY_P95_MS, Flow.LATENCY_P99_MS):
        assert found[name] == pytest.approx(2000, rel=0.02)


async def test_tries_that_fail_are_tries(shop: Office) -> None:
    await shop.sell(1)
    shop.meta.script_fault("http_500")
    await shop.step()
    shop.world.clock.forward(seconds=59)
    found = await flow(shop)

    assert (1, 0, 0) == (
        found[Flow.ATTEMPTS],
        found[Flow.ACCEPTED],
        found[Flow.SUCCESS_PERCENT],
    )
    assert Flow.LATENCY_P95_MS not in found


async def test_the_running_minute_is_not_told_before_it_is_over(shop: Office) -> None:
    await shop.sell(1)
    await shop.step()
    running = await flow(shop)
    shop.world.clock.forward(seconds=120)
    later = await flow(shop)

    assert 0 == running[Flow.ATTEMPTS] == later[Flow.ATTEMPTS]
