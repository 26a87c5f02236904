"""Follows a replay until it is through: says what changes, why it waits, and how it ended."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import typer

from trackai.cli.output import Row
from trackai.dispatch.dead_letters import DeadLetters
from trackai.operations.letters import NOBODY_S, Counter

# A replay that somebody waits for is looked at so often.
LOOK_S = 1.0
INTERRUPTED = 130  # as shells count Ctrl-C

_PARTS = ("waiting", "under_way", "accepted", "dead_again")


@dataclass
class Follower:
    """Looks at one replay again and again; prints a line only when it differs from the last."""

    letters: DeadLetters
    counter: Counter
    say: Callable[[str], None]
    timeout_s: float | None = None
    _last: dict[bool, str] = field(default_factory=dict, init=False)  # by whether it is a cause

    async def follow(self, progress: Row) -> Row:
        """Return the progress at the end, or when the time is up."""
        began = time.monotonic()
        while progress["waiting"] or progress["under_way"]:
            waited_s = time.monotonic() - began
            self._print(_line(progress))
            if why := await self._why(progress, waited_s):
                self._print(f"waits: {'; '.join(why)}", cause=True)
            if self.timeout_s is not None and waited_s >= self.timeout_s:
                return progress
            await asyncio.sleep(LOOK_S)
            progress = await self.letters.progress(UUID(str(progress["id"])))
        return progress

    async def _why(self, progress: Row, waited_s: float) -> list[str]:
        holds = await self.counter.holds(UUID(str(progress["id"])))
        if not holds and progress["waiting"] == progress["selected"] and waited_s >= NOBODY_S:
            seen = "" if await self.counter.workers() else ": none is seen, start trackai worker"
            holds = [f"no worker took it within {NOBODY_S:.0f} s{seen}"]
        return holds

    def _print(self, line: str, *, cause: bool = False) -> None:
        if self._last.get(cause) != line:
            self._last[cause] = line
            self.say(line)


def note(line: str) -> None:
    """Say something beside the result, so that --json stays one document."""
    print(f"trackai: {line}", file=sys.stderr, flush=True)


def look_again(tenant: str, replay_id: object) -> str:
    """Return how to see later how far a replay is."""
    return f"The replay goes on. Look again: trackai dlq progress {_quoted(tenant)} {replay_id}"


def tell_too_old(progress: Row) -> None:
    """Say how many were refused for their age."""
    if progress["too_old"]:
        note(
            f"{progress['too_old']} older than seven days (event_too_old): Meta takes them no "
            "more, they stay dead letters. See: trackai dlq discard"
        )


def end(progress: Row, tenant: str) -> None:
    """Leave with the exit status of a replay that somebody waited for."""
    if progress["waiting"] or progress["under_way"]:
        note(look_again(tenant, progress["id"]))
        raise typer.Exit(1)
    if progress["dead_again"] or progress["too_old"]:
        raise typer.Exit(1)


def _line(progress: Row) -> str:
    return "  ".join(f"{part.replace('_', ' ')} {progress[part]}" for part in _PARTS)


def _quoted(tenant: str) -> str:
    return f'"{tenant}"' if " " in tenant else tenant
