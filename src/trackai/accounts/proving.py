"""Somebody who is signed in proves that it is they: a stolen session must not guess."""

import datetime as dt
from enum import StrEnum
from uuid import UUID

from trackai.accounts import codes
from trackai.accounts.access_tools import AccessTools
from trackai.accounts.brake import Brake
from trackai.accounts.scribing import UserScribe
from trackai.errors import InvalidField
from trackai.storage import second_factors
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.users import User


class Factor(StrEnum):
    """What a second factor was proved by."""

    TOTP = "totp"  # a code of an authenticator
    RECOVERY = "recovery"  # one of the codes for when that is lost


async def accepted(
    tx: Tx, envelope: Envelope, user_id: UUID, given: str, *, now: dt.datetime
) -> Factor | None:
    """Use a code up and return what it was; None when it is none, or was used already."""
    secret = await second_factors.find_secret(tx, envelope, user_id=user_id)
    if secret is None or len(given) > codes.MOST_CHARS:
        return None
    step = codes.step_of(secret, given, now=now)
    if step is not None and await second_factors.use_step(tx, user_id=user_id, step=step):
        return Factor.TOTP
    bare = codes.bare(given)
    if await second_factors.use_code(tx, envelope, user_id=user_id, code=bare):
        return Factor.RECOVERY
    return None


class Proving:
    """Counts what fails as sign-ins that failed: it is the same password that is guessed."""

    def __init__(self, tools: AccessTools) -> None:
        self._tools = tools
        self._brake = Brake(tools.envelope, tools.clock)
        self._scribe = UserScribe(tools.clock, tools.new_id)

    async def prove(
        self, user: User, password: str, *, address: str, code: str | None = None
    ) -> None:
        """Raise InvalidField, `old` or `code`, for what is not theirs; TooManyRequests in time."""
        async with self._tools.database.transaction() as tx:
            noted = await self._brake.note(tx, user.email, address)
        fits = await self._tools.passwords.fits(password, user.password_hash)
        async with self._tools.database.transaction() as tx:
            right = fits and (code is None or await self._accepts(tx, user, code))
            if right:
                await self._brake.take_back(tx, noted)
            else:
                await self._scribe.note(tx, user.id, "user.proof_failed")
        if not fits:
            raise InvalidField("That is not your password.", field="old")
        if not right:
            raise InvalidField("That code is wrong, or was used already.", field="code")

    async def _accepts(self, tx: Tx, user: User, code: str) -> bool:
        now = self._tools.clock.now()
        return await accepted(tx, self._tools.envelope, user.id, code, now=now) is not None
