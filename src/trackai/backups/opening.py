"""Opens the vault that a setting names: a directory, or s3://bucket/prefix."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from trackai.backups.s3 import SCHEME, open_s3
from trackai.backups.vaults import Directory, Vault


@asynccontextmanager
async def open_vault(address: str) -> AsyncIterator[Vault]:
    """Open a vault for the length of a block."""
    if address.startswith(f"{SCHEME}://"):
        async with open_s3(address) as vault:
            yield vault
    else:
        yield Directory(Path(address))
