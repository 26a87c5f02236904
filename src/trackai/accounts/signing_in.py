"""Signing in and out, and whose a browser's session is."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.accounts.access_tools import AccessTools
from trackai.accounts.brake import Brake
from trackai.accounts.emails import normalized_email
from trackai.accounts.entries import Entry, open_half, open_session, tenants_of
from trackai.accounts.scribing import NOBODY, UserScribe, actor_of
from trackai.accounts.tokens import MOST_CHARS, digest_of
from trackai.errors import InvalidField, SignInFailed
from trackai.model.access import MemberRole, Permission, may
from trackai.storage import memberships, sessions, users
from trackai.storage.memberships import Membership
from trackai.storage.pool import Tx
from trackai.storage.sessions import Limits, Session
from trackai.storage.users import User

# A session ends two weeks after it began, or half a day after it was last used.
LONGEST, IDLE = dt.timedelta(days=14), dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody who is signed in, and whose pages are open."""

    user: User
    session: Session
    membership: Membership | None  # None: is in no team
    token: str = field(repr=False)

    @property
    def actor(self) -> str:
        """Who it is to the audit log."""
        return actor_of(self.user.id)

    def may(self, permission: Permission) -> bool:
        """Return whether they may do what needs this permission, with the tenant in view."""
        return self.membership is not None and may(self.membership.role, permission)


class SigningIn:
    """Works as the role that sees people who sign in and no tenant's rows."""

    def __init__(self, tools: AccessTools) -> None:
        self._tools = tools
        self._brake = Brake(tools.envelope, tools.clock)
        self._scribe = UserScribe(tools.clock, tools.new_id)

    async def sign_in(self, given: str, password: str, *, address: str, agent: str) -> Entry:
        """Return what the browser is to hold; SignInFailed says no more than that it failed."""
        try:
            email = normalized_email(given)
        except InvalidField as error:
            raise SignInFailed from error
        async with self._tools.database.transaction() as tx:
            noted = await self._brake.note(tx, email, address)
            user = await users.find_by_email(tx, self._tools.envelope, email)
        fits = await self._tools.passwords.fits(password, user.password_hash if user else None)
        if user is None or not fits or user.disabled:
            raise SignInFailed
        async with self._tools.database.transaction() as tx:
            # Whoever knows a password must not guess codes for as long as they like.
            settle = self._brake.take_back if user.second_factor else self._brake.forget
            await settle(tx, noted)
            return await self._open(tx, user, agent=agent)

    async def note_failure(self, given: str) -> None:
        """Write a sign-in that failed down, in the teams of whoever has this e-mail.

        Not while they wait: it takes longer for an e-mail that somebody has.
        """
        try:
            email = normalized_email(given)
        except InvalidField:
            return
        async with self._tools.database.transaction() as tx:
            user = await users.find_by_email(tx, self._tools.envelope, email)
            if user is not None:
                await self._scribe.note(tx, user.id, "user.sign_in_failed", by=NOBODY)

    async def enter(self, user: User, *, agent: str) -> Entry:
        """Let somebody in who has just joined or set a password, to the code if they have one."""
        async with self._tools.database.transaction() as tx:
            return await self._open(tx, user, agent=agent)

    async def _open(self, tx: Tx, user: User, *, agent: str) -> Entry:
        now = self._tools.clock.now()
        if user.second_factor:
            return await open_half(tx, user, now=now)
        await self._scribe.note(tx, user.id, "user.sign_in")
        return await open_session(tx, user, agent=agent, now=now, new_id=self._tools.new_id)

    async def recognize(self, token: str) -> SignedIn | None:
        """Return who holds this; None when it opens nothing any more."""
        if not 0 < len(token) <= MOST_CHARS:
            return None
        async with self._tools.database.transaction() as tx:
            session = await sessions.find_session(tx, digest_of(token), self._limits())
            if session is None:
                return None
            user = await users.find_user(tx, self._tools.envelope, session.user_id)
            if user is None or user.disabled:
                return None
            await sessions.touch_session(tx, session_id=session.id, now=self._tools.clock.now())
            return SignedIn(user, session, await self._in_view(tx, user, session), token)

    async def switch(self, who: SignedIn, tenant_id: UUID) -> Membership | None:
        """Open another tenant's pages; None when they may not."""
        async with self._tools.database.transaction() as tx:
            found = await self._membership(tx, who.user, tenant_id)
            if found is not None:
                session_id = who.session.id
                await sessions.set_tenant(tx, session_id=session_id, tenant_id=tenant_id)
        return found

    async def memberships(self, user: User) -> Sequence[Membership]:
        """Return where somebody may go."""
        async with self._tools.database.transaction() as tx:
            return await tenants_of(tx, user)

    async def sign_out(self, who: SignedIn) -> None:
        """End the session."""
        await self.end_session(who.user.id, who.session.id)

    async def end_session(self, user_id: UUID, session_id: UUID) -> bool:
        """End one of somebody's sessions; False when there is none of this id."""
        async with self._tools.database.transaction() as tx:
            now = self._tools.clock.now()
            return await sessions.revoke_session(
                tx, user_id=user_id, session_id=session_id, now=now
            )

    async def sessions(self, user_id: UUID) -> list[Session]:
        """Return somebody's sessions, the latest first."""
        async with self._tools.database.transaction() as tx:
            return await sessions.list_sessions(tx, self._limits(), user_id=user_id)

    async def _in_view(self, tx: Tx, user: User, session: Session) -> Membership | None:
        if session.tenant_id is not None:
            found = await self._membership(tx, user, session.tenant_id)
            if found is not None:
                return found
        # The tenant is gone, or they are not in its team any more.
        known = await tenants_of(tx, user)
        return known[0] if known else None

    async def _membership(self, tx: Tx, user: User, tenant_id: UUID) -> Membership | None:
        found = await memberships.find_membership(tx, tenant_id=tenant_id, user_id=user.id)
        if found is None and user.platform_operator:
            name = await memberships.find_tenant_name(tx, tenant_id=tenant_id)
            return Membership(tenant_id, name, MemberRole.OWNER) if name is not None else None
        return found

    def _limits(self) -> Limits:
        now = self._tools.clock.now()
        return Limits(begun_after=now - LONGEST, seen_after=now - IDLE)
