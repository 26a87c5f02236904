"""What resolves references, put together: by what they begin with, behind a cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from trackai.errors import SecretMissing, SecretUnavailable
from trackai.secrets.amazon import Amazon
from trackai.secrets.cache import Cache
from trackai.secrets.port import AWS, FILE, Kept, Secrets


@asynccontextmanager
async def open_secrets(directory: Path | None = None) -> AsyncIterator[Secrets]:
    """Open what resolves references for the length of a block; nobody is asked before."""
    amazon = Amazon()

    async def look_up_one(kind: str, name: str) -> Kept:
        if kind == AWS:
            return await amazon.look_up(name)
        return await asyncio.to_thread(_read, directory, name)

    async def look_up(reference: str) -> Kept:
        kind = AWS if reference.startswith(AWS) else FILE
        for name in reference.removeprefix(kind).split(","):
            with suppress(SecretMissing):
                return await look_up_one(kind, name)
        raise SecretMissing

    try:
        yield Cache(look_up)
    finally:
        await amazon.close()


def _read(directory: Path | None, name: str) -> Kept:
    if directory is None:
        raise SecretUnavailable("no_directory")
    try:
        value = (directory / name).read_text("utf-8").strip()
    except FileNotFoundError as error:
        raise SecretMissing from error
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnavailable(type(error).__name__) from error
    if not value:
        raise SecretMissing
    return Kept(value)
