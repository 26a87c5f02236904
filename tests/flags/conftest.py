"""A world whose flags are set as its operator sets them, and whose workers ask them."""

from collections.abc import AsyncIterator

import pytest
from tests.support.flags import Panel
from tests.support.world import open_world


@pytest.fixture
async def panel(fresh_database_url: str) -> AsyncIterator[Panel]:
    """Yield a world with nothing said of any flag."""
    async with open_world(fresh_database_url) as world:
        yield Panel(world)
