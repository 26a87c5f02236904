"""The real processes, the lines between them, and what can be done to either."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from tests.support.apart import ended, started
from tests.support.customer import Customer, open_customer
from tests.support.ports import kept_port
from tests.support.program import Place
from tests.support.proxy import Line, Proxy, database_proxy, local_proxy

from torture.ledger import TIME_PASSES
from trackai.cli.http import address_of, http_server, listening
from trackai.model.clock import SystemClock
from trackai.sandbox.meta import MetaSandbox
from trackai.storage.embedded import EmbeddedPostgres, start_embedded

KEEP_EVENTS = 1_000_000
# A process that ended is started again after this, as a supervisor does.
RESTART_S = 0.2
START_S = 60.0
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of a session that was just ended
)
HANG_UP = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


class Kept:
    """A process that is started again whenever it ends."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Keep it running until cancelled, then end it."""
        try:
            while True:
                self._process = started(self._command, self._environment, self._log)
                while self._process.poll() is None:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(RESTART_S)
        finally:
            if self._process is not None:
                await asyncio.to_thread(ended, self._process)

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal; False when there is nobody to get it."""
        if self._process is None or self._process.poll() is not None:
            return False
        self._process.send_signal(number)
        return True


class Stage:
    """Everything that runs."""

    def __init__(self, directory: Path, server: EmbeddedPostgres, place: Place, port: int) -> None:
        self.directory = directory
        self.server = server
        self.place = place
        self.meta = MetaSandbox(SystemClock(), keep=KEEP_EVENTS)
        self.lines: dict[str, Proxy] = {"database": database_proxy(server.url)}
        self.base = f"http://127.0.0.1:{port}"
        self.processes: dict[str, Kept] = {}
        self.customers: list[Customer] = []

    async def kill(self, name: str) -> bool:
        """Kill a process of ours; the supervisor starts it again."""
        return self.processes[name].signal(signal.SIGKILL)

    async def kill_database(self) -> bool:
        """Kill PostgreSQL and start it again: it recovers from its log."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.server.pid, signal.SIGKILL)
        for _ in range(50):
            if await asyncio.to_thread(self.server.revive):
                return True
            await asyncio.sleep(0.1)
        return False

    async def restart_database(self) -> bool:
        """Stop PostgreSQL as an upgrade does, and start it again."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.server.pid, signal.SIGINT)  # PostgreSQL's fast shutdown
        for _ in range(100):
            if await asyncio.to_thread(self.server.revive):
                return True
            await asyncio.sleep(0.1)
        return False

    async def hang_up_database(self) -> None:
        """Let the server end every session."""
        await self._as_owner(HANG_UP)

    async def freeze(self, name: str, seconds: float) -> None:
        """Stop a process until its leases have run out and others have them, then let it go on."""
        if self.processes[name].signal(signal.SIGSTOP):
            await asyncio.sleep(seconds / 2)
            await self._as_owner(TIME_PASSES)
            await asyncio.sleep(seconds / 2)
            self.processes[name].signal(signal.SIGCONT)

    async def trouble_line(self, name: str, line: Line, seconds: float) -> None:
        """Let a line misbehave for a while."""
        self.lines[name].set_line(line)
        await asyncio.sleep(seconds)
        self.lines[name].set_line(Line.PASSES)

    def heal(self) -> None:
        """Let all lines pass, all processes go on, and Meta be well; curses stay."""
        for line in self.lines.values():
            line.set_line(Line.PASSES)
        for process in self.processes.values():
            process.signal(signal.SIGCONT)

    def spooled(self) -> int:
        """Return how many page reports came through the spool."""
        said = _log_lines(self.directory / "server.log")
        return sum(int(one["reports"]) for one in said if one.get("event") == "spool.stored")

    async def _as_owner(self, statements: str) -> None:
        # The database may be away at this moment: then there is nothing to do to it.
        with contextlib.suppress(*_AWAY):
            connection = await asyncpg.connect(self.server.url, timeout=5, command_timeout=10)
            try:
                await connection.execute(statements)
            finally:
                await connection.close(timeout=5)


@asynccontextmanager
async def open_stage(queue: str) -> AsyncIterator[Stage]:
    """Set everything up for the length of a block: customers, lines, a server, two workers."""
    async with AsyncExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="trackai-torture-"))
        )
        directory.chmod(0o711)
        server = await asyncio.to_thread(start_embedded, directory / "database")
        stack.push_async_callback(asyncio.to_thread, server.stop)
        port = stack.enter_context(kept_port())
        stage = Stage(directory, server, Place(directory, server.url), port)
        await _open_lines(stack, stage, queue)
        await _open_customers(stage)
        await _start_processes(stack, stage, queue)
        yield stage


async def _open_lines(stack: AsyncExitStack, stage: Stage, queue: str) -> None:
    listener = stack.enter_context(listening("127.0.0.1", 0))
    await stack.enter_async_context(http_server(stage.meta, listener))
    stage.lines["meta"] = local_proxy(int(address_of(listener).rpartition(":")[2]))
    if queue == "sqs":
        port = stack.enter_context(kept_port())
        # A process of its own: it is slow, and would starve the proxies.
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        amazon = Kept(command, {"PATH": "/usr/bin:/bin"}, stage.directory / "amazon.log")
        stack.push_async_callback(_ended, asyncio.create_task(amazon.run(), name="amazon"))
        await _listens(port)
        stage.lines["queue"] = local_proxy(port)
    for line in stage.lines.values():
        await stack.enter_async_context(line.listening())


async def _open_customers(stage: Stage) -> None:
    done = await asyncio.to_thread(stage.place.run, "migrate")
    assert done.returncode == 0, done.stderr
    meta_url = f"http://127.0.0.1:{stage.lines['meta'].port}"
    for number in range(3):
        stage.customers.append(
            await open_customer(stage.place, stage.meta, meta_url, f"Loja {number}")
        )


async def _start_processes(stack: AsyncExitStack, stage: Stage, queue: str) -> None:
    environment = stage.place.environment | {
        "TRACKAI_DATABASE_URL": stage.lines["database"].url(stage.server.url),
        "TRACKAI_BREAKER_PAUSE_S": "1",
        "TRACKAI_QUEUE": queue,
    }
    if queue == "sqs":
        environment |= {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{stage.lines['queue'].port}",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        stage.place.variables |= environment
        made = await asyncio.to_thread(stage.place.run, "queue", "create")
        assert made.returncode == 0, made.stderr
    program = str(Path(sys.executable).with_name("trackai"))
    port = stage.base.rpartition(":")[2]
    commands = {
        "server": [program, "serve", "--port", port],
        "worker-0": [program, "worker"],
        "worker-1": [program, "worker"],
    }
    for name, command in commands.items():
        kept = Kept(command, environment, stage.directory / f"{name}.log")
        stage.processes[name] = kept
        task = asyncio.create_task(kept.run(), name=name)
        stack.push_async_callback(_ended, task)


def _log_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a process logged; a line that a kill cut short is passed over."""
    for text in path.read_text(errors="replace").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            found = json.loads(text)
            if isinstance(found, dict):
                yield found


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _listens(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"Nothing listens at port {port}.")
