"""The embedded PostgreSQL: a small supervisor around initdb, postgres and pg_ctl.

Several processes may use one data directory at once: each holds a shared lock while it does, and
the last to leave stops the server. One that was killed leaves the server behind; the next finds it
alive and uses it. Committed rows survive everything but the disk.

Who gets in: the server listens on no TCP port, only on a socket of mode 0700 in a directory of mode
0700. Only the user that runs the server (and root) can reach it, so a password would protect from
nobody; local connections are trusted.
"""

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from urllib.parse import quote

from trackai.errors import ConfigurationError
from trackai.storage.binaries import Binaries, choose_binaries
from trackai.storage.cluster import (
    DATABASE,
    OWNER,
    PORT,
    REFUGE,
    SOCKET,
    Place,
    choose_socket_dir,
    failed,
    find_place,
    last_lines,
    make_cluster,
    point_to,
    run_logged,
    trim_log,
)
from trackai.storage.server_settings import make_archive, options
from trackai.telemetry.logging import get_logger

# A crashed server replays its log before it answers.
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
LOCK_TIMEOUT_S = 240.0
POLL_S = 0.05
# How often a running program looks whether the server is alive.
WATCH_S = 2.0
# No process has this number (the kernel's limit is 4194304).
NO_PID = "99999999"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server, as its pid file describes it."""

    pid: int
    socket_dir: Path
    ready: bool


class EmbeddedPostgres:
    """A running server that this process uses until `stop()`."""

    def __init__(
        self,
        place: Place,
        binaries: Binaries,
        postmaster: Postmaster,
        lock: int,
        *,
        durable: bool = True,
    ) -> None:
        self._place = place
        self._binaries = binaries
        self._postmaster = postmaster
        self._lock: int | None = lock
        self._durable = durable

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Address of the installation's database."""
        return self.url_of(DATABASE)

    @property
    def bin_dir(self) -> Path:
        """Where psql, pg_dump and their like are."""
        return self._binaries.directory

    @property
    def pid(self) -> int:
        """Process number of the server."""
        return self._postmaster.pid

    @property
    def directory(self) -> Path:
        """Where data, log and locks really are."""
        return self._place.base

    def url_of(self, database: str, *, user: str = OWNER) -> str:
        """Return the address of another database of this server."""
        host = quote(str(self._postmaster.socket_dir), safe="/")
        return f"postgresql://{user}@/{database}?host={host}&port={PORT}"

    def revive(self) -> bool:
        """Start the server again when it has died, at the same address; True when that was us.

        Blocks while it recovers. ConfigurationError when it cannot be had any more.
        """
        if _find_postmaster(self._place) is not None:
            return False
        with _starting(self._place.base):
            if self._lock is None:  # we have left meanwhile
                return False
            postmaster = _await_ready(self._place)
            died = postmaster is None
            if postmaster is None:
                self._postmaster.socket_dir.mkdir(mode=0o700, exist_ok=True)
                postmaster = _start_server(
                    self._place,
                    self._binaries,
                    durable=self._durable,
                    socket_dir=self._postmaster.socket_dir,
                )
            self._postmaster = postmaster
            return died

    def stop(self) -> bool:
        """Leave; the last user stops the server. True when that was us. Safe to call again."""
        lock, self._lock = self._lock, None
        if lock is None:
            return False
        try:
            with _starting(self._place.base):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                _stop_server(self._place, self._binaries)
                return True
        finally:
            os.close(lock)


@asynccontextmanager
async def open_server(
    url: str | None, data_dir: Path, *, archives: bool = False
) -> AsyncIterator[str]:
    """Yield the address of the database to use: the one given, else the embedded server's.

    `archives`: should it be started, its log is kept for backups.
    """
    if url is not None:
        yield url
        return
    starting = asyncio.ensure_future(asyncio.to_thread(start_embedded, data_dir, archives=archives))
    try:
        server = await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The thread cannot be cancelled: let it finish, and leave as we found it.
        abandoned = await starting
        await asyncio.to_thread(abandoned.stop)
        raise
    watch = asyncio.create_task(_keep_alive(server), name="embedded-postgres")
    try:
        yield server.url
    finally:
        watch.cancel()
        # A start under way ends first: `stop` waits for its lock.
        await asyncio.to_thread(server.stop)


