"""Table jobs: work that is due at times, and how its last run ended. No tenant has any.

A run is claimed by its row for a while; so that one worker does it, whoever is first, and another
goes on when that one dies. A lock of the session would need a connection of its own for as long.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from trackai.storage.pool import Row, Tx, columns

# What is to run, and how often; due at once when it is new.
INSERT_JOBS = """
insert into jobs (name, every_s, next_at)
select name, every_s, $3 from unnest($1::text[], $2::integer[]) as known (name, every_s)
on conflict (name) do update set every_s = excluded.every_s where jobs.every_s <> excluded.every_s
"""

# The job that has been due for longest, ours until the lease ends.
CLAIM_JOB = """
update jobs set lease_until = $3, started_at = $2
where name = (
  select name from jobs
  where name = any($1::text[]) and next_at <= $2 and (lease_until is null or lease_until <= $2)
  order by next_at limit 1 for update skip locked)
returning name
"""

# A run that goes on keeps its job to itself for longer.
EXTEND_JOB = "update jobs set lease_until = $3 where name = $1 and started_at = $2"

# How a run ended, if it is still ours, and when the next is due.
FINISH_JOB = """
update jobs set lease_until = null, finished_at = $3, ok = $4, reason = $5, work = $6, next_at = $7
where name = $1 and started_at = $2
"""

# How work that goes on all the time went lately.
NOTE_JOB = """
insert into jobs (name, every_s, started_at, finished_at, ok, reason, work, next_at)
values ($1, extract(epoch from $7::timestamptz - $3::timestamptz)::integer, $2, $3, $4, $5, $6, $7)
on conflict (name) do update set started_at = excluded.started_at,
  finished_at = excluded.finished_at, ok = excluded.ok, reason = excluded.reason,
  work = excluded.work, next_at = excluded.next_at
"""

# A job that is to run as soon as a worker can.
HASTEN_JOB = "update jobs set next_at = least(next_at, $2) where name = $1"

# When a job ended last.
FIND_FINISHED = "select finished_at from jobs where name = $1"

# All jobs.
LIST_JOBS = """
select name, every_s, next_at, lease_until, started_at, finished_at, ok, reason, work
from jobs order by name
"""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended."""

    ok: bool
    reason: str | None
    work: int  # rows or tables it changed
    finished_at: dt.datetime
    next_at: dt.datetime


async def insert_jobs(tx: Tx, jobs: Sequence[tuple[str, int]], *, now: dt.datetime) -> None:
    """Make known what is to run: (name, seconds between runs)."""
    await tx.execute(INSERT_JOBS, *columns(sorted(jobs)), now)


async def claim_job(
    tx: Tx, names: Sequence[str], *, now: dt.datetime, until: dt.datetime
) -> str | None:
    """Return a job that is due, nobody else's until then; None when none is."""
    row = await tx.fetch_one(CLAIM_JOB, list(names), now, until)
    return row["name"] if row else None


async def extend_job(tx: Tx, name: str, *, started_at: dt.datetime, until: dt.datetime) -> None:
    """Keep a run that was claimed at a moment from being anybody else's."""
    await tx.execute(EXTEND_JOB, name, started_at, until)


async def finish_job(tx: Tx, name: str, run: Run, *, started_at: dt.datetime) -> None:
    """Record a run that was claimed at a moment."""
    ended = (run.finished_at, run.ok, run.reason, run.work, run.next_at)
    await tx.execute(FINISH_JOB, name, started_at, *ended)


async def note_job(tx: Tx, name: str, run: Run, *, started_at: dt.datetime) -> None:
    """Record how work went that nobody claims, for it never ends."""
    ended = (run.finished_at, run.ok, run.reason, run.work, run.next_at)
    await tx.execute(NOTE_JOB, name, started_at, *ended)


async def hasten_job(tx: Tx, name: str, *, now: dt.datetime) -> bool:
    """Make a job due now; False when there is none of this name."""
    return await tx.execute(HASTEN_JOB, name, now) == 1


async def find_finished(tx: Tx, name: str) -> dt.datetime | None:
    """Return when the last run of a job ended; None when none ever did."""
    row = await tx.fetch_one(FIND_FINISHED, name)
    return row["finished_at"] if row else None


async def list_jobs(tx: Tx) -> Sequence[Row]:
    """Return all jobs and their last runs."""
    return await tx.fetch(LIST_JOBS)
