"""Table users: people who sign in. They belong to no tenant; memberships say where they may.

E-mail and name are sealed; who is meant is found by a keyed digest.
"""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx
from trackai.storage.users_key import USERS, know_all_tenants

_COLUMNS = """
id, email_sealed, name_sealed, password_hash, language, platform_operator, disabled_at,
totp_sealed is not null as second_factor
"""

# A new one.
INSERT_USER_ALL_TENANTS = """
insert into users (id, email_digest, email_sealed, name_sealed, password_hash, language,
  platform_operator, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (email_digest) do nothing
"""

# One by id.
FIND_USER_ALL_TENANTS = f"select {_COLUMNS} from users where id = $1"  # noqa: S608 - constant

# One by the digest of an e-mail.
FIND_BY_EMAIL_ALL_TENANTS = f"select {_COLUMNS} from users where email_digest = $1"  # noqa: S608

# All of them, oldest first.
LIST_USERS_ALL_TENANTS = f"select {_COLUMNS} from users order by created_at, id limit $1"  # noqa: S608

# Whether there is anybody.
ANYBODY_ALL_TENANTS = "select exists (select from users) as found"

# Another password.
SET_HASH_ALL_TENANTS = "update users set password_hash = $2 where id = $1"

# Another language.
SET_LANGUAGE_ALL_TENANTS = "update users set language = $2 where id = $1"

# May enter every tenant.
MAKE_OPERATOR_ALL_TENANTS = "update users set platform_operator = true where id = $1"

# Signs in no more, or again.
SET_DISABLED_ALL_TENANTS = "update users set disabled_at = $2 where id = $1"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in."""

    id: UUID
    email: str = field(repr=False)
    name: str = field(repr=False)
    password_hash: str = field(repr=False)
    language: str
    platform_operator: bool
    disabled: bool = False
    second_factor: bool = False


async def insert_user(tx: Tx, envelope: Envelope, user: User, *, now: dt.datetime) -> bool:
    """Store a new user; False when somebody has this e-mail already."""
    await know_all_tenants(tx, envelope)
    return (
        await tx.execute(
            INSERT_USER_ALL_TENANTS,
            *(user.id, email_digest(envelope, user.email)),
            *(_seal(envelope, user.email), _seal(envelope, user.name)),
            *(user.password_hash, user.language, user.platform_operator, now),
        )
        == 1
    )


async def find_user(tx: Tx, envelope: Envelope, user_id: UUID) -> User | None:
    """Return the user of this id."""
    return await _find(tx, envelope, FIND_USER_ALL_TENANTS, user_id)


async def find_by_email(tx: Tx, envelope: Envelope, email: str) -> User | None:
    """Return the user of this e-mail, as `accounts/emails.py` normalizes it."""
    await know_all_tenants(tx, envelope)
    return await _find(tx, envelope, FIND_BY_EMAIL_ALL_TENANTS, email_digest(envelope, email))


async def list_users(tx: Tx, envelope: Envelope, *, limit: int = 1000) -> list[User]:
    """Return the installation's users; for its operator only."""
    await know_all_tenants(tx, envelope)
    return [_user(envelope, row) for row in await tx.fetch(LIST_USERS_ALL_TENANTS, limit)]


async def anybody(tx: Tx) -> bool:
    """Return whether anybody may sign in to this installation."""
    (row,) = await tx.fetch(ANYBODY_ALL_TENANTS)
    found: bool = row["found"]
    return found


async def set_password(tx: Tx, *, user_id: UUID, password_hash: str) -> None:
    """Replace a user's password."""
    await tx.execute(SET_HASH_ALL_TENANTS, user_id, password_hash)


async def set_language(tx: Tx, *, user_id: UUID, language: str) -> None:
    """Say in which language a user reads: pt or en."""
    await tx.execute(SET_LANGUAGE_ALL_TENANTS, user_id, language)


async def make_platform_operator(tx: Tx, *, user_id: UUID) -> None:
    """Let a user enter every tenant."""
    await tx.execute(MAKE_OPERATOR_ALL_TENANTS, user_id)


async def set_disabled(tx: Tx, *, user_id: UUID, since: dt.datetime | None) -> None:
    """Let a user sign in no more, or again."""
    await tx.execute(SET_DISABLED_ALL_TENANTS, user_id, since)


def email_digest(envelope: Envelope, email: str) -> bytes:
    """Return what an e-mail is found by. The key must be known."""
    return envelope.digest(email.encode(), tenant_id=USERS)


def seal_email(envelope: Envelope, email: str) -> bytes:
    """Return an e-mail as it is stored. The key must be known."""
    return _seal(envelope, email)


def open_email(envelope: Envelope, sealed: bytes) -> str:
    """Return what `seal_email` sealed."""
    return envelope.open(sealed, table="users", tenant_id=USERS).decode()


async def _find(tx: Tx, envelope: Envelope, statement: str, value: object) -> User | None:
    row = await tx.fetch_one(statement, value)
    if row is None:
        return None
    await know_all_tenants(tx, envelope)
    return _user(envelope, row)


def _seal(envelope: Envelope, text: str) -> bytes:
    return envelope.seal(text.encode(), table="users", tenant_id=USERS)


def _user(envelope: Envelope, row: Row) -> User:
    return User(
        id=row["id"],
        email=open_email(envelope, row["email_sealed"]),
        name=open_email(envelope, row["name_sealed"]),
        password_hash=row["password_hash"],
        language=row["language"],
        platform_operator=row["platform_operator"],
        disabled=row["disabled_at"] is not None,
        second_factor=row["second_factor"],
    )
