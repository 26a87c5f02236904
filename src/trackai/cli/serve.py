"""`trackai up | serve | worker`: the long-running processes, and how they end.

On SIGTERM or Ctrl-C: no new requests, those under way are answered, what waits for a commit is
committed, the jobs finish the step they are in, then connections and the embedded server close.
"""

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from multiprocessing.context import SpawnProcess
from typing import Annotated

import typer
import uvloop

from trackai.app import Companions, open_app
from trackai.cli.checklist import Pages
from trackai.cli.http import (
    DRAIN_S,
    address_of,
    http_server,
    listening,
    listening_together,
)
from trackai.cli.installation import Installation, open_installation, set_up_logging
from trackai.cli.mailing import mail_of
from trackai.cli.process import calm_collector
from trackai.cli.traces import reporting_traces
from trackai.dashboard.tools import PracticeSales
from trackai.errors import TrackaiError
from trackai.model.clock import SystemClock, new_id
from trackai.settings import Settings, load_settings
from trackai.storage import users
from trackai.storage.pool import Role
from trackai.telemetry.exposition import PATH as METRICS_PATH
from trackai.telemetry.exposition import Exposition
from trackai.telemetry.logging import get_logger
from trackai.worker import open_worker


class ProcessDied(TrackaiError):
    """One of several server processes ended without being asked."""

    code = "process_died"


Host = Annotated[str | None, typer.Option(help="Address to listen on (TRACKAI_HOST).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (TRACKAI_PORT); 0 = any.")]


def up(host: Host = None, port: Port = None) -> None:
    """Run everything in one process: database, HTTP and workers."""
    settings = _settings(host, port, "up")

    async def work() -> None:
        async with open_installation(settings) as here, running(here) as address:
            get_logger().info("up", address=address)
            await _greet(here)
            await stopped()

    calm_collector()
    uvloop.run(work())


def serve(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
) -> None:
    """Serve HTTP only; the work behind it is done by `trackai worker` processes."""
    settings = _settings(host, port, "serve")

    async def work() -> None:
        async with open_installation(settings) as here:
            with (
                listening_together(settings.host, settings.port, workers) as listeners,
                _siblings(here, listeners[1:]) as siblings,
            ):
                async with observed(settings, "serve"), serving(here, listeners[0]) as address:
                    get_logger().info("serving", address=address, workers=workers)
                    asked = await stopped(*(sibling.sentinel for sibling in siblings))
            if not asked:
                raise ProcessDied("A server process ended by itself. Start trackai serve again.")

    calm_collector()
    uvloop.run(work())


def worker() -> None:
    """Work receipts and deliveries off; run as many as needed, anywhere."""
    settings = load_settings()
    set_up_logging(settings, "worker")

    async def work() -> None:
        async with (
            open_installation(settings) as here,
            observed(settings, "worker"),
            _working(here),
        ):
            get_logger().info("working")
            await stopped()

    calm_collector()
    uvloop.run(work())


@asynccontextmanager
async def running(here: Installation) -> AsyncIterator[str]:
    """Serve and work in this process; yields the address."""
    with listening(here.settings.host, here.settings.port) as listener:
        async with (
            observed(here.settings, "up"),
            _working(here),
            serving(here, listener) as address,
        ):
            yield address


@asynccontextmanager
async def serving(here: Installation, listener: socket.socket) -> AsyncIterator[str]:
    """Serve the installation's HTTP side on a listening socket; yields the address."""
    address = address_of(listener)
    practice = None if here.settings.production else _practice(address)
    more = Companions(mail_of(here.settings), practice, Pages(here))
    async with (
        open_app(here.settings, here.url, here.envelope, more) as app,
        http_server(app, listener, hang_up=app.hang_up),
    ):
        yield address


@asynccontextmanager
async def observed(settings: Settings, role: str) -> AsyncIterator[None]:
    """Show this process's counters and report its part of traces, where the settings say so."""
    with reporting_traces(settings, role):
        async with _counted(settings):
            yield


@asynccontextmanager
async def _counted(settings: Settings) -> AsyncIterator[None]:
    if settings.metrics_port is None:
        yield
        return
    with listening(settings.metrics_host, settings.metrics_port) as listener:
        async with http_server(Exposition(), listener, drain_s=1):
            get_logger().info("metrics", address=f"{address_of(listener)}{METRICS_PATH}")
            yield


def _counted_at(settings: Settings, number: int) -> Settings:
    """Return the settings of another server process: each has a port for its counters."""
    port = settings.metrics_port
    return settings.model_copy(update={"metrics_port": port + number}) if port else settings


def _practice(address: str) -> PracticeSales:
    """Return stand-ins of payment platforms; a production process never even imports them."""
    from trackai.cli.practice import Practice  # noqa: PLC0415

    return Practice(address, SystemClock(), new_id)


async def _greet(here: Installation) -> None:
    """Say how somebody comes in, as long as nobody may."""
    async with here.database(Role.ACCESS, size=1) as database, database.transaction() as tx:
        if await users.anybody(tx):
            return
    get_logger().info("up.nobody_may_sign_in", run="trackai user invite EMAIL --tenant TENANT")


@asynccontextmanager
async def _working(here: Installation) -> AsyncIterator[None]:
    mail = mail_of(here.settings)
    async with open_worker(here.settings, here.url, here.envelope, mail) as jobs:
        task = asyncio.create_task(jobs.run(), name="worker")
        try:
            yield
        finally:
            jobs.stop()
            await task


@contextmanager
def _siblings(
    here: Installation, listeners: Sequence[socket.socket]
) -> Iterator[list[SpawnProcess]]:
    """Run a server process more for each of these sockets; they end with this one."""
    context = multiprocessing.get_context("spawn")
    processes = []
    for number, listener in enumerate(listeners, start=1):
        settings = _counted_at(here.settings, number)
        process = context.Process(target=_sibling, args=(settings, here.url, listener), daemon=True)
        process.start()
        # The process has its own: ours would go on collecting connections if it died.
        listener.close()
        processes.append(process)
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(DRAIN_S + 10)


def _sibling(settings: Settings, url: str, listener: socket.socket) -> None:
    set_up_logging(settings, "serve")

    async def work() -> None:
        async with AsyncExitStack() as stack:
            here = Installation.of(settings, url)
            await stack.enter_async_context(observed(settings, "serve"))
            await stack.enter_async_context(serving(here, listener))
            parent = multiprocessing.parent_process()
            # Left behind, it would hold the address against the next start.
            await stopped(*([parent.sentinel] if parent else []))

    calm_collector()
    uvloop.run(work())


async def stopped(*sentinels: int) -> bool:
    """Return when this process is asked to end, or with False when one of these has ended."""
    ended = asyncio.Event()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        asked.set()
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ask)
    for sentinel in sentinels:
        loop.add_reader(sentinel, ended.set)
    await ended.wait()
    for sentinel in sentinels:
        loop.remove_reader(sentinel)
    get_logger().info("stopping")
    return asked.is_set()


def _settings(host: str | None, port: int | None, role: str) -> Settings:
    settings = load_settings()
    given = {"host": host, "port": port}
    settings = settings.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    set_up_logging(settings, role)
    return settings
