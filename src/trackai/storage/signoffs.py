"""Table signoffs: what somebody answers for, and until when. Withdrawn ones stay."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from trackai.storage.pool import Tx

# Somebody answers for something.
INSERT_SIGNOFF = """
insert into signoffs (id, item, user_id, note, at, expires_at) values ($1, $2, $3, $4, $5, $6)
"""

# Of each item what was signed last, unless it was withdrawn.
LIST_LAST = """
select distinct on (item) id, item, user_id, note, at, expires_at from signoffs
where withdrawn_at is null order by item, at desc
"""

# Nobody answers for it any more.
WITHDRAW = "update signoffs set withdrawn_at = $2 where item = $1 and withdrawn_at is null"


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature."""

    id: UUID
    item: str
    user_id: UUID
    note: str
    at: dt.datetime
    expires_at: dt.datetime


async def insert_signoff(tx: Tx, one: SignOff) -> None:
    """Keep a signature."""
    await tx.execute(
        INSERT_SIGNOFF, one.id, one.item, one.user_id, one.note, one.at, one.expires_at
    )


async def list_last(tx: Tx) -> dict[str, SignOff]:
    """Return item -> what was signed last of it."""
    return {row["item"]: SignOff(**dict(row)) for row in await tx.fetch(LIST_LAST)}


async def withdraw(tx: Tx, item: str, *, at: dt.datetime) -> bool:
    """Take the signatures of an item back; False when there is none."""
    return await tx.execute(WITHDRAW, item, at) > 0
