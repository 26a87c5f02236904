"""Composition root of the background work: receipts to deliveries, deliveries to ad platforms.

Each job is a loop around one `step()`: it works while there is work and sleeps until woken. A
step that fails unexpectedly is logged and counted once, and tried again after a pause; a database
that is away only makes the loop wait.
"""

import asyncio
import contextlib
import datetime as dt
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from trackai.alarms.certificate import certificate_days
from trackai.alarms.evaluator import EVERY
from trackai.alarms.metrics_log import MetricsLog
from trackai.alarms.sampler import Process, kept_for, sampling
from trackai.alarms.upkeep import AlarmUpkeep
from trackai.alarms.watchman import Means, open_evaluator, open_sender
from trackai.analytics.rezoning import Rezoner
from trackai.backups.keeping import Keeper, Keeping
from trackai.backups.wal import CopiesData, TakesLog
from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.dispatch.backstop import Backstop
from trackai.dispatch.breaker import Limits
from trackai.dispatch.dead_letters import ReplayReleaser
from trackai.dispatch.dispatcher import Dispatcher, DispatchTools
from trackai.dispatch.gate import Gate
from trackai.dispatch.referred import referring
from trackai.dispatch.release import DeliveryReleaser
from trackai.dispatch.token_watch import TokenWatch
from trackai.errors import QueueUnavailable, StorageUnavailable
from trackai.flags.switches import Switches
from trackai.gateways.registry import gateways
from trackai.housekeeping.doors import DoorKeeper
from trackai.housekeeping.evidence import EvidenceUpkeep
from trackai.housekeeping.purge import Purger
from trackai.housekeeping.retention import Retention
from trackai.housekeeping.rollups import Folder, RollupUpkeep
from trackai.housekeeping.schedule import (
    BACKUP_TASKS,
    LOG_TASK,
    Scheduler,
    Task,
    until_idle,
)
from trackai.mail.port import Mail
from trackai.matching.process import ReceiptProcessor
from trackai.matching.release import ReceiptReleaser
from trackai.matching.rematch import Rematcher
from trackai.matching.sale import Tools
from trackai.model.alarm import Metric
from trackai.model.clock import Clock, SystemClock, new_id
from trackai.queue.port import Queue
from trackai.queue.postgres import PostgresQueue
from trackai.queue.sqs import SqsQueue
from trackai.queue.sqs_client import find_queue, open_sqs
from trackai.secrets.opening import open_secrets
from trackai.settings import QueueEngine, Settings
from trackai.storage.database_clock import database_clock
from trackai.storage.envelope import Envelope
from trackai.storage.health import check_key
from trackai.storage.pool import Database, Role
from trackai.storage.queue_messages import Share
from trackai.storage.rejections import delete_expired_all_tenants
from trackai.storage.tenant_keys import make_missing_all_tenants
from trackai.storage.up_hours import Part
from trackai.storage.wakeups import Channel, Wakeups
from trackai.storage.wal import archive_of
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import JOB_ERRORS
from trackai.watched import house_of, metrics_log_of

# Longest sleep of a job that nobody wakes: retries and leases come due without a notification.
IDLE_S = 1.0
# Database connections that dispatching shares: most calls wait for an ad platform.
DISPATCH_CONNECTIONS = 4
# Pause after an unexpected error, so that a broken step does not spin.
ERROR_PAUSE_S = 2.0
# How often a worker looks whether a task is due.
SCHEDULE_EVERY_S = 5.0
# What the relay takes from the table at once: of many destinations, some each.
RELAY_SHARE = Share(destinations=32, each=100)
# How often tokens are looked through for those that are due.
TOKENS_EVERY_S = 60.0
# How often sales are looked for whose click may have come late.
REMATCH_EVERY_S = 5.0
# How often it is looked whether what waits for a flag may go.
RELEASE_EVERY_S = 2.0
# How often calls to people are looked for that are due.
CALLS_EVERY_S = 2.0
# How often the public address is asked for its certificate.
CERTIFICATE_EVERY = dt.timedelta(hours=1)
# Longest that a backup and its trial may take, and soonest that one that failed is made again.
BACKUP_LONGEST = dt.timedelta(hours=6)
BACKUP_AGAIN = dt.timedelta(minutes=15)
# How often the dead queue is emptied.
BACKSTOP_EVERY_S = 10.0
# How long a stopping worker may finish what is in flight.
STOP_GRACE_S = 30.0

