"""The database's address with a password that is kept elsewhere, and changed there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from trackai.errors import SecretUnavailable, StorageUnavailable
from trackai.secrets.opening import open_secrets
from trackai.secrets.port import reference
from trackai.storage.login import Login

# A new connection may still be tried with a password that was changed so long ago.
PASSWORD_S = 5.0


class _Document(msgspec.Struct):
    """What Amazon RDS keeps: a login with its password."""

    password: str


@asynccontextmanager
async def open_login(
    url: str | None, kept_at: str | None, secrets_dir: Path | None
) -> AsyncIterator[str | None]:
    """Yield the address; its password is looked up for every new connection."""
    if url is None or kept_at is None:
        yield url
        return
    place = reference(kept_at)
    async with open_secrets(secrets_dir) as secrets:

        async def password() -> str:
            try:
                kept = await secrets.find(place, max_age_s=PASSWORD_S)
            except SecretUnavailable as error:
                raise StorageUnavailable(
                    "The database's password, of TRACKAI_DATABASE_PASSWORD_FROM, cannot be "
                    f"looked up ({error.reason}).",
                    retry_after_s=1.0,
                ) from error
            return _password(kept.value)

        yield Login(url, password)


def _password(kept: str) -> str:
    """Return the password of a document as Amazon RDS keeps it, or what is kept as it is."""
    try:
        return msgspec.json.decode(kept, type=_Document).password
    except (msgspec.DecodeError, msgspec.ValidationError):
        return kept
