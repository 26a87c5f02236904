"""Another password: by whoever knows the old one, or by a link that works once."""

import datetime as dt

from trackai.accounts.access_tools import AccessTools
from trackai.accounts.brake import Brake
from trackai.accounts.emails import normalized_email
from trackai.accounts.entries import end_everywhere
from trackai.accounts.proving import Proving
from trackai.accounts.scribing import UserScribe
from trackai.accounts.tokens import digest_of, new_token
from trackai.errors import PasswordLinkGone
from trackai.storage import one_time_links, users
from trackai.storage.one_time_links import Link, LinkKind
from trackai.storage.pool import Tx
from trackai.storage.sessions import Session
from trackai.storage.users import User

PASSWORD_FOR = dt.timedelta(hours=2)
# So many messages may be asked for in a quarter of an hour: to one e-mail, and from one address.
MOST_TO_EMAIL, MOST_FROM_ADDRESS = 3, 10


class NewPasswords:
    """Works as the role that sees people who sign in."""

    def __init__(self, tools: AccessTools) -> None:
        self._tools = tools
        self._proving = Proving(tools)
        self._scribe = UserScribe(tools.clock, tools.new_id)
        self._brake = Brake(
            *(tools.envelope, tools.clock),
            kind="forgot ",
            most_of_email=MOST_TO_EMAIL,
            most_of_address=MOST_FROM_ADDRESS,
        )

    async def ask(self, given: str, *, address: str) -> None:
        """Count who asks for a link; the same for an e-mail that nobody has.

        InvalidField when it is no e-mail, TooManyRequests after too many.
        """
        email = normalized_email(given)
        async with self._tools.database.transaction() as tx:
            await self._brake.note(tx, email, address)

    async def forgot(self, given: str, *, by: str) -> tuple[User, str] | None:
        """Return whose link and its token; None when nobody has this e-mail."""
        email = normalized_email(given)
        async with self._tools.database.transaction() as tx:
            user = await users.find_by_email(tx, self._tools.envelope, email)
            if user is None or user.disabled:
                return None
            token, now = new_token(), self._tools.clock.now()
            link = Link(
                *(digest_of(token), LinkKind.PASSWORD, by, now, now + PASSWORD_FOR),
                user_id=user.id,
            )
            await one_time_links.insert_link(tx, self._tools.envelope, link)
        return user, token

    async def check_link(self, token: str) -> None:
        """Raise PasswordLinkGone for a link that sets no password any more."""
        async with self._tools.database.transaction() as tx:
            await self._link(tx, token)

    async def set_by_link(self, token: str, password: str) -> User:
        """Set a password by a link; all sessions of whoever it is end."""
        now = self._tools.clock.now()
        async with self._tools.database.transaction() as tx:
            link, user = await self._link(tx, token)
        hashed = await self._tools.passwords.hash(password, email=user.email)
        async with self._tools.database.transaction() as tx:
            if not await one_time_links.use_link(tx, link.digest, now=now):
                raise PasswordLinkGone
            await self._replace(tx, user, hashed, but=None)
        return user

    async def change(
        self, user: User, *, old: str, new: str, session: Session, address: str
    ) -> None:
        """Replace somebody's password, whose other sessions end; InvalidField says which is bad."""
        await self._proving.prove(user, old, address=address)
        hashed = await self._tools.passwords.hash(new, email=user.email)
        async with self._tools.database.transaction() as tx:
            await self._replace(tx, user, hashed, but=session)

    async def _replace(self, tx: Tx, user: User, hashed: str, *, but: Session | None) -> None:
        await users.set_password(tx, user_id=user.id, password_hash=hashed)
        # A link that somebody else asked for would set another one.
        await one_time_links.delete_of_user(tx, user_id=user.id)
        await end_everywhere(tx, user, now=self._tools.clock.now(), but=but)
        await self._scribe.note(tx, user.id, "user.password")

    async def _link(self, tx: Tx, token: str) -> tuple[Link, User]:
        digest, now = digest_of(token), self._tools.clock.now()
        link = await one_time_links.find_link(
            tx, self._tools.envelope, digest, LinkKind.PASSWORD, now=now
        )
        if link is None or link.user_id is None:
            raise PasswordLinkGone
        user = await users.find_user(tx, self._tools.envelope, link.user_id)
        if user is None or user.disabled:
            raise PasswordLinkGone
        return link, user
