"""A scratch installation: its settings, its commands, and its processes, which end with it."""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackai.errors import ConfigurationError

STARTS_WITHIN_S = 60.0
ENDS_WITHIN_S = 30.0
POLL_S = 0.1


@dataclass
class Scratch:
    """Where everything of a rehearsal is, and how commands are given there."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    async def give(self, *words: str, **more: str) -> tuple[int, str]:
        """Give a command; return its exit status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            _program(),
            *words,
            env=self.environment(more),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, problem = await process.communicate()
        if process.returncode and not out.strip():
            raise ConfigurationError(f"trackai {' '.join(words)}: {problem.decode().strip()}")
        return process.returncode or 0, out.decode()

    async def told(self, *words: str, **more: str) -> Any:
        """Give a command that must succeed; return its document."""
        status, text = await self.give(*words, "--json", **more)
        lines = [line for line in text.splitlines() if line.startswith(("{", "["))]
        if status or not lines:
            raise ConfigurationError(f"trackai {' '.join(words)} failed: {text.strip()[-500:]}")
        return json.loads(lines[-1])

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return a process's variables: nothing of the outside comes along."""
        return {"PATH": "/usr/bin:/bin", "TRACKAI_LOG_FORMAT": "json"} | self.variables | dict(more)

    @asynccontextmanager
    async def started(self, name: str, *words: str) -> AsyncIterator[Path]:
        """Run a command that stays, for the length of a block; yields where its lines go."""
        log = self.directory / f"{name}.log"
        with log.open("wb") as lines:
            process = await asyncio.create_subprocess_exec(
                _program(),
                *words,
                env=self.environment({}),
                stdin=DEVNULL,
                stdout=lines,
                stderr=lines,
            )
        try:
            yield log
        finally:
            await _end(process)


async def said(log: Path, event: str) -> Mapping[str, Any]:
    """Return the first line of this event, when it is there."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STARTS_WITHIN_S):
            while True:
                text = await asyncio.to_thread(log.read_text, "utf-8")
                for line in text.splitlines():
                    with contextlib.suppress(json.JSONDecodeError):
                        found = json.loads(line)
                        if isinstance(found, dict) and found.get("event") == event:
                            return found
                await asyncio.sleep(POLL_S)
    raise ConfigurationError(f"A process never said {event}.")


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), ENDS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _program() -> str:
    return str(Path(sys.executable).with_name("trackai"))
