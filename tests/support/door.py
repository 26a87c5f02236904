"""A world, and who may come into it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from tests.support.world import Account, World, open_world

from trackai.accounts.passwords import Passwords
from trackai.accounts.signing_in import SignedIn, SigningIn
from trackai.accounts.team import Newcomer, Team
from trackai.model.access import MemberRole
from trackai.model.clock import new_id
from trackai.storage.pool import Database, Role
from trackai.storage.users import User

PASSWORD = "cavalo bateria grampo"
HOME, BROWSER = "203.0.113.7", "Firefox, Linux"


@dataclass
class Door:
    """A world, and who may come into it."""

    world: World
    database: Database
    signing_in: SigningIn
    team: Team

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
        """Sign in by password."""
        return await self.signing_in.sign_in(email, password, address=address, agent=BROWSER)

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
        tools = (database, world.envelope, passwords, world.clock, new_id)
        yield Door(world, database, SigningIn(*tools), Team(*tools))
