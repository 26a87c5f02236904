"""Directories for embedded servers of a test's own, other processes that use them, and queries."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.support.world import World, open_world

from trackai.errors import ConfigurationError
from trackai.storage.embedded import start_embedded
from trackai.storage.pool import Row

# Says which server it uses, and uses it until its input ends.
USER = """
import sys
from pathlib import Path
from trackai.storage.embedded import start_embedded
with start_embedded(Path(sys.argv[1]), durable=False) as server:
    print("pid", server.pid, flush=True)
    sys.stdin.read()
"""


@dataclass
class Neighbour:
    """Another process that uses the server of a directory."""

    process: subprocess.Popen[str]

    def server_pid(self) -> int:
        """Wait until it uses a server, and return which."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("pid "):
                return int(line.split()[1])
        raise AssertionError("The other process ended without a server.")

    def leave(self) -> int:
        """Let it end, and return its exit code."""
        self.process.communicate(timeout=60)
        return self.process.returncode

    def kill(self) -> None:
        """End it without a chance to leave."""
        self.process.kill()
        self.process.communicate(timeout=60)


Ask = Callable[..., Awaitable[list[Row]]]
Join = Callable[[Path], Neighbour]


@pytest.fixture
def ask() -> Ask:
    """Run statements, one after the other, over a connection of their own; rows of the last."""

    async def run(url: str, *statements: str) -> list[Row]:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetch(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return run


@contextmanager
def passable(parent: Path) -> Iterator[Path]:
    """Make a directory of nobody else's that every user can enter; what is left in it is ended."""
    directory = Path(tempfile.mkdtemp(prefix="tai-", dir=parent))
    directory.chmod(0o711)
    yield directory
    for cluster in directory.rglob("postgres/postmaster.pid"):
        with suppress(ConfigurationError):
            start_embedded(cluster.parents[1], durable=False).stop()
    shutil.rmtree(directory)


@pytest.fixture
def place(fast_directory: Path) -> Iterator[Path]:
    """Yield a short directory that every user can enter; servers left in it are stopped after.

    pytest's own tmp_path is neither.
    """
    with passable(fast_directory) as directory:
        yield directory


@pytest.fixture
def place_on_disk() -> Iterator[Path]:
    """Yield the same where programs may be run, which memory need not allow."""
    with passable(Path(tempfile.gettempdir())) as directory:
        yield directory


@pytest.fixture(scope="session")
def prepared(fast_directory: Path) -> Iterator[Path]:
    """Yield a directory whose server was made and stopped: a copy is quicker than a new one."""
    with passable(fast_directory) as directory:
        start_embedded(directory, durable=False).stop()
        yield directory


@pytest.fixture
def home(place: Path, prepared: Path) -> Path:
    """Return a directory with a server that was made and stopped."""
    subprocess.run(["/bin/cp", "-a", *prepared.iterdir(), place], check=True)  # noqa: S603
    return place


@pytest.fixture
def join() -> Iterator[Join]:
    """Start other processes that use a directory's server until they are told to leave."""
    joined: list[Neighbour] = []

    def start(home: Path) -> Neighbour:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", USER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        joined.append(Neighbour(process))
        return joined[-1]

    yield start
    for one in joined:
        if one.process.returncode is None:
            one.leave()


@pytest.fixture
def as_root() -> None:
    """Skip where the tests do not run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    """Yield one account on a database that this test alone uses."""
    async with open_world(fresh_database_url) as made:
        yield made
