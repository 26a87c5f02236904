"""`trackai logs`: what the processes of this machine wrote, searched and followed.

Needs no database: logs are looked at when that is what is away.
"""

import contextlib
import datetime as dt
import os
import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from trackai.errors import ConfigurationError
from trackai.model.clock import SystemClock
from trackai.operations.logs import (
    LEVELS,
    About,
    Line,
    Logs,
    Tail,
    Wanted,
    ends_of,
    newest,
    shown,
)
from trackai.settings import load_settings
from trackai.telemetry.log_files import LOGS

# How often files are looked at for more.
LOOK_S = 0.5
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def logs(
    since: Annotated[
        str, typer.Option(help="How far back (90s, 15m, 1h, 7d), or from when on: a time, UTC.")
    ] = "1h",
    level: Annotated[str, typer.Option(help=f"At least so bad: {', '.join(LEVELS)}.")] = "debug",
    event: Annotated[str, typer.Option(help="Lines of this event; * stands for anything.")] = "*",
    grep: Annotated[str, typer.Option(help="Lines with this text, in capitals or not.")] = "",
    tenant: Annotated[str | None, typer.Option(help="Lines of the tenant of this id.")] = None,
    about: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="All lines of a webhook, a delivery or an event, by its id, and of the webhooks "
            "that it comes from.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print lines as written: JSON.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="The newest so many; default: all.")
    ] = None,
) -> None:
    """Search what this machine's processes wrote; kept in the data directory for some days."""
    wanted = Wanted(
        since=_since(since),
        level=_known(level),
        event=event,
        text=grep,
        tenant_id=tenant,
        about=About(about) if about else None,
    )
    directory = load_settings().data_dir / LOGS
    try:
        _search(directory, wanted, limit=limit, json=json, follow=follow)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _search(
    directory: Path, wanted: Wanted, *, limit: int | None, json: bool, follow: bool
) -> None:
    # What is written while the rest is read is neither missed nor said twice.
    ends = ends_of(directory)
    found = Logs(directory, ends)
    tail = Tail(found, directory, ends)
    number = _print(newest(found.find(wanted), limit), json=json)
    if found.unread:
        _note(f"{found.unread} lines were no log lines and are left out.")
    if not number and not json and not follow:
        _note(f"Nothing found in {directory}. Look further back: --since 7d")
    while follow:
        time.sleep(LOOK_S)
        for line in tail.more():
            if wanted.about is not None:
                wanted.about.learn(line)
            if wanted.fits(line):
                _print([line], json=json)


def _print(lines: Iterable[Line], *, json: bool) -> int:
    number = 0
    for number, line in enumerate(lines, start=1):  # noqa: B007 - how many there were
        print(line.text if json else shown(line))
    sys.stdout.flush()
    return number


def _note(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(f"trackai: {text}", file=sys.stderr, flush=True)


def _known(level: str) -> str:
    if level.lower() not in LEVELS:
        raise ConfigurationError(f"--level takes one of {', '.join(LEVELS)}.")
    return level.lower()


def _since(text: str) -> dt.datetime:
    length = _LENGTH.fullmatch(text)
    try:
        if length:
            return SystemClock().now() - dt.timedelta(**{_UNITS[length[2]]: float(length[1])})
        at = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            "--since takes a length (90s, 15m, 1h, 7d) or a time (2026-11-29T14:00)."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
