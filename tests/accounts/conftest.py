"""People who sign in to a world with one tenant."""

from collections.abc import AsyncIterator

import pytest
from tests.support.door import Door, open_door


@pytest.fixture
async def door(fresh_database_url: str) -> AsyncIterator[Door]:
    """Yield a world that nobody has come into yet."""
    async with open_door(fresh_database_url) as made:
        yield made
