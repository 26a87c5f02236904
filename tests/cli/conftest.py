"""An installation on a database of its own, and its program."""

import asyncio
from pathlib import Path

import pytest
from tests.support.program import Place


@pytest.fixture
def place(tmp_path: Path, fresh_database_url: str) -> Place:
    """Return an installation that the test alone uses."""
    return Place(tmp_path, fresh_database_url)


@pytest.fixture
def place_with_tenant(place: Place) -> Place:
    """Return an installation with the tenant Loja."""

    async def create() -> None:
        async with place.here().onboarding() as onboarding:
            await onboarding.create_tenant("Loja")

    asyncio.run(create())
    return place
