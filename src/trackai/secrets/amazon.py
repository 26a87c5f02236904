"""AWS Secrets Manager: a secret by its name, with the one before it.

Facts from Amazon's reference of GetSecretValue and its guide on versions, read in November 2026.
The client is opened when the first secret is asked for: who has no references needs no Amazon.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from trackai.aws import code_of, set_up
from trackai.errors import ConfigurationError, SecretMissing, SecretUnavailable
from trackai.secrets.port import Kept

if TYPE_CHECKING:
    from types_aiobotocore_secretsmanager import SecretsManagerClient

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
# A webhook waits for this at most.
LONGEST_S = 8.0
# There is none of this name, it has no value yet, or it is marked to be deleted.
_MISSING = re.compile("ResourceNotFound|InvalidRequest")


class Amazon:
    """Looks secrets up; remembers nothing."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._client: SecretsManagerClient | None = None

    async def look_up(self, name: str) -> Kept:
        """Return a secret; SecretMissing when there is none, SecretUnavailable for all else."""
        try:
            with set_up("AWS Secrets Manager"):
                client = await self._opened()
                async with asyncio.timeout(LONGEST_S):
                    return await self._look_up(client, name)
        except ConfigurationError as error:
            raise SecretUnavailable("not_set_up") from error
        except ClientError as error:
            if _MISSING.search(code_of(error)):
                raise SecretMissing from error
            raise SecretUnavailable(code_of(error)) from error
        except (BotoCoreError, OSError, TimeoutError) as error:
            raise SecretUnavailable(type(error).__name__) from error

    async def close(self) -> None:
        """Close the client, if there was one."""
        await self._stack.aclose()

    async def _look_up(self, client: "SecretsManagerClient", name: str) -> Kept:
        now = await client.get_secret_value(SecretId=name, VersionStage=CURRENT)
        value = now.get("SecretString", "").strip()
        if not value:
            raise SecretMissing
        return Kept(value, await self._before(client, name), now["CreatedDate"])

    async def _before(self, client: "SecretsManagerClient", name: str) -> str | None:
        try:
            before = await client.get_secret_value(SecretId=name, VersionStage=PREVIOUS)
        except ClientError as error:
            if _MISSING.search(code_of(error)):
                return None
            raise
        return before.get("SecretString", "").strip() or None

    async def _opened(self) -> "SecretsManagerClient":
        async with self._opening:
            if self._client is None:
                config = AioConfig(
                    connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2}
                )
                self._client = await self._stack.enter_async_context(
                    get_session().create_client("secretsmanager", config=config)
                )
            return self._client
