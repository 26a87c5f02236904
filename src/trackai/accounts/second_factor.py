"""A second factor: set up, asked for at the door, turned off. Nobody has to have one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from trackai.accounts import codes
from trackai.accounts.access_tools import AccessTools
from trackai.accounts.brake import Brake
from trackai.accounts.emails import normalized_email
from trackai.accounts.entries import Entry, end_everywhere, open_session
from trackai.accounts.proving import Proving, accepted
from trackai.accounts.scribing import NOBODY, UserScribe
from trackai.accounts.tokens import MOST_CHARS, digest_of
from trackai.errors import CodeRefused, Conflict, InvalidField, NotFound
from trackai.storage import half_sessions, second_factors, users
from trackai.storage.pool import Tx
from trackai.storage.sessions import Session
from trackai.storage.users import User

# So long what is offered may wait for its first code.
OFFERED_FOR = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """How far somebody is with a second factor."""

    codes_left: int
    secret: str | None = field(repr=False)  # offered, waits for its first code
    address: str | None = field(repr=False)  # the same for an authenticator


class SecondFactor:
    """Works as the role that sees people who sign in."""

    def __init__(self, tools: AccessTools) -> None:
        self._tools = tools
        self._brake = Brake(tools.envelope, tools.clock)
        self._proving = Proving(tools)
        self._scribe = UserScribe(tools.clock, tools.new_id)

    async def standing(self, user: User) -> Standing:
        """Return how far somebody is."""
        async with self._tools.database.transaction() as tx:
            offer = await self._offer(tx, user)
            left = await second_factors.count_codes(tx, user_id=user.id)
        if offer is None:
            return Standing(left, None, None)
        return Standing(left, offer.secret, codes.address_of(offer.secret, user.email))

    async def offer(self, user: User, password: str, *, address: str) -> None:
        """Offer a new secret; it counts for nothing yet. InvalidField for a wrong password."""
        await self._proving.prove(user, password, address=address)
        async with self._tools.database.transaction() as tx:
            await second_factors.offer_secret(
                *(tx, self._tools.envelope),
                user_id=user.id,
                secret=codes.new_secret(),
                now=self._tools.clock.now(),
            )

    async def confirm(
        self, user: User, code: str, *, session: Session | None = None
    ) -> Sequence[str]:
        """Let what was offered count from now on; return the recovery codes, shown this once.

        All sessions but this one end: whoever came in by the password alone is out. InvalidField
        for a wrong code, Conflict when nothing is offered any more.
        """
        now, fresh = self._tools.clock.now(), codes.new_recovery_codes()
        async with self._tools.database.transaction() as tx:
            offer = await self._offer(tx, user)
            if offer is None:
                raise Conflict("Nothing waits for a code. Begin again.")
            step = codes.step_of(offer.secret, code, now=now)
            if step is None:
                raise InvalidField("That code is wrong.", field="code")
            if not await second_factors.take_offer(tx, offer, user_id=user.id, step=step):
                raise Conflict("There is a second factor already.")
            bare = [codes.bare(one) for one in fresh]
            await second_factors.insert_codes(
                tx, self._tools.envelope, user_id=user.id, codes=bare, now=now
            )
            await end_everywhere(tx, user, now=now, but=session)
            await self._scribe.note(tx, user.id, "user.second_factor_on")
        return fresh

    async def turn_off(self, user: User, password: str, code: str, *, address: str) -> None:
        """Ask for no code any more; InvalidField, `old` or `code`, for what is not theirs."""
        await self._proving.prove(user, password, address=address, code=code)
        async with self._tools.database.transaction() as tx:
            await self._remove(tx, user, by=None)

    async def remove(self, given: str, *, by: str) -> User:
        """Take it away from somebody who is locked out; NotFound when there is none."""
        email = normalized_email(given)
        async with self._tools.database.transaction() as tx:
            user = await users.find_by_email(tx, self._tools.envelope, email)
            if user is None:
                raise NotFound("Nobody has this e-mail. List them: trackai user list")
            if not await self._remove(tx, user, by=by):
                raise NotFound("They have no second factor. See who has: trackai user list")
        return user

    async def awaited(self, half: str) -> User | None:
        """Return whose code is awaited from a browser; None when nobody's is any more."""
        if not 0 < len(half) <= MOST_CHARS:
            return None
        async with self._tools.database.transaction() as tx:
            user_id = await half_sessions.find_half(
                tx, digest_of(half), now=self._tools.clock.now()
            )
            user = await users.find_user(tx, self._tools.envelope, user_id) if user_id else None
        return None if user is None or user.disabled else user

    async def finish(self, half: str, code: str, *, address: str, agent: str) -> Entry | None:
        """Open the session that waits for a code; None when none does any more.

        CodeRefused for a wrong code, which counts as a sign-in that failed.
        """
        user = await self.awaited(half)
        if user is None:
            return None
        async with self._tools.database.transaction() as tx:
            noted = await self._brake.note(tx, user.email, address)
        now = self._tools.clock.now()
        async with self._tools.database.transaction() as tx:
            by = await accepted(tx, self._tools.envelope, user.id, code, now=now)
            if by is None:
                await self._scribe.note(
                    tx, user.id, "user.sign_in_failed", by=NOBODY, second_factor=True
                )
            elif not await half_sessions.use_half(tx, digest_of(half), now=now):
                return None
            else:
                await self._brake.forget(tx, noted)
                await self._scribe.note(tx, user.id, "user.sign_in", second_factor=by.value)
                return await open_session(tx, user, agent=agent, now=now, new_id=self._tools.new_id)
        raise CodeRefused

    async def _offer(self, tx: Tx, user: User) -> second_factors.Offer | None:
        since = self._tools.clock.now() - OFFERED_FOR
        return await second_factors.find_offer(
            tx, self._tools.envelope, user_id=user.id, since=since
        )

    async def _remove(self, tx: Tx, user: User, *, by: str | None) -> bool:
        removed = await second_factors.remove(tx, user_id=user.id)
        await half_sessions.delete_of_user(tx, user_id=user.id)
        if removed:
            await self._scribe.note(tx, user.id, "user.second_factor_off", by=by)
        return removed
