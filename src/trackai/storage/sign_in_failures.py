"""Table sign_in_failures: who tried, as digests, until they succeed; kept for a day."""

import datetime as dt
from collections.abc import Sequence

from trackai.storage.pool import Tx

# One more.
INSERT_FAILURE_ALL_TENANTS = """
insert into sign_in_failures (subject, at) values ($1, $2) returning id
"""

# How many of a subject's since a moment, and when the last was.
COUNT_FAILURES_ALL_TENANTS = """
select subject, count(*)::int as number, max(at) as last from sign_in_failures
where subject = any($1::bytea[]) and at > $2 group by subject
"""

# A subject's are forgotten.
DELETE_OF_SUBJECT_ALL_TENANTS = "delete from sign_in_failures where subject = $1"

# Some that were none.
DELETE_FAILURES_ALL_TENANTS = "delete from sign_in_failures where id = any($1::bigint[])"

# Those of long ago.
DELETE_OLD_ALL_TENANTS = "delete from sign_in_failures where at < $1"


async def insert_failure(tx: Tx, subject: bytes, *, now: dt.datetime) -> int:
    """Note a sign-in as one that failed; return what it is deleted by when it did not."""
    (row,) = await tx.fetch(INSERT_FAILURE_ALL_TENANTS, subject, now)
    number: int = row["id"]
    return number


async def count_failures(
    tx: Tx, *subjects: bytes, since: dt.datetime
) -> dict[bytes, tuple[int, dt.datetime]]:
    """Return how often each failed since then, and when last; nothing of who did not."""
    rows = await tx.fetch(COUNT_FAILURES_ALL_TENANTS, list(subjects), since)
    return {row["subject"]: (row["number"], row["last"]) for row in rows}


async def delete_of_subject(tx: Tx, subject: bytes) -> None:
    """Forget a subject's failures."""
    await tx.execute(DELETE_OF_SUBJECT_ALL_TENANTS, subject)


async def delete_failures(tx: Tx, numbers: Sequence[int]) -> None:
    """Take back what was noted and was no failure."""
    await tx.execute(DELETE_FAILURES_ALL_TENANTS, list(numbers))


async def delete_old(tx: Tx, *, before: dt.datetime) -> int:
    """Delete what is over; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, before)
