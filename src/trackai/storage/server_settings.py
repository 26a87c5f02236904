"""What the embedded PostgreSQL is started with; its log (WAL) is archived where backups are made.

A segment that is full, or a minute old, is copied into a directory beside the data, whole or not at
all. From there it is taken away, sealed (backups/wal.py). While nobody does, it stays: the disk
fills, and an alarm says so, rather than that a piece of the log is missing.
"""

import os
import shlex
from pathlib import Path

from trackai.storage.cluster import Place, on

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # A restore touches every partition and index in one transaction.
    "max_locks_per_transaction": "256",
    "password_encryption": "scram-sha-256",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",
    "timezone": "UTC",
    "cluster_name": "trackai",
    # One short line a mishap, without statements and row values: they may be personal data.
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
# A server that may forget is one of tests; a dozen programs use it at once, each with its pools.
_OF_MANY = {"max_connections": "400"}
# What is in no archive yet when everything is lost.
ARCHIVE_TIMEOUT_S = 60
# Copied under another name, on the disk, then renamed. What is there already must be the same.
ARCHIVE = (
    "if test -f {to}/%f; then cmp -s %p {to}/%f; else "
    "cp %p {to}/%f.draft && sync {to}/%f.draft && mv {to}/%f.draft {to}/%f; fi"
)


def options(place: Place, socket_dir: Path, *, durable: bool) -> str:
    """Return the server's arguments, as pg_ctl takes them."""
    settings = _SETTINGS | {
        "unix_socket_directories": '"{}"'.format(str(socket_dir).replace('"', '""')),
        "fsync": on(durable),
        **({} if durable else _OF_MANY),
        **(_archiving(place.archive) if place.archives else {}),
    }
    return shlex.join(
        part for name, value in settings.items() for part in ("-c", f"{name}={value}")
    )


def _archiving(directory: Path) -> dict[str, str]:
    return {
        "archive_mode": "on",
        "archive_timeout": f"{ARCHIVE_TIMEOUT_S}s",
        "archive_command": ARCHIVE.format(to=shlex.quote(str(directory).replace("%", "%%"))),
    }


def make_archive(place: Place) -> None:
    """Make the directory that the log is copied to, the server's alone."""
    if place.archives and not place.archive.exists():
        place.archive.mkdir(mode=0o700)
        if place.account.foreign:
            os.chown(place.archive, place.account.uid, place.account.gid)
