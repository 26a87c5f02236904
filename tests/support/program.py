"""The real program in processes of its own, over an installation of the test's."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO

import asyncpg
from pydantic import SecretStr
from tests.support.forked import Forked, Start, nursery

from trackai.cli.installation import Installation
from trackai.model.clock import new_id
from trackai.settings import Settings
from trackai.storage.envelope import new_key_text

if TYPE_CHECKING:
    from trackai.storage.pool import Row

# Bounds of waiting, generous: machines are busy. Nothing is asserted about time.
PATIENCE_S = 120.0
POLL_S = 0.05
# The longest of them plays a whole demo on a database that it makes.
COMMAND_S = 300.0

_WORKERS = """
select count(*) as number from pg_stat_activity
where datname = current_database() and application_name = 'trackai pipeline'
"""
_LEASES_RUN_OUT = "update queue_messages set run_at = now() where lease is not null"


class Program:
    """A running `trackai ...`, and what it said."""

    def __init__(self, process: Forked, log: Path) -> None:
        self.process = process
        self.log = log

    def said(self) -> list[dict[str, Any]]:
        """Return its log lines; what is not JSON has the key `text` alone."""
        return lines_of(self.log)

    def wait_for(self, event: str) -> dict[str, Any]:
        """Wait for a log line of this event and return it."""
        return self._wait(lambda line: line.get("event") == event, event)

    def wait_for_text(self, start: str) -> str:
        """Wait for a line for people that begins so and return it."""
        return str(self._wait(lambda line: line.get("text", "").startswith(start), start)["text"])

    def _wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [line for line in self.said() if wanted(line)]
            if found:
                return found[0]
            ended = self.process.poll() is not None
            assert not ended, f"It ended: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"Never said {what}: {self.log.read_text()[-2000:]}"
            time.sleep(POLL_S)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Return a log's lines; what is not JSON has the key `text` alone.

    One that is being written is none yet: half an address leads nowhere.
    """
    text = log.read_text(errors="replace")
    return [_line(one) for one in text[: text.rfind("\n") + 1].splitlines()]


def _line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return {"text": text}
    return found if isinstance(found, dict) else {"text": text}


@dataclass
class Place:
    """An installation: what makes processes use the same database and keys."""

    directory: Path
    database_url: str | None
    key: str = field(default_factory=new_key_text)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as variables."""
        own = {
            "TRACKAI_DATA_DIR": str(self.directory / "data"),
            "TRACKAI_SECRET_KEY": self.key,
            "TRACKAI_LOG_FORMAT": "json",
        }
        if self.database_url:
            own["TRACKAI_DATABASE_URL"] = self.database_url
        return {"PATH": "/usr/bin:/bin"} | own | self.variables

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; keyword arguments are more variables."""
        with TemporaryFile() as output, TemporaryFile() as errors:
            process = self._begin(arguments, (output, errors), more)
            try:
                status = process.wait(COMMAND_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            return subprocess.CompletedProcess(arguments, status, _all(output), _all(errors))

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed with --json; return its one document."""
        done = self.run(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def start(self, *arguments: str) -> Iterator[Program]:
        """Run a command that stays, for the length of a block."""
        log = self.directory / f"{arguments[0]}-{new_id().hex}.log"
        with log.open("wb") as output:
            process = self._begin(arguments, (output, output), own_session=True)
        try:
            yield Program(process, log)
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _begin(
        self,
        arguments: Sequence[str],
        streams: Sequence[BinaryIO],
        more: Mapping[str, str] | None = None,
        *,
        own_session: bool = False,
    ) -> Forked:
        environment = self.environment | dict(more or {})
        start = Start([*map(os.fsencode, arguments)], environment, str(Path.cwd()), own_session)
        with Path(os.devnull).open("rb") as nothing:
            return nursery().start(start, (nothing, *streams))

    def here(self) -> Installation:
        """Return the installation for use in this process."""
        assert self.database_url is not None
        settings = Settings(
            database_url=SecretStr(self.database_url), secret_key=SecretStr(self.key)
        )
        return Installation.of(settings, self.database_url)

    async def forget_workers(self) -> None:
        """Wait until the database has noticed that killed workers are gone; then end their leases.

        A statement of theirs that was under way may still be committed; the time that their leases
        last is made to pass after that.
        """
        deadline = time.monotonic() + PATIENCE_S
        while (await self.rows(_WORKERS))[0]["number"]:
            assert time.monotonic() < deadline, "the workers' connections are still there"
            await asyncio.sleep(POLL_S)
        await self.rows(_LEASES_RUN_OUT)

    async def rows(self, statement: str, *values: object) -> "list[Row]":
        """Ask the database as its owner."""
        assert self.database_url is not None
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()


def _all(file: BinaryIO) -> str:
    file.seek(0)
    return file.read().decode()
