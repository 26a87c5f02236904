"""A world, and who may come into it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pyotp
from argon2 import PasswordHasher
from tests.support.world import Account, World, open_world

from trackai.accounts.access_tools import AccessTools
from trackai.accounts.codes import STEP_S
from trackai.accounts.new_passwords import NewPasswords
from trackai.accounts.passwords import Passwords
from trackai.accounts.proving import Proving
from trackai.accounts.second_factor import SecondFactor
from trackai.accounts.signing_in import SignedIn, SigningIn
from trackai.accounts.team import Newcomer, Team
from trackai.model.access import MemberRole
from trackai.model.clock import Clock, new_id
from trackai.storage.pool import Database, Role
from trackai.storage.users import User

PASSWORD = "cavalo bateria grampo"
HOME, BROWSER = "203.0.113.7", "Firefox, Linux"


@dataclass
class Phone:
    """Makes codes."""

    secret: str
    clock: Clock
    recovery: Sequence[str] = ()

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of so many steps later."""
        return pyotp.TOTP(self.secret).at(self.clock.now(), counter_offset=steps)


@dataclass
class Door:
    """A world, and who may come into it."""

    world: World
    database: Database
    signing_in: SigningIn
    team: Team
    second_factor: SecondFactor
    new_passwords: NewPasswords
    proving: Proving

    async def member(
        self,
        email: str = "ana@loja.test",
        role: MemberRole = MemberRole.OWNER,
        account: Account | None = None,
    ) -> User:
        """Invite somebody, who comes."""
        tenant_id = (account or self.world.account).tenant.id
        token = await self.team.invite(email, tenant_id=tenant_id, role=role, by="cli:op")
        return await self.team.join_new(token, Newcomer("Ana Souza", PASSWORD))

    async def sign_in(
        self, email: str = "ana@loja.test", password: str = PASSWORD, *, address: str = HOME
    ) -> str:
        """Sign in by password; return what the browser is to hold."""
        entry = await self.signing_in.sign_in(email, password, address=address, agent=BROWSER)
        return entry.token

    async def secure(self, user: User) -> Phone:
        """Set a second factor up; return what makes its codes."""
        await self.second_factor.offer(user, PASSWORD, address=HOME)
        secret = (await self.second_factor.standing(user)).secret
        assert secret is not None
        phone = Phone(secret, self.world.clock)
        phone.recovery = await self.second_factor.confirm(user, phone.code())
        self.world.clock.forward(seconds=STEP_S)
        return phone

    async def seen(self, token: str) -> SignedIn:
        """Return who holds this; it must open something."""
        found = await self.signing_in.recognize(token)
        assert found is not None
        return found


@asynccontextmanager
async def open_door(url: str) -> AsyncIterator[Door]:
    """Open a world that nobody has come into yet."""
    # As little work as argon2 takes: its strength is not what is tested.
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with open_world(url) as world, Database.opened(url, Role.ACCESS, size=4) as database:
        tools = AccessTools(database, world.envelope, passwords, world.clock, new_id)
        yield Door(
            *(world, database, SigningIn(tools), Team(tools)),
            *(SecondFactor(tools), NewPasswords(tools), Proving(tools)),
        )
