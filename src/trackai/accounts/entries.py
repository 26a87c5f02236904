"""What a browser is given that comes in: a session, or half of one while a code is awaited."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from trackai.accounts.tokens import digest_of, new_token
from trackai.model.clock import NewId
from trackai.storage import half_sessions, memberships, sessions
from trackai.storage.memberships import Membership
from trackai.storage.pool import Tx
from trackai.storage.sessions import Session
from trackai.storage.users import User

# So long somebody may take to look their code up.
HALF_FOR = dt.timedelta(minutes=5)
MOST_AGENT_CHARS = 80


@dataclass(frozen=True, slots=True)
class Entry:
    """What a browser is to hold."""

    token: str = field(repr=False)
    half: bool  # a code is awaited: it opens nothing yet


async def open_half(tx: Tx, user: User, *, now: dt.datetime) -> Entry:
    """Await somebody's code."""
    token = new_token()
    await half_sessions.insert_half(
        tx, digest=digest_of(token), user_id=user.id, now=now, expires_at=now + HALF_FOR
    )
    return Entry(token, half=True)


async def open_session(tx: Tx, user: User, *, agent: str, now: dt.datetime, new_id: NewId) -> Entry:
    """Open a session, with the first of the tenants in view."""
    known = await tenants_of(tx, user)
    first = known[0].tenant_id if known else None
    token = new_token()
    session = Session(*(new_id(), user.id, first, agent[:MOST_AGENT_CHARS], now, now))
    await sessions.insert_session(tx, session, digest=digest_of(token))
    return Entry(token, half=False)


async def end_everywhere(tx: Tx, user: User, *, now: dt.datetime, but: Session | None) -> None:
    """End somebody's sessions, perhaps all but one, and await no code any more."""
    await sessions.revoke_others(tx, user_id=user.id, but=but.id if but else None, now=now)
    await half_sessions.delete_of_user(tx, user_id=user.id)


async def tenants_of(tx: Tx, user: User) -> Sequence[Membership]:
    """Return where somebody may go."""
    if user.platform_operator:
        return await memberships.list_every(tx)
    return await memberships.list_of_user(tx, user_id=user.id)
