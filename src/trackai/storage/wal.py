"""Copies of an embedded server's data directory, and its log played on them up to a time.

For servers of ours alone: both need a superuser and the server's own disk. Facts are of
PostgreSQL's manual, chapter "Continuous Archiving and Point-in-Time Recovery".
"""

import datetime as dt
import os
import shlex
import shutil
import tarfile
import time
from pathlib import Path
from typing import IO

from trackai.errors import BackupDamaged, BackupFailed, ConfigurationError
from trackai.storage.binaries import Binaries, choose_binaries
from trackai.storage.cluster import (
    REFUGE,
    SOCKET,
    SUPERUSER,
    Place,
    choose_socket_dir,
    find_place,
    last_lines,
    point_to,
    run_logged,
)
from trackai.storage.dumps import Write, login_of, running
from trackai.storage.schema import connected
from trackai.storage.server_settings import make_archive, options

# What is read from the program at once, and the block of zeros that becomes a hole.
PIECE_BYTES = 1 << 20
_HOLE = bytes(64 << 10)
# A copy takes what it needs of the log with it, and makes a sum over each of its files.
BASE_OPTIONS = (
    *("--pgdata=-", "--format=tar", "--compress=client-gzip:1", "--wal-method=fetch"),
    *("--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"),
)
CHECK_TIMEOUT_S = 3600
# Until a server says that it plays the log, and longest that it does.
START_TIMEOUT_S = 300
RECOVER_TIMEOUT_S = 6 * 3600
POLL_S = 0.1
STOP_TIMEOUT_S = 120

# Whether a server archives its log, which it is, and where in the log it is.
FIND_ARCHIVING = """
select current_setting('archive_mode') = 'on' as archives,
  (select system_identifier::text from pg_control_system()) as system,
  pg_walfile_name(pg_current_wal_lsn()) as segment
"""
# A segment ends here, and is archived.
SWITCH_SEGMENT = "select pg_switch_wal()"


async def find_archiving(url: str) -> tuple[str, str] | None:
    """Return a server's own number and the segment it writes; None when its log is not kept."""
    async with connected(url) as connection:
        row = await connection.fetchrow(FIND_ARCHIVING)
    return (row["system"], row["segment"]) if row and row["archives"] else None


async def end_segment(url: str) -> None:
    """Have what was written so far archived."""
    async with connected(superuser(url)) as connection:
        await connection.execute(SWITCH_SEGMENT)


async def copy_data(url: str, program: Path, *, write: Write) -> None:
    """Write out a compressed copy of the data directory while the server works."""
    where, environment = login_of(superuser(url))
    command = [str(program), *BASE_OPTIONS, f"--dbname={where}"]
    async with running(command, environment) as process:
        if process.stdout is None:
            raise BackupFailed("pg_basebackup has no output.")
        while piece := await process.stdout.read(PIECE_BYTES):
            await write(piece)


def superuser(url: str) -> str:
    """Return the address at which the embedded server's superuser comes in, by its socket alone."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{SUPERUSER}@{rest.partition('@')[2] or rest}"


def archive_of(data_dir: Path) -> Path:
    """Return where the log of this installation's server waits to be taken away."""
    return find_place(data_dir.absolute(), REFUGE).archive


