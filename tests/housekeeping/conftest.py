"""A tenant with funnels, gateways and a pixel on a real database."""

from collections.abc import AsyncIterator

import pytest
from tests.support.world import World, open_world


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """Yield one account on a database that this test alone uses."""
    async with open_world(fresh_database_url) as made:
        yield made
