"""Both releases on one database behind one address, and what can be started and stopped of each."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.customer import Customer
from tests.support.program import lines_of
from tests.support.proxy import Proxy

from trackai.cli.http import address_of, http_server, listening
from trackai.model.clock import SystemClock
from trackai.model.tenant import DestinationAccount, Tenant
from trackai.sandbox.meta import MetaSandbox
from trackai.storage.embedded import start_embedded
from trackai.storage.schema import current
from upgrade.by_previous import KEY
from upgrade.programs import Place, Program
from upgrade.release import PREVIOUS_SCHEMA, ROOT, bring_previous

BY_PREVIOUS = ROOT / "upgrade" / "by_previous.py"
COMMAND_S = 120.0
# What no release may say while another is beside it.
BAD = frozenset({"error", "critical"})


class Balancer:
    """One address before several servers, each connection to the next of those that are in turn."""

    def __init__(self) -> None:
        self.served: Counter[str] = Counter()
        self._turns: Iterator[tuple[str, int]] = iter(())
        self.proxy = Proxy(self._connect)

    def turn_to(self, **ports: int) -> None:
        """Send whatever comes from now on to these; what is under way stays where it is."""
        self._turns = itertools.cycle(ports.items())

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name, port = next(self._turns)
        self.served[name] += 1
        return await asyncio.open_connection("127.0.0.1", port)


@dataclass
class Release:
    """A release over the shared database: a server and a worker, while they run."""

    name: str
    place: Place
    port: int = 0
    programs: list[Program] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    async def migrate(self) -> str:
        """Bring the schema to where this release wants it; return what it said."""
        return await self.place.run("migrate")

    async def start(self) -> None:
        """Start a server and a worker, and wait until both are at work."""
        number = len(self.logs)
        server = self.place.start(f"serve-{number}", "serve", "--port", "0")
        worker = self.place.start(f"worker-{number}", "worker")
        self.programs = [server, worker]
        self.logs += [server.log, worker.log]
        said = await server.said("serving")
        await worker.said("working")
        self.port = int(str(said["address"]).rpartition(":")[2])

    async def stop(self) -> list[int]:
        """End both as a deployment does; return their exit statuses."""
        ending, self.programs = self.programs, []
        return await asyncio.gather(*(one.end() for one in ending))

    def said(self) -> Iterator[Mapping[str, Any]]:
        """Yield the log lines of all its processes."""
        for log in self.logs:
            yield from lines_of(log)


@dataclass
class Stage:
    """Everything that runs."""

    url: str
    meta: MetaSandbox
    previous: Release
    current: Release
    balancer: Balancer
    customers: list[Customer] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Where pages and platforms send to."""
        return f"http://127.0.0.1:{self.balancer.proxy.port}"


@asynccontextmanager
async def open_stage(*, fill: bool = False) -> AsyncIterator[Stage]:
    """Let the previous release make a database with customers; nothing runs yet."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trackai-up-")))
        directory.chmod(0o711)
        old = await asyncio.to_thread(bring_previous, directory / "previous")
        server = await asyncio.to_thread(start_embedded, directory / "database", durable=False)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        meta, balancer = MetaSandbox(SystemClock(), keep=100_000), Balancer()
        listener = stack.enter_context(listening("127.0.0.1", 0))
        await stack.enter_async_context(http_server(meta, listener, drain_s=1))
        await stack.enter_async_context(balancer.proxy.listening())
        before = Release("previous", _place(directory, server.url, "before", old / "src"))
        after = Release("current", _place(directory, server.url, "after", ROOT / "src"))
        stack.push_async_callback(before.stop)
        stack.push_async_callback(after.stop)
        stage = Stage(server.url, meta, before, after, balancer)
        await before.migrate()
        found = await current(server.url)
        assert found == PREVIOUS_SCHEMA, f"{found}: another release's code ran"
        stage.customers = await _customers(stage, old, address_of(listener), fill=fill)
        yield stage


def _place(directory: Path, url: str, name: str, source: Path) -> Place:
    home = directory / name
    home.mkdir()
    settings = {
        "TRACKAI_DATABASE_URL": url,
        "TRACKAI_SECRET_KEY": KEY,
        "TRACKAI_LOG_FORMAT": "json",
        "TRACKAI_BREAKER_PAUSE_S": "1",
    }
    return Place(source, home, settings)


async def _customers(stage: Stage, old: Path, meta_url: str, *, fill: bool) -> list[Customer]:
    command = [sys.executable, str(BY_PREVIOUS), stage.url, meta_url, *(["--fill"] if fill else [])]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env={"PATH": os.defpath, "PYTHONPATH": f"{old / 'src'}{os.pathsep}{old}"},
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["package"] == str(old / "src" / "trackai"), "another release's code ran"
    return [customer_of(one, stage.meta, meta_url) for one in told["customers"]]


def customer_of(told: dict[str, Any], meta: MetaSandbox, meta_url: str) -> Customer:
    """Return a customer that the previous release opened, known to the stand-in for Meta."""
    meta.add_dataset(told["pixel_id"], told["name"])
    meta.add_token(told["token"], datasets=[told["pixel_id"]])
    tenant = Tenant(UUID(told["tenant_id"]), told["name"], told["site_key"])
    pixel = DestinationAccount(
        *(tenant.id, UUID(told["destination_id"]), None, "meta", told["pixel_id"], told["token"]),
        api_url=meta_url,
    )
    return Customer(tenant, pixel, told["paths"], meta)