class Recovery:
    """A data directory that is made of a copy and the log."""

    def __init__(self, home: Path, refuge: Path = REFUGE) -> None:
        home = home.absolute()
        found = find_place(home, refuge)
        if found.cluster.exists():
            raise ConfigurationError(
                f"{found.cluster} is there already, and a restore overwrites nothing. Set "
                "TRACKAI_DATA_DIR to a new directory."
            )
        self._home = home
        self._place = Place(found.base, found.account, archives=True)
        self._draft = found.base / "postgres.draft"
        self._log = found.base / "wal.restore"

    @property
    def log(self) -> Path:
        """Where the log to be played goes."""
        return self._log

    def clear(self) -> None:
        """Remove what an earlier attempt has left."""
        for directory in (self._draft, self._log):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)

    def unpack(self, stream: IO[bytes]) -> None:
        """Unpack a copy; BackupDamaged when it is none."""
        try:
            with tarfile.open(fileobj=stream, mode="r|gz") as tar:
                tar.extractall(self._draft, filter="tar")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise BackupDamaged(
                f"The copy of the data directory cannot be unpacked ({type(error).__name__})."
            ) from error

    def play(self, until: dt.datetime | None) -> None:
        """Prove the copy's files, play the log up to a time or to its end, and make it the data.

        Blocks, for as long as the log is. Whole or not at all: what fails is left as a draft.
        """
        self._own(self._draft)
        major = int((self._draft / "PG_VERSION").read_text())
        binaries = choose_binaries(self._place.account, self._place.base, major=major)
        check = [binaries.program("pg_verifybackup"), "--no-parse-wal", "--quiet", str(self._draft)]
        if run_logged(self._place, check, timeout_s=CHECK_TIMEOUT_S) != 0:
            raise BackupDamaged("The copy of the data directory is not as it was: see server.log.")
        # The copied server may be alive: its lock is not ours.
        (self._draft / f"{SOCKET}.lock").unlink(missing_ok=True)
        self._draft.rename(self._place.cluster)
        try:
            self._recover(binaries, until)
        except BaseException:
            self._place.cluster.rename(self._draft)
            raise
        shutil.rmtree(self._log)
        if self._place.base != self._home:
            point_to(self._home, self._place)

    def _own(self, data: Path) -> None:
        """Make all of it the server's user's."""
        data.chmod(0o700)
        if not self._place.account.foreign:
            return
        for root in (data, self._log):
            for path in (root, *root.rglob("*")):
                os.chown(path, self._place.account.uid, self._place.account.gid)

    def _recover(self, binaries: Binaries, until: dt.datetime | None) -> None:
        """Run the server once, until it has played the log and writes one of its own."""
        data = self._place.cluster
        configuration, signal = data / "postgresql.auto.conf", data / "recovery.signal"
        before = configuration.read_text()
        configuration.write_text(before + "\n".join(self._wanted(until)) + "\n")
        signal.touch()
        self._own(data)
        make_archive(self._place)
        socket_dir = choose_socket_dir(self._place)
        given = options(self._place, socket_dir, durable=True)
        start = [
            *(binaries.program("pg_ctl"), "start", "-s", "-w", "-t", str(START_TIMEOUT_S)),
            *("-D", str(data), "-o", f"{given} -c hot_standby=off"),
        ]
        stop = [
            *(binaries.program("pg_ctl"), "stop", "-s", "-w", "-t", str(STOP_TIMEOUT_S)),
            *("-D", str(data), "-m", "fast"),
        ]
        try:
            run_logged(self._place, start, timeout_s=START_TIMEOUT_S + 60)
            played = _await_end(data)
        finally:
            run_logged(self._place, stop, timeout_s=STOP_TIMEOUT_S + 60)
            if socket_dir != self._place.cluster:
                shutil.rmtree(socket_dir, ignore_errors=True)
        if not played or signal.exists():
            said = "\n  ".join(last_lines(self._place.log))
            raise BackupFailed(
                "The log could not be played. If it ends before that time, ask for --until end. "
                f"The server said:\n  {said}"
            )
        configuration.write_text(before)

    def _wanted(self, until: dt.datetime | None) -> list[str]:
        fetch = f"cp {shlex.quote(str(self._log).replace('%', '%%'))}/%f %p"
        wanted = ["restore_command = '{}'".format(fetch.replace("'", "''"))]
        if until is not None:
            moment = until.astimezone(dt.UTC).isoformat(sep=" ")
            wanted += [f"recovery_target_time = '{moment}'", "recovery_target_action = 'promote'"]
        return wanted


def _await_end(data: Path) -> bool:
    """Wait until a server has played its log and takes writes; False when it ended before."""
    deadline = time.monotonic() + RECOVER_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # Line 8 is its state, line 1 its process.
        if len(lines) > 7 and lines[7].strip() == "ready":  # noqa: PLR2004
            return True
        if lines and not Path(f"/proc/{lines[0]}").exists() and Path("/proc/self").exists():
            return False
        time.sleep(POLL_S)
    return False


def write_with_holes(path: Path, content: bytes) -> None:
    """Write a file whose blocks of zeros take no disk: a segment is often mostly empty."""
    with path.open("wb") as file:
        for start in range(0, len(content), len(_HOLE)):
            block = content[start : start + len(_HOLE)]
            if block == _HOLE[: len(block)]:
                file.seek(len(block), os.SEEK_CUR)
            else:
                file.write(block)
        file.truncate(len(content))