Step = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Job:
    """A step, what wakes it, how long it may sleep, and what it leaves to be finished."""

    name: str
    step: Step
    channel: Channel | None
    idle_s: float = IDLE_S
    finish: Callable[[], Awaitable[None]] | None = None


class Worker:
    """The jobs of one process."""

    def __init__(self, jobs: list[Job], wakeups: Wakeups) -> None:
        self._jobs = jobs
        self._wakeups = wakeups
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run all jobs until `stop()`, then finish what is in flight, bounded."""
        tasks = [asyncio.create_task(self._loop(job), name=job.name) for job in self._jobs]
        await self._stop.wait()
        _, late = await asyncio.wait(tasks, timeout=STOP_GRACE_S)
        for task in late:
            # Its lease or row lock gives the work back; nothing is recorded for it.
            get_logger().warning("worker.cut_short", job=task.get_name())
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Ask all jobs to end after the step they are in."""
        self._stop.set()
        for channel in Channel:
            self._wakeups.wake(channel)

    async def _loop(self, job: Job) -> None:
        while not self._stop.is_set():
            try:
                busy = await job.step()
            except StorageUnavailable as error:
                get_logger().warning("job.waits_for_storage", job=job.name, reason=str(error))
                await self._pause(ERROR_PAUSE_S)
            except QueueUnavailable as error:
                get_logger().warning("job.waits_for_queue", job=job.name, reason=str(error))
                await self._pause(ERROR_PAUSE_S)
            except Exception:  # noqa: BLE001 - the worker's loop: logged once, counted, tried again
                JOB_ERRORS.labels(job.name).inc()
                get_logger().exception("job.failed", job=job.name)
                await self._pause(ERROR_PAUSE_S)
            else:
                if not busy:
                    await self._sleep(job)
        if job.finish is not None:
            await job.finish()

    async def _sleep(self, job: Job) -> None:
        if self._stop.is_set():
            return
        if job.channel is None:
            await self._pause(job.idle_s)
        else:
            await self._wakeups.wait(job.channel, timeout_s=job.idle_s)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()


