"""Table one_time_links: invitations, and passwords to be set anew. A link itself is nowhere."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from trackai.model.access import MemberRole
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Row, Tx
from trackai.storage.users import email_digest, open_email, seal_email
from trackai.storage.users_key import know_all_tenants

_COLUMNS = "digest, kind, user_id, tenant_id, role, email_sealed, made_by, created_at, expires_at"

# A new one.
INSERT_LINK = """
insert into one_time_links (digest, kind, user_id, tenant_id, role, email_digest, email_sealed,
  made_by, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# One that may be used.
FIND_LINK_ALL_TENANTS = f"""
select {_COLUMNS} from one_time_links
where digest = $1 and kind = $2 and used_at is null and expires_at > $3
"""  # noqa: S608 - constant

# It is used; whoever comes second finds nothing.
USE_LINK_ALL_TENANTS = """
update one_time_links set used_at = $2 where digest = $1 and used_at is null and expires_at > $2
"""

# A tenant's invitations that nobody has taken up yet, the latest first.
LIST_INVITATIONS = f"""
select {_COLUMNS} from one_time_links
where tenant_id = $1 and kind = 'invitation' and used_at is null and expires_at > $2
order by created_at desc
"""  # noqa: S608 - constant

# An invitation is taken back, or replaced by another.
DELETE_INVITATION = """
delete from one_time_links
where tenant_id is not distinct from $1 and email_digest = $2 and kind = 'invitation'
  and used_at is null
"""

# A user's links are worth nothing any more.
DELETE_OF_USER_ALL_TENANTS = """
delete from one_time_links where user_id = $1 and used_at is null
"""

# Those that are over.
DELETE_OLD_ALL_TENANTS = "delete from one_time_links where expires_at < $1"


class LinkKind(StrEnum):
    """What a link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - a kind of link


@dataclass(frozen=True, slots=True)
class Link:
    """A link that may be used once."""

    digest: bytes = field(repr=False)
    kind: LinkKind
    made_by: str
    created_at: dt.datetime
    expires_at: dt.datetime
    user_id: UUID | None = None
    tenant_id: UUID | None = None
    role: MemberRole | None = None
    email: str | None = field(repr=False, default=None)


async def insert_link(tx: Tx, envelope: Envelope, link: Link) -> None:
    """Store a link; of an invitation in place of others to the same person."""
    await know_all_tenants(tx, envelope)
    digest = sealed = None
    if link.email is not None:
        digest = email_digest(envelope, link.email)
        sealed = seal_email(envelope, link.email)
        await tx.execute(DELETE_INVITATION, link.tenant_id, digest)
    if link.user_id is not None:
        await delete_of_user(tx, user_id=link.user_id)
    await tx.execute(
        INSERT_LINK,
        *(link.digest, link.kind.value, link.user_id, link.tenant_id),
        *(link.role.value if link.role else None, digest, sealed),
        *(link.made_by, link.created_at, link.expires_at),
    )


async def find_link(
    tx: Tx, envelope: Envelope, digest: bytes, kind: LinkKind, *, now: dt.datetime
) -> Link | None:
    """Return the link of this digest while it may be used."""
    row = await tx.fetch_one(FIND_LINK_ALL_TENANTS, digest, kind.value, now)
    if row is None:
        return None
    await know_all_tenants(tx, envelope)
    return _link(envelope, row)


async def use_link(tx: Tx, digest: bytes, *, now: dt.datetime) -> bool:
    """Use a link up; False when somebody else just did, or it is over."""
    return await tx.execute(USE_LINK_ALL_TENANTS, digest, now) == 1


async def list_invitations(
    tx: Tx, envelope: Envelope, *, tenant_id: UUID, now: dt.datetime
) -> list[Link]:
    """Return a tenant's invitations that nobody has taken up yet."""
    await know_all_tenants(tx, envelope)
    rows = await tx.fetch(LIST_INVITATIONS, tenant_id, now)
    return [_link(envelope, row) for row in rows]


async def delete_invitation(tx: Tx, envelope: Envelope, *, tenant_id: UUID, email: str) -> bool:
    """Take an invitation back; False when there is none."""
    await know_all_tenants(tx, envelope)
    digest = email_digest(envelope, email)
    return await tx.execute(DELETE_INVITATION, tenant_id, digest) > 0


async def delete_of_user(tx: Tx, *, user_id: UUID) -> None:
    """Let none of a user's links be used any more."""
    await tx.execute(DELETE_OF_USER_ALL_TENANTS, user_id)


async def delete_old(tx: Tx, *, expired_before: dt.datetime) -> int:
    """Delete links that are over; return how many."""
    return await tx.execute(DELETE_OLD_ALL_TENANTS, expired_before)


def _link(envelope: Envelope, row: Row) -> Link:
    return Link(
        digest=row["digest"],
        kind=LinkKind(row["kind"]),
        made_by=row["made_by"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        user_id=row["user_id"],
        tenant_id=row["tenant_id"],
        role=MemberRole(row["role"]) if row["role"] else None,
        email=open_email(envelope, row["email_sealed"]) if row["email_sealed"] else None,
    )
