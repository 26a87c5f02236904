"""What resolves references, put together: by what they begin with, behind a cache."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trackai.errors import SecretMissing, SecretUnavailable
from trackai.secrets.cache import Cache
from trackai.secrets.port import AWS, FILE, Kept, Secrets

if TYPE_CHECKING:
    from trackai.secrets.amazon import Amazon


@asynccontextmanager
async def open_secrets(directory: Path | None = None) -> AsyncIterator[Secrets]:
    """Open what resolves references for the length of a block; nobody is asked before."""
    places = _Places(directory)
    try:
        yield Cache(places.look_up)
    finally:
        await places.close()


@dataclass(slots=True)
class _Places:
    """Where secrets are kept."""

    directory: Path | None
    amazon: "Amazon | None" = None

    async def look_up(self, reference: str) -> Kept:
        """Return what is kept at the first of the names that there is."""
        kind = AWS if reference.startswith(AWS) else FILE
        for name in reference.removeprefix(kind).split(","):
            with suppress(SecretMissing):
                if kind == AWS:
                    return await self._of_amazon().look_up(name)
                return await asyncio.to_thread(_read, self.directory, name)
        raise SecretMissing

    async def close(self) -> None:
        """Close what was opened."""
        if self.amazon is not None:
            await self.amazon.close()

    def _of_amazon(self) -> "Amazon":
        if self.amazon is None:
            # Most installations keep nothing there, and its client is a third of a command's start.
            from trackai.secrets.amazon import Amazon  # noqa: PLC0415

            self.amazon = Amazon()
        return self.amazon


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
