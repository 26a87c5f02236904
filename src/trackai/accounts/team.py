"""A tenant's team: invited by a link that works once, changed and left by deeds that are noted."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trackai.accounts import words
from trackai.accounts.access_tools import AccessTools
from trackai.accounts.brake import Brake
from trackai.accounts.emails import normalized_email
from trackai.accounts.entries import end_everywhere
from trackai.accounts.scribing import actor_of
from trackai.accounts.tokens import digest_of, new_token
from trackai.errors import Conflict, InvalidField, LinkGone, NotFound, UnknownTenant
from trackai.model.access import MemberRole
from trackai.storage import memberships, one_time_links, users
from trackai.storage.audit_logs import Scribe
from trackai.storage.one_time_links import Link, LinkKind
from trackai.storage.pool import Tx
from trackai.storage.users import User

INVITED_FOR = dt.timedelta(days=7)
# So many invitations may be asked for in a day: of one e-mail by anybody, and by one team.
DAY, MOST_TO_EMAIL, MOST_OF_TEAM = dt.timedelta(days=1), 5, 50
MOST_NAME_CHARS = 100
LANGUAGES = ("pt", "en")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of a team."""

    user_id: UUID
    role: MemberRole
    since: dt.datetime
    second_factor: bool
    email: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody new says who takes up an invitation."""

    name: str = field(repr=False)
    password: str = field(repr=False)
    language: str = "pt"


class Team:
    """Works as the role that sees people who sign in."""

    def __init__(self, tools: AccessTools) -> None:
        self._tools = tools
        self._brake = Brake(
            *(tools.envelope, tools.clock),
            kind="invite ",
            most_of_email=MOST_TO_EMAIL,
            most_of_address=MOST_OF_TEAM,
            window=DAY,
        )

    async def ask(self, given: str, *, tenant_id: UUID) -> None:
        """Count a wish to invite somebody: strangers get mail by it.

        InvalidField when it is no e-mail, TooManyRequests after too many.
        """
        email = normalized_email(given)
        async with self._tools.database.transaction() as tx:
            await self._brake.note(tx, email, str(tenant_id))

    async def invite(self, given: str, *, tenant_id: UUID | None, role: MemberRole, by: str) -> str:
        """Return the token of a link; without a tenant it makes a platform operator."""
        email, token, now = normalized_email(given), new_token(), self._tools.clock.now()
        link = Link(
            *(digest_of(token), LinkKind.INVITATION, by, now, now + INVITED_FOR),
            tenant_id=tenant_id,
            role=role if tenant_id else None,
            email=email,
        )
        async with self._tools.database.transaction() as tx:
            if tenant_id is not None:
                await self._check_tenant(tx, tenant_id)
                await self._note(tx, tenant_id, by, "team.invite", "", {"role": role.value})
            await one_time_links.insert_link(tx, self._tools.envelope, link)
        return token

    async def invitation(self, token: str) -> tuple[Link, User | None, str | None]:
        """Return an invitation, who is meant if known, and the tenant's name; LinkGone if used."""
        async with self._tools.database.transaction() as tx:
            link = await self._link(tx, token, LinkKind.INVITATION)
            user = await users.find_by_email(tx, self._tools.envelope, link.email or "")
            name = None
            if link.tenant_id is not None:
                name = await self._check_tenant(tx, link.tenant_id)
        return link, user, name

    async def join_new(self, token: str, newcomer: Newcomer) -> User:
        """Take an invitation up as somebody new; Conflict when the e-mail is somebody's."""
        link, known, _ = await self.invitation(token)
        if known is not None:
            raise Conflict("Somebody has this e-mail already. Sign in, then open the link again.")
        user = await self._new_user(link, newcomer)
        async with self._tools.database.transaction() as tx:
            if not await users.insert_user(
                tx, self._tools.envelope, user, now=self._tools.clock.now()
            ):
                raise Conflict("Somebody has this e-mail already. Open the link again.")
            await self._join(tx, link, user)
        return user

    async def join_as(self, token: str, user: User) -> None:
        """Take an invitation up as who one is; LinkGone when somebody else is meant."""
        link, known, _ = await self.invitation(token)
        if known is None or known.id != user.id:
            raise LinkGone
        async with self._tools.database.transaction() as tx:
            await self._join(tx, link, user)

    async def colleagues(self, tenant_id: UUID) -> list[Colleague]:
        """Return a tenant's team, longest first."""
        async with self._tools.database.transaction() as tx:
            found = []
            for member in await memberships.list_team(tx, tenant_id=tenant_id):
                user = await users.find_user(tx, self._tools.envelope, member.user_id)
                if user is not None:
                    about = (user.second_factor, user.email, user.name)
                    found.append(Colleague(user.id, member.role, member.since, *about))
            return found

    async def names(self, tenant_id: UUID) -> Mapping[str, str]:
        """Return what a tenant's people are called, by what the audit log calls them."""
        return {actor_of(one.user_id): one.name for one in await self.colleagues(tenant_id)}

    async def invitations(self, tenant_id: UUID) -> Sequence[Link]:
        """Return invitations that nobody has taken up yet."""
        async with self._tools.database.transaction() as tx:
            return await one_time_links.list_invitations(
                tx, self._tools.envelope, tenant_id=tenant_id, now=self._tools.clock.now()
            )

    async def withdraw(self, given: str, *, tenant_id: UUID, by: str) -> None:
        """Take an invitation back; NotFound when there is none."""
        email = normalized_email(given)
        async with self._tools.database.transaction() as tx:
            if not await one_time_links.delete_invitation(
                tx, self._tools.envelope, tenant_id=tenant_id, email=email
            ):
                raise NotFound("Nobody with this e-mail is invited.")
            await self._note(tx, tenant_id, by, "team.withdraw", "", {})

    async def change_role(
        self, tenant_id: UUID, user_id: UUID, role: MemberRole, *, by: str
    ) -> None:
        """Let somebody be something else to a tenant; one owner stays."""
        async with self._tools.database.transaction() as tx:
            await self._check_owner_stays(tx, tenant_id, user_id, role)
            await memberships.save_membership(
                tx, tenant_id=tenant_id, user_id=user_id, role=role, now=self._tools.clock.now()
            )
            await self._note(tx, tenant_id, by, "team.role", user_id, {"role": role.value})

    async def remove(self, tenant_id: UUID, user_id: UUID, *, by: str) -> None:
        """Take somebody out of a team; one owner stays."""
        async with self._tools.database.transaction() as tx:
            await self._check_owner_stays(tx, tenant_id, user_id, None)
            await memberships.delete_membership(tx, tenant_id=tenant_id, user_id=user_id)
            await self._note(tx, tenant_id, by, "team.remove", user_id, {})

    async def users(self) -> Sequence[User]:
        """Return everybody who may sign in to this installation."""
        async with self._tools.database.transaction() as tx:
            return await users.list_users(tx, self._tools.envelope)

    async def set_disabled(self, given: str, *, disabled: bool) -> User:
        """Let somebody sign in no more, from this moment, or again; NotFound when nobody is."""
        email, now = normalized_email(given), self._tools.clock.now()
        async with self._tools.database.transaction() as tx:
            user = await users.find_by_email(tx, self._tools.envelope, email)
            if user is None:
                raise NotFound("Nobody has this e-mail. List them: trackai user list")
            await users.set_disabled(tx, user_id=user.id, since=now if disabled else None)
            if disabled:
                await end_everywhere(tx, user, now=now, but=None)
        return user

    async def set_language(self, user: User, language: str) -> None:
        """Let somebody read pages in another language; InvalidField for one we have not."""
        if language not in LANGUAGES:
            raise InvalidField(f"A language is {' or '.join(LANGUAGES)}.", field="language")
        async with self._tools.database.transaction() as tx:
            await users.set_language(tx, user_id=user.id, language=language)

    async def _join(self, tx: Tx, link: Link, user: User) -> None:
        now, tenant_id, role = self._tools.clock.now(), link.tenant_id, link.role
        if not await one_time_links.use_link(tx, link.digest, now=now):
            raise LinkGone
        if tenant_id is None or role is None:
            await users.make_platform_operator(tx, user_id=user.id)
            return
        await memberships.save_membership(
            tx, tenant_id=tenant_id, user_id=user.id, role=role, now=now
        )
        details = {"role": role.value}
        await self._note(tx, tenant_id, f"user:{user.id}", "team.join", user.id, details)

    async def _new_user(self, link: Link, newcomer: Newcomer) -> User:
        name = words.name(newcomer.name, most=MOST_NAME_CHARS)
        email = link.email or ""
        return User(
            id=self._tools.new_id(),
            email=email,
            name=name,
            password_hash=await self._tools.passwords.hash(newcomer.password, email=email),
            language=newcomer.language if newcomer.language in LANGUAGES else LANGUAGES[0],
            platform_operator=link.tenant_id is None,
        )

    async def _link(self, tx: Tx, token: str, kind: LinkKind) -> Link:
        now = self._tools.clock.now()
        link = await one_time_links.find_link(
            tx, self._tools.envelope, digest_of(token), kind, now=now
        )
        if link is None:
            raise LinkGone
        return link

    async def _check_tenant(self, tx: Tx, tenant_id: UUID) -> str:
        name = await memberships.find_tenant_name(tx, tenant_id=tenant_id)
        if name is None:
            raise UnknownTenant("There is no such tenant. List them: trackai tenant list")
        return name

    async def _check_owner_stays(
        self, tx: Tx, tenant_id: UUID, user_id: UUID, role: MemberRole | None
    ) -> None:
        team = await memberships.list_team(tx, tenant_id=tenant_id)
        if user_id not in {member.user_id for member in team}:
            raise NotFound("There is nobody like that in the team.")
        owners = {member.user_id for member in team if member.role is MemberRole.OWNER}
        if owners == {user_id} and role is not MemberRole.OWNER:
            raise Conflict("A team keeps an owner. Make somebody else one first.")

    async def _note(
        self,
        tx: Tx,
        tenant_id: UUID,
        by: str,
        action: str,
        subject: object,
        details: Mapping[str, object],
    ) -> None:
        scribe = Scribe(tenant_id, by, self._tools.clock, self._tools.new_id)
        await scribe.note(tx, action, subject, details)
