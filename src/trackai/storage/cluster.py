"""The data directory of the embedded PostgreSQL: where it is, how it is made, what its log says.

Knows no running server and no locks: the caller (storage/embedded.py) holds them.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from trackai.errors import ConfigurationError
from trackai.storage.binaries import Account, Binaries, choose_account

# Owns the database and runs migrations; no superuser, as on a managed PostgreSQL.
OWNER = "trackai_owner"
DATABASE = "trackai"
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name
SOCKET = f".s.PGSQL.{PORT}"

# Where the data go when root's unprivileged user cannot enter the wanted directory.
REFUGE = Path("/var/lib/trackai")
POINTER = "postgres.location"

INITDB_TIMEOUT_S = 120
# sun_path of a socket address, without its closing zero byte (Linux 107, macOS 103).
SOCKET_PATH_BYTES = 103
LOG_BYTES = 4_000_000
LOG_KEPT_BYTES = 500_000
LOG_LINES_SHOWN = 12

BOOTSTRAP = f"""create role {OWNER} login createrole createdb;
create database {DATABASE} owner {OWNER};
"""


@dataclass(frozen=True, slots=True)
class Place:
    """The directory that holds everything of one server, and the user that runs it."""

    base: Path
    account: Account
    archives: bool = False  # the server's log is kept for backups

    @property
    def archive(self) -> Path:
        """Where it is kept until it is taken away."""
        return self.base / "wal"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data directory."""
        return self.base / "postgres"

    @property
    def log(self) -> Path:
        """What the server has to say."""
        return self.base / "server.log"


def find_place(home: Path, refuge: Path) -> Place:
    """Return where the data of this directory are or will be, and as whom they are served.

    That is the directory itself, unless root's unprivileged user cannot enter it: then a directory
    under `refuge`, named by the path, and later a pointer file in its stead.
    """
    _make_passable(home)
    pointer = home / POINTER
    if pointer.exists():
        base = Path(pointer.read_text().strip())
        if not (base / "postgres").is_dir():
            raise ConfigurationError(
                f"{pointer} says that the data are in {base}, and they are not. Put them back, or "
                "remove that file to start empty."
            )
        return Place(base, choose_account(base / "postgres"))
    account = choose_account(home / "postgres")
    if account.reaches(home):
        return Place(home, account)
    base = refuge / hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
    for directory in (refuge, base):
        _make_passable(directory)
    if not account.reaches(base):
        raise ConfigurationError(
            f"The user that runs PostgreSQL can enter neither {home} nor {base}. "
            "Set TRACKAI_DATA_DIR to a directory whose parents every user can enter."
        )
    return Place(base, account)


def point_to(home: Path, place: Place) -> None:
    """Leave a file in the wanted directory that says where the data are."""
    pointer = home / POINTER
    if not pointer.exists():
        draft = pointer.with_suffix(".draft")
        draft.write_text(f"{place.base}\n")
        draft.rename(pointer)


def make_cluster(place: Place, binaries: Binaries, *, durable: bool) -> None:
    """Make the data directory with its owner role and database, whole or not at all."""
    if place.cluster.exists() and any(place.cluster.iterdir()):
        raise ConfigurationError(
            f"{place.cluster} holds something else than PostgreSQL's data. "
            "Move it aside, or set TRACKAI_DATA_DIR."
        )
    # Made under another name: what an interrupted start leaves is never taken for data.
    draft = place.base / "postgres.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if place.account.foreign:
        os.chown(draft, place.account.uid, place.account.gid)
    initdb = [
        *(binaries.program("initdb"), "-D", str(draft), "-U", SUPERUSER, "--encoding=UTF8"),
        *("--locale=C", "--data-checksums", "--auth-local=trust", "--auth-host=reject"),
        *([] if durable else ["--no-sync"]),
    ]
    single = [
        *(binaries.program("postgres"), "--single", "-D", str(draft)),
        *("-c", "exit_on_error=on", "-c", f"fsync={on(durable)}", SUPERUSER),
    ]
    for command, given in ((initdb, b""), (single, BOOTSTRAP.encode())):
        if run_logged(place, command, given=given, timeout_s=INITDB_TIMEOUT_S) != 0:
            raise failed(place, "be set up")
    draft.rename(place.cluster)
    base = os.open(place.base, os.O_RDONLY)
    try:
        os.fsync(base)
    finally:
        os.close(base)


def choose_socket_dir(place: Place) -> Path:
    """Return a directory of mode 0700 for the socket: the data's own, or a short one elsewhere."""
    if _fits(place.cluster):
        return place.cluster
    # Mode 0700 and a name that nobody could have taken before.
    for parent in dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"))):  # noqa: S108
        if _fits(parent / "trackai-12345678") and place.account.reaches(parent):
            short = Path(tempfile.mkdtemp(prefix="trackai-", dir=parent))
            if place.account.foreign:
                os.chown(short, place.account.uid, place.account.gid)
            return short
    raise ConfigurationError(
        f"The path {place.cluster} is too long for a socket. Set TRACKAI_DATA_DIR to a shorter one."
    )


def run_logged(place: Place, command: list[str], *, timeout_s: float, given: bytes = b"") -> int:
    """Run a program as the server's user; what it says goes to the log. Return its exit code."""
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(log, "wb") as output:
        try:
            return place.account.run(command, output=output, given=given, timeout_s=timeout_s)
        except subprocess.TimeoutExpired:
            return 1


def trim_log(log: Path) -> None:
    """Keep only the end of a log that has grown large; the server may go on writing to it."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        with log.open("r+b") as content:
            content.seek(-LOG_KEPT_BYTES, os.SEEK_END)
            kept = content.read().partition(b"\n")[2]
            content.seek(0)
            content.write(kept)
            content.truncate()


def last_lines(log: Path) -> list[str]:
    """Return the end of the log."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-LOG_LINES_SHOWN:]


def failed(place: Place, what: str) -> ConfigurationError:
    """Return the error of a server that could not do this, with the end of its log."""
    said = "\n  ".join(last_lines(place.log))
    return ConfigurationError(
        f"The embedded PostgreSQL could not {what}. Its log, {place.log}, ends with:\n  {said}\n"
        "Mend what it names (space, memory, permissions) and start again, or set "
        "TRACKAI_DATABASE_URL to another PostgreSQL."
    )


def on(value: bool) -> str:  # noqa: FBT001 - a formatter
    """Spell a switch as PostgreSQL does."""
    return "on" if value else "off"


def _make_passable(directory: Path) -> None:
    # Passable and not listable: root's unprivileged user must get through to its own directory.
    try:
        directory.mkdir(parents=True)
    except FileExistsError:
        return  # there already, or another process was quicker
    directory.chmod(0o711)


def _fits(directory: Path) -> bool:
    return len(os.fsencode(directory / SOCKET)) <= SOCKET_PATH_BYTES