@asynccontextmanager
async def open_worker(
    settings: Settings, url: str, envelope: Envelope, mail: Mail | None = None
) -> AsyncIterator[Worker]:
    """Wire the jobs of one process; everything is closed at the end, in reverse order."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(
            url,
            Role.PIPELINE,
            size=settings.process_concurrency + DISPATCH_CONNECTIONS + 2,
        )
        stack.push_async_callback(database.close)
        async with database.transaction() as tx:
            await check_key(tx, envelope)
            await make_missing_all_tenants(tx, envelope)
        wakeups = await stack.enter_async_context(Wakeups(url))
        http = await stack.enter_async_context(open_http())
        clock = SystemClock()
        engine = await _open_engine(stack, settings, database, clock)
        tools = Tools(envelope, engine.queue, clock, new_id)
        switches = Switches.over(database)
        secrets = await stack.enter_async_context(open_secrets(settings.secrets_dir))
        platforms = referring(destinations(http, clock), secrets)
        dispatcher = Dispatcher(
            DispatchTools(
                database,
                envelope,
                engine.queue,
                platforms,
                clock,
                new_id,
                Gate(database, _breaker_limits(settings)),
                calls=settings.dispatch_concurrency,
                tries=settings.dispatch_tries,
                wake=lambda: wakeups.wake(Channel.DELIVERIES),
                switches=switches,
            )
        )
        releaser = ReplayReleaser(database, engine.queue, clock)
        tokens = TokenWatch(database, envelope, platforms, clock)
        work, finish = dispatcher.step, dispatcher.finish
        dispatch = Job("dispatch", work, engine.wakes_dispatch, engine.dispatch_idle_s, finish)
        scheduler = Scheduler(database, _tasks(url, database, envelope, clock), clock)
        log = metrics_log_of(settings)
        # Who looks at alarms and who calls are many: what is due must be so to all of them at once.
        agreed = await stack.enter_async_context(database_clock(database))
        await stack.enter_async_context(_sampling(settings, url, database, agreed, log))
        timed = [
            Job("replay", releaser.step, None),
            *_releasing(database, switches, clock),
            Job("rematch", Rematcher(database, tools).step, None, REMATCH_EVERY_S),
            Job("tokens", tokens.step, None, TOKENS_EVERY_S),
            Job("fold", Folder(database, clock).step, None),
            Job("schedule", scheduler.step, None, SCHEDULE_EVERY_S),
            *_backups(settings, url, envelope, database, clock),
            *_watching(settings, Means(database, envelope, http, agreed, new_id, mail), log),
        ]
        process = _processing(settings, database, tools, switches)
        yield Worker([*process, dispatch, *engine.jobs, *timed], wakeups)


def _processing(
    settings: Settings, database: Database, tools: Tools, switches: Switches
) -> list[Job]:
    """Return what makes sales of webhooks, side by side."""
    known = gateways(plugins=settings.gateway_plugins)
    processor = ReceiptProcessor(database, tools, known, switches)
    return [
        Job(f"process-{number}", processor.step, Channel.RECEIPTS)
        for number in range(settings.process_concurrency)
    ]


def _releasing(database: Database, switches: Switches, clock: SystemClock) -> list[Job]:
    """Return what lets go of webhooks and events when a flag is on again."""
    receipts = ReceiptReleaser(database, switches, clock).step
    deliveries = DeliveryReleaser(database, switches, clock).step
    return [
        Job("release-receipts", receipts, None, RELEASE_EVERY_S),
        Job("release-deliveries", deliveries, None, RELEASE_EVERY_S),
    ]


def _watching(settings: Settings, means: Means, log: MetricsLog | None) -> list[Job]:
    """Return what looks at every alarm, and what makes calls."""
    house = house_of(settings, log)
    return [
        Job("alarms", open_evaluator(house, means).step, None, EVERY.total_seconds()),
        Job("alarm-calls", open_sender(house, means).step, None, CALLS_EVERY_S),
    ]


def _sampling(
    settings: Settings, url: str, database: Database, clock: Clock, log: MetricsLog | None
) -> AbstractAsyncContextManager[None]:
    """Return what measures this process, and the certificate of the public address."""

    async def certificate() -> Mapping[Metric, float]:
        return await certificate_days(settings.base_url, clock)

    name = f"worker@{socket.gethostname()}:{os.getpid()}"
    process = Process(name, Part.WORK, [database], settings.data_dir)
    more = kept_for(CERTIFICATE_EVERY, clock, certificate)
    return sampling(url, Role.PIPELINE, process, clock, more, log)


def _backups(
    settings: Settings, url: str, envelope: Envelope, database: Database, clock: SystemClock
) -> list[Job]:
    """Return what makes backups, where a setting says where they go: a scheduler of its own."""
    if settings.vault is None:
        return []
    keeper = keeper_of(settings, url, settings.vault, envelope, database)
    day, hour = dt.timedelta(days=1), dt.timedelta(hours=1)
    work = {
        "backup": Task("backup", day, keeper.back_up, BACKUP_LONGEST, BACKUP_AGAIN),
        "backup-upkeep": Task("backup-upkeep", hour, keeper.keep_up, hour),
    }
    scheduler = Scheduler(database, [work[name] for name in BACKUP_TASKS], clock)
    jobs = [Job("backups", scheduler.step, None, SCHEDULE_EVERY_S)]
    if keeper.log is not None:
        minute = Task(LOG_TASK, dt.timedelta(minutes=1), keeper.take_log)
        jobs.append(
            Job(LOG_TASK, Scheduler(database, [minute], clock).step, None, SCHEDULE_EVERY_S)
        )
    return jobs


def keeper_of(
    settings: Settings,
    url: str,
    vault: str,
    envelope: Envelope,
    database: Database,
    scratch: Path | None = None,
) -> Keeper:
    """Return what makes backups into a vault, and tries them.

    Of a server that is ours the data directory is copied, too, and its log taken.
    """
    clock = SystemClock()
    keeping = Keeping(
        vault,
        keep=dt.timedelta(days=settings.backup_days),
        trial_every=dt.timedelta(days=settings.backup_verify_days),
        scratch=scratch or settings.data_dir.absolute(),
    )
    ours = settings.database_url is None and vault == settings.vault
    base = CopiesData(url, clock) if ours else None
    log = TakesLog(url, archive_of(settings.data_dir)) if ours else None
    return Keeper(url, keeping, envelope, database, clock, new_id, base, log)


def _tasks(url: str, database: Database, envelope: Envelope, clock: SystemClock) -> list[Task]:
    def opened(role: Role) -> AbstractAsyncContextManager[Database]:
        return Database.opened(url, role, size=1)

    async def drop_rejections() -> int:
        async with database.transaction() as tx:
            return await delete_expired_all_tenants(tx, now=clock.now())

    async def purge() -> int:
        async with opened(Role.HOUSEKEEPING) as cleaner:
            return await until_idle(Purger(cleaner, clock).step)

    retention = Retention(opened, envelope, clock)
    minutes = [
        ("partitions", 5, retention.arrange),
        ("rollups", 5, RollupUpkeep(opened, clock).run),
        ("zones", 1, Rezoner(opened, clock).run),
        ("resettle", 1, retention.resettle),
        ("forget", 60, retention.forget),
        ("doors", 60, DoorKeeper(opened, clock).run),
        ("rejections", 10, drop_rejections),
        ("purge", 1, purge),
        ("alarm-upkeep", 60, AlarmUpkeep(database, clock).run),
        ("evidence", 60, EvidenceUpkeep(database, clock).run),
    ]
    return [Task(name, dt.timedelta(minutes=every), run) for name, every, run in minutes]


@dataclass(frozen=True, slots=True)
class _Engine:
    """A queue, the jobs it needs beside it, and what wakes those who receive from it."""

    queue: Queue
    jobs: Sequence[Job] = ()
    wakes_dispatch: Channel | None = Channel.DELIVERIES
    dispatch_idle_s: float = IDLE_S


async def _open_engine(
    stack: AsyncExitStack, settings: Settings, database: Database, clock: SystemClock
) -> _Engine:
    if settings.queue is QueueEngine.POSTGRES:
        return _Engine(PostgresQueue(database, clock, new_id))
    client = await stack.enter_async_context(open_sqs())
    queue_url = await find_queue(client, settings.sqs_queue)
    dead_url = await find_queue(client, settings.sqs_dead_queue)
    queue = SqsQueue(client, queue_url, database, clock, new_id)
    backstop = Backstop(database, queue, dead_url, clock)

    async def relay() -> bool:
        return await queue.relay(RELAY_SHARE) > 0

    jobs = [
        Job("relay", relay, Channel.DELIVERIES),
        Job("backstop", backstop.step, None, BACKSTOP_EVERY_S),
    ]
    # A receive waits at the queue itself.
    return _Engine(queue, jobs, wakes_dispatch=None, dispatch_idle_s=0.0)


def _breaker_limits(settings: Settings) -> Limits:
    pause = dt.timedelta(seconds=settings.breaker_pause_s)
    return Limits(settings.breaker_failures, pause)
