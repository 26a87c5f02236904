"""Table users, its second factor, and table recovery_codes: secrets sealed, codes as digests."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.users_key import USERS, know_all_tenants

# A secret is offered: it counts when a code of it was given.
OFFER_TOTP_ALL_TENANTS = """
update users set totp_offered_sealed = $2, totp_offered_at = $3 where id = $1
"""

# What is offered since a moment, unless there is a second factor already.
FIND_OFFER_ALL_TENANTS = """
select totp_offered_sealed as sealed from users
where id = $1 and totp_sealed is null and totp_offered_at > $2
"""

# What was offered counts; the step of its first code is used.
TAKE_OFFER_ALL_TENANTS = """
update users set totp_sealed = totp_offered_sealed, totp_used = $3, totp_offered_sealed = null,
  totp_offered_at = null
where id = $1 and totp_sealed is null and totp_offered_sealed = $2
"""

# The secret that counts.
FIND_TOTP_ALL_TENANTS = "select totp_sealed as sealed from users where id = $1"

# A step is used; one that is not later than the last was used already.
USE_STEP_ALL_TENANTS = """
update users set totp_used = $2
where id = $1 and totp_sealed is not null and (totp_used is null or totp_used < $2)
"""

# There is no second factor any more.
REMOVE_ALL_TENANTS = """
update users set totp_sealed = null, totp_used = null, totp_offered_sealed = null,
  totp_offered_at = null
where id = $1 and totp_sealed is not null
"""

# New recovery codes.
INSERT_CODES_ALL_TENANTS = """
insert into recovery_codes (user_id, digest, created_at)
select $1, digest, $3 from unnest($2::bytea[]) digest
"""

# One is used up.
USE_CODE_ALL_TENANTS = "delete from recovery_codes where user_id = $1 and digest = $2"

# All are worth nothing any more.
DELETE_CODES_ALL_TENANTS = "delete from recovery_codes where user_id = $1"

# How many are left.
COUNT_CODES_ALL_TENANTS = """
select count(*)::int as number from recovery_codes where user_id = $1
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret that waits for its first code."""

    secret: str = field(repr=False)
    sealed: bytes = field(repr=False)


async def offer_secret(
    tx: Tx, envelope: Envelope, *, user_id: UUID, secret: str, now: dt.datetime
) -> None:
    """Keep a secret until it is confirmed, in place of one that was offered before."""
    await know_all_tenants(tx, envelope)
    sealed = envelope.seal(secret.encode(), table=_context(user_id), tenant_id=USERS)
    await tx.execute(OFFER_TOTP_ALL_TENANTS, user_id, sealed, now)


async def find_offer(
    tx: Tx, envelope: Envelope, *, user_id: UUID, since: dt.datetime
) -> Offer | None:
    """Return what was offered since then and waits for its first code."""
    row = await tx.fetch_one(FIND_OFFER_ALL_TENANTS, user_id, since)
    if row is None or row["sealed"] is None:
        return None
    await know_all_tenants(tx, envelope)
    return Offer(_open(envelope, user_id, row["sealed"]), row["sealed"])


async def take_offer(tx: Tx, offer: Offer, *, user_id: UUID, step: int) -> bool:
    """Let what was offered count; False when another one does, or was offered meanwhile."""
    return await tx.execute(TAKE_OFFER_ALL_TENANTS, user_id, offer.sealed, step) == 1


async def find_secret(tx: Tx, envelope: Envelope, *, user_id: UUID) -> str | None:
    """Return the secret of somebody's second factor; None without one."""
    row = await tx.fetch_one(FIND_TOTP_ALL_TENANTS, user_id)
    if row is None or row["sealed"] is None:
        return None
    await know_all_tenants(tx, envelope)
    return _open(envelope, user_id, row["sealed"])


async def use_step(tx: Tx, *, user_id: UUID, step: int) -> bool:
    """Use a time step up; False when it, or a later one, was used already."""
    return await tx.execute(USE_STEP_ALL_TENANTS, user_id, step) == 1


async def remove(tx: Tx, *, user_id: UUID) -> bool:
    """Take the second factor and its recovery codes away; False when there was none."""
    await tx.execute(DELETE_CODES_ALL_TENANTS, user_id)
    return await tx.execute(REMOVE_ALL_TENANTS, user_id) == 1


async def insert_codes(
    tx: Tx, envelope: Envelope, *, user_id: UUID, codes: Collection[str], now: dt.datetime
) -> None:
    """Store recovery codes, as digests under the users' key."""
    await know_all_tenants(tx, envelope)
    digests = [_digest(envelope, user_id, code) for code in codes]
    await tx.execute(INSERT_CODES_ALL_TENANTS, user_id, digests, now)


async def use_code(tx: Tx, envelope: Envelope, *, user_id: UUID, code: str) -> bool:
    """Use a recovery code up; False when it is none, or was used already."""
    await know_all_tenants(tx, envelope)
    return await tx.execute(USE_CODE_ALL_TENANTS, user_id, _digest(envelope, user_id, code)) == 1


async def count_codes(tx: Tx, *, user_id: UUID) -> int:
    """Return how many recovery codes are left."""
    (row,) = await tx.fetch(COUNT_CODES_ALL_TENANTS, user_id)
    number: int = row["number"]
    return number


def _digest(envelope: Envelope, user_id: UUID, code: str) -> bytes:
    return envelope.digest(b"recovery " + user_id.bytes + code.encode(), tenant_id=USERS)


def _open(envelope: Envelope, user_id: UUID, sealed: bytes) -> str:
    return envelope.open(sealed, table=_context(user_id), tenant_id=USERS).decode()


def _context(user_id: UUID) -> str:
    """Return what an envelope is of: a secret that is copied to somebody else does not open."""
    return f"users.totp {user_id}"
