"""AWS Secrets Manager as a stand-in, who keeps secrets there, and what looks them up."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from aiobotocore.session import get_session
from tests.support.safe import Amazon, there

from trackai.secrets.opening import open_secrets
from trackai.secrets.port import Secrets

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager import SecretsManagerClient


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    with there(monkeypatch) as amazon:
        yield amazon


@pytest.fixture
async def keeper(cloud: Amazon) -> AsyncIterator["SecretsManagerClient"]:
    """Who keeps secrets at Amazon: a person, or what rotates them."""
    assert cloud.server is not None
    async with get_session().create_client("secretsmanager") as client:
        yield client


@pytest.fixture
async def secrets() -> AsyncIterator[Secrets]:
    async with open_secrets() as opened:
        yield opened
