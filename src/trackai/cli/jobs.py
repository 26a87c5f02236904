"""`trackai jobs`: what the workers do at times, and how it went."""

import datetime as dt
from typing import Annotated

import typer

from trackai.cli.installation import open_all_tenants, run
from trackai.cli.output import Json, Row, show, show_one
from trackai.errors import NotFound
from trackai.model.clock import SystemClock
from trackai.storage import jobs

# What was due so long ago waits for a worker.
LATE = dt.timedelta(minutes=2)

app = typer.Typer(no_args_is_help=True, help="What workers do at times, and how it went.")


@app.command(name="list")
def list_(json: Json = False) -> None:
    """List tasks: how often each runs, how its last run ended, when the next is due."""

    async def work() -> list[Row]:
        async with open_all_tenants() as tx:
            now = SystemClock().now()
            return [_row(dict(one), now) for one in await jobs.list_jobs(tx)]

    show(run(work()), json=json, empty="No task has run yet. Start a worker: trackai worker")


@app.command(name="run")
def run_(
    name: Annotated[str, typer.Argument(help="A task's name, from the list.")], json: Json = False
) -> None:
    """Let a worker run a task within seconds, though it is not due."""

    async def work() -> None:
        async with open_all_tenants() as tx:
            if not await jobs.hasten_job(tx, name, now=SystemClock().now()):
                raise NotFound("There is no such task. List them: trackai jobs list")

    run(work())
    show_one({"asked_for": name}, json=json)


def _row(job: Row, now: dt.datetime) -> Row:
    lease = job["lease_until"]
    running = isinstance(lease, dt.datetime) and lease > now
    late = isinstance(job["next_at"], dt.datetime) and job["next_at"] < now - LATE
    ended = {None: "never ran", True: "ok", False: "failed"}[job["ok"]]  # type: ignore[index]
    return {
        "name": job["name"],
        "every_s": job["every_s"],
        "state": "running" if running else "late" if late else ended,
        "reason": job["reason"],
        "work": job["work"],
        "started_at": job["started_at"],
        "finished_at": job["finished_at"],
        "next_at": job["next_at"],
    }
