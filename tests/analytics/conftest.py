"""A shop that sells and sends, whose clock is the database's."""

import pytest
from tests.dispatch.conftest import Office, office
from tests.support.world import World

__all__ = ["office", "shop", "world"]


@pytest.fixture
def world(office: Office) -> World:
    """Return the office's world, in the past that tests live in."""
    return office.world


@pytest.fixture
async def shop(office: Office) -> Office:
    """Yield an office in the present: minutes are counted of the database's last two days."""
    (row,) = await office.world.rows("select now() as now from tenants where id = $1")
    office.world.clock.moment = row["now"]
    return office
