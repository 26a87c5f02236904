"""An installation, a stand-in for Meta that the test holds, and HTTP."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from tests.support.program import PATIENCE_S, Place

from trackai.model.clock import SystemClock
from trackai.sandbox.meta import MetaSandbox

if TYPE_CHECKING:
    from tests.conftest import Serve


@pytest.fixture
async def meta(serve: "Serve") -> tuple[MetaSandbox, str]:
    """Return a stand-in for Meta and its address; it outlives whatever is killed."""
    sandbox = MetaSandbox(SystemClock())
    return sandbox, await serve(sandbox)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        yield session


@pytest.fixture
def place(tmp_path: Path, fresh_database_url: str) -> Place:
    """Return an installation on a database of its own at the tests' server."""
    return Place(tmp_path, fresh_database_url)


@pytest.fixture
def embedded_place() -> Iterator[Place]:
    """Yield an installation with an embedded server of its own, in a directory all can enter.

    pytest's own tmp_path is closed to the server's user.
    """
    directory = Path(tempfile.mkdtemp(prefix="trackai-journey-"))
    directory.chmod(0o711)
    yield Place(directory, None)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Yield a stack that ends what was started, in reverse order."""
    with ExitStack() as open_things:
        yield open_things
