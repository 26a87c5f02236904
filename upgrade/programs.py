"""A release's program in processes of its own: Python of this environment, that release's package.

Nothing is shared with this process: what is imported here is always the present release.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.apart import ended, started
from tests.support.program import lines_of

# Bounds of waiting, generous: machines are busy.
PATIENCE_S = 120.0
POLL_S = 0.05
_START = "from trackai.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Program:
    """A process that stays, and where it says what."""

    process: "subprocess.Popen[bytes]"
    log: Path

    async def said(self, event: str) -> Mapping[str, Any]:
        """Wait for a log line of this event and return it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in lines_of(self.log):
                if line.get("event") == event:
                    return line
            await asyncio.sleep(POLL_S)
        raise TimeoutError(f"It never said {event}: {self.log.read_text()[-2000:]}")

    async def end(self) -> int:
        """End it as a deployment does; return its exit status."""
        return await asyncio.to_thread(ended, self.process, PATIENCE_S)


@dataclass(frozen=True, slots=True)
class Place:
    """A release's source, a directory of its own, and its settings."""

    source: Path
    directory: Path
    settings: Mapping[str, str]

    async def run(self, *arguments: str) -> str:
        """Run a command that must succeed to its end; return what it said."""
        done = await asyncio.to_thread(self._run, arguments)
        if done.returncode:
            raise RuntimeError(
                f"trackai {arguments[0]} ended with {done.returncode}: {done.stderr}"
            )
        return done.stdout

    def _run(self, arguments: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _START, *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self, name: str, *arguments: str) -> Program:
        """Start a command that stays."""
        log = self.directory / f"{name}.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "-c", _START, *arguments]
        return Program(started(command, self._environment(), log), log)

    def _environment(self) -> dict[str, str]:
        own = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.source)}
        return own | {"TRACKAI_DATA_DIR": str(self.directory / "data")} | dict(self.settings)
