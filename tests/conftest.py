"""Databases and addresses for tests.

One embedded server a run, shared by its workers, started when first asked. `database_url` is a
migrated database a worker (share it by tenants of your own); `fresh_database_url` is one a test,
cloned from the migrated template and dropped after; `clone_database` makes others. `serve` gives
an ASGI application an address on this machine.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from tests.support.databases import database, execute_apart, run_apart

if TYPE_CHECKING:
    from trackai.storage.embedded import EmbeddedPostgres

# Everywhere as hypothesis has it where CI is set: a busy machine breaks no deadline of 200 ms, and
# every change is tried by the same examples. Others: --hypothesis-profile=default.
settings.load_profile("ci")

PREFIX = "trackai-tests-"
TEMPLATE = "migrated"
# Free room that makes memory a place for test data.
MEMORY_BYTES = 4_000_000_000


def _controller_pid(worker_id: str) -> int:
    # Workers of pytest-xdist are children of the process that was started.
    return os.getpid() if worker_id == "master" else os.getppid()


def _fast_directory() -> Path:
    # Not pytest's own directory: its mode 0700 keeps the server's user out.
    memory = Path("/dev/shm")  # noqa: S108
    if memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def _home(pid: int) -> Path:
    return _fast_directory() / f"{PREFIX}{pid}"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one worker at a time make the template."""
    with (home / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep() -> None:
    """End servers and remove directories of runs that were killed."""
    from trackai.errors import ConfigurationError  # noqa: PLC0415
    from trackai.storage.embedded import start_embedded  # noqa: PLC0415

    for home in _fast_directory().glob(f"{PREFIX}*"):
        pid = home.name.removeprefix(PREFIX)
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with suppress(ConfigurationError):
                start_embedded(home, durable=False).stop()
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def fast_directory() -> Path:
    """Return where short-lived data directories go: memory where there is enough, else disk."""
    return _fast_directory()


@pytest.fixture(scope="session")
def postgres_server(worker_id: str) -> Iterator["EmbeddedPostgres"]:
    """Yield the run's server. It does not sync to disk; tests of faults start their own."""
    from trackai.storage.embedded import start_embedded  # noqa: PLC0415

    with start_embedded(_home(_controller_pid(worker_id)), durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres_server: "EmbeddedPostgres") -> str:
    """Return the name of a migrated database that nobody connects to."""
    from trackai.storage.migrate import migrate  # noqa: PLC0415

    made = postgres_server.directory / "template.made"
    with _alone(postgres_server.directory):
        if not made.exists():
            execute_apart(
                postgres_server.url,
                f"drop database if exists {TEMPLATE}",
                f"create database {TEMPLATE}",
            )
            run_apart(lambda: migrate(postgres_server.url_of(TEMPLATE)))
            made.touch()
    return TEMPLATE


CloneDatabase = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def clone_database(
    postgres_server: "EmbeddedPostgres", template_database: str, worker_id: str
) -> CloneDatabase:
    """Return what makes a migrated database for the length of a block; yields its address."""
    # Copying files is cheaper than logging them, as long as nothing is synced.
    made_as = f"template {template_database} strategy file_copy"
    return lambda name: database(postgres_server, f"{name}_{worker_id}", made_as)


@pytest.fixture(scope="session")
def database_url(clone_database: CloneDatabase) -> Iterator[str]:
    """Yield the address of this worker's migrated database."""
    with clone_database("worker") as url:
        yield url


@pytest.fixture
def fresh_database_url(clone_database: CloneDatabase) -> Iterator[str]:
    """Yield the address of a migrated database that this test alone uses."""
    with clone_database("fresh") as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: "EmbeddedPostgres", worker_id: str) -> Iterator[str]:
    """Yield the address of a database without any schema, for tests of migrations."""
    with database(postgres_server, f"empty_{worker_id}") as url:
        yield url


Serve = Callable[[Any], Awaitable[str]]


@asynccontextmanager
async def _served(app: Any) -> AsyncIterator[str]:
    from trackai.cli.http import address_of, http_server, listening  # noqa: PLC0415 - as above

    with listening("127.0.0.1", 0) as listener:
        async with http_server(app, listener, drain_s=1):
            yield address_of(listener)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve ASGI applications until the test ends; returns their addresses."""
    async with AsyncExitStack() as stack:

        async def start(app: Any) -> str:
            return await stack.enter_async_context(_served(app))

        yield start


@pytest.fixture(scope="session")
def amazon_url() -> Iterator[str]:
    """Yield the address of a server that speaks Amazon SQS, one a worker."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second to import

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def amazon(amazon_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Point the ordinary AWS settings at the stand-in; returns them."""
    variables = {
        "AWS_ENDPOINT_URL": amazon_url,
        "AWS_DEFAULT_REGION": "sa-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the run's data once all workers have ended."""
    if hasattr(session.config, "workerinput"):
        return
    home = _home(os.getpid())
    if home.exists():
        shutil.rmtree(home)
        _sweep()