async def _keep_alive(server: EmbeddedPostgres) -> None:
    """Look after the server while it is used: one that was killed is started again."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            if await asyncio.to_thread(server.revive):
                get_logger().warning("database.restarted", directory=str(server.directory))
        except (ConfigurationError, OSError) as error:
            get_logger().error("database.not_restarted", reason=str(error))


def start_embedded(
    data_dir: Path, *, durable: bool = True, refuge: Path = REFUGE, archives: bool = False
) -> EmbeddedPostgres:
    """Join the server over this directory, started (and made) when there is none.

    Blocks, up to minutes while a crashed server recovers. ConfigurationError says what to do when
    it cannot be had. `durable=False` forgets commits when the machine dies: for tests.
    """
    home = data_dir.absolute()
    try:
        place = replace(find_place(home, refuge), archives=archives)
        with _starting(place.base):
            lock = os.open(place.base / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_SH)
                return _join(place, home, lock, durable=durable)
            except BaseException:
                os.close(lock)
                raise
    except PermissionError as error:
        raise ConfigurationError(
            f"{error.filename or home} belongs to another user. Run Track AI as the user that "
            "started it first, or set TRACKAI_DATA_DIR to a directory of yours."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"The embedded PostgreSQL cannot use {error.filename or home} ({error.strerror}). "
            "Set TRACKAI_DATA_DIR to a directory that can be written, or TRACKAI_DATABASE_URL."
        ) from error


def _join(place: Place, home: Path, lock: int, *, durable: bool) -> EmbeddedPostgres:
    trim_log(place.log)
    version = place.cluster / "PG_VERSION"
    major = int(version.read_text()) if version.exists() else None
    binaries = choose_binaries(place.account, place.base, major=major)
    if major is None:
        make_cluster(place, binaries, durable=durable)
        get_logger().warning("database.created", directory=str(place.base), major=binaries.major)
    if place.base != home:
        point_to(home, place)
        get_logger().info("database.elsewhere", wanted=str(home), directory=str(place.base))
    postmaster = _await_ready(place)
    if postmaster is None:
        postmaster = _start_server(
            place, binaries, durable=durable, socket_dir=choose_socket_dir(place)
        )
    return EmbeddedPostgres(place, binaries, postmaster, lock, durable=durable)


# Start and stop ------------------------------------------------------------------------------


def _start_server(
    place: Place, binaries: Binaries, *, durable: bool, socket_dir: Path
) -> Postmaster:
    make_archive(place)
    command = [
        *(binaries.program("pg_ctl"), "start", "-s", "-w", "-t", str(START_TIMEOUT_S)),
        *("-D", str(place.cluster), "-o", options(place, socket_dir, durable=durable)),
    ]
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        _disarm_pid_files(place.cluster)
        code = run_logged(place, command, timeout_s=START_TIMEOUT_S + 30)
        postmaster = _await_ready(place) if code == 0 else None
        if postmaster is not None:
            return postmaster
        # The children of a killed server need a moment to notice.
        lingering = any("is still in use" in line for line in last_lines(place.log))
        if not lingering or time.monotonic() > deadline:
            _remove_socket_dir(place, socket_dir)
            raise failed(place, "start")
        time.sleep(10 * POLL_S)


def _stop_server(place: Place, binaries: Binaries) -> None:
    postmaster = _find_postmaster(place)
    if postmaster is None:
        return
    for mode in ("fast", "immediate"):
        command = [
            *(binaries.program("pg_ctl"), "stop", "-s", "-w", "-t", str(STOP_TIMEOUT_S)),
            *("-D", str(place.cluster), "-m", mode),
        ]
        if run_logged(place, command, timeout_s=STOP_TIMEOUT_S + 30) == 0:
            break
        get_logger().warning("database.stop_failed", mode=mode, log=str(place.log))
    _remove_socket_dir(place, postmaster.socket_dir)


def _remove_socket_dir(place: Place, socket_dir: Path) -> None:
    if socket_dir != place.cluster:
        shutil.rmtree(socket_dir, ignore_errors=True)


def _await_ready(place: Place) -> Postmaster | None:
    """Return the running server once it answers; None when there is none."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        postmaster = _find_postmaster(place)
        if postmaster is None or postmaster.ready:
            return postmaster
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"The embedded PostgreSQL under {place.base} is still recovering after "
                f"{START_TIMEOUT_S} s. Its log is {place.log}; wait until it is done, start again."
            )
        time.sleep(POLL_S)


def _find_postmaster(place: Place) -> Postmaster | None:
    try:
        lines = (place.cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    # Line 1 the process, 5 its socket's directory, 8 its state; written bit by bit at the start.
    if not lines or not _is_server(int(lines[0]), place.cluster):
        return None
    known = lines + [""] * 8
    return Postmaster(int(lines[0]), Path(known[4]), known[7].strip() == "ready")


def _is_server(pid: int, cluster: Path) -> bool:
    """Say whether a process is a living server of the data's owner, not a number used again."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # as a container's first process we inherit orphans
    process = Path(f"/proc/{pid}")
    try:
        if not Path("/proc/self/stat").exists():
            os.kill(pid, 0)
            return True
        name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(") ")
        return (
            name == "postgres"
            and rest[0] not in "ZX"  # dead, though not yet buried
            and process.stat().st_uid == cluster.stat().st_uid
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def _disarm_pid_files(cluster: Path) -> None:
    """Give a dead server's files a number that nobody has.

    PostgreSQL would refuse to start while any process of its user has the old one, which in
    containers, where numbers are small, is common. The rest of the files stays: by it PostgreSQL
    still notices children of the dead server that are alive.
    """
    for name in ("postmaster.pid", f"{SOCKET}.lock"):
        try:
            file = os.open(cluster / name, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        with os.fdopen(file, "r+") as content:
            _, newline, rest = content.read().partition("\n")
            content.seek(0)
            content.write(f"{NO_PID}{newline}{rest}")
            content.truncate()


# Lock ----------------------------------------------------------------------------------------


@contextmanager
def _starting(base: Path) -> Iterator[None]:
    """Hold off everyone else who starts or stops the server."""
    lock = os.open(base / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ConfigurationError(
                        f"Another process has held {base / 'start.lock'} for "
                        f"{LOCK_TIMEOUT_S:.0f} s. End it, then start again."
                    ) from None
                time.sleep(POLL_S)
        yield
    finally:
        os.close(lock)
