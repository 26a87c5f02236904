"""Passwords: argon2id with the parameters of RFC 9106 for little memory; no rule but length."""

import asyncio
import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from trackai.errors import InvalidField

# NIST SP 800-63B: length is what counts; fifteen where it is the only factor.
LEAST_CHARS, MOST_CHARS = 15, 200
# What is tried first, by itself or with figures and signs, and rows of letters and keys.
_WORDS = re.compile(r"trackai|track|senha|password|admin|meta|facebook|pixel|loja|[\W\d_]+")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qazwsxedcrfvtgbyhnujmikolp")
# So many letters of a password have to be left when all of that is taken out.
_LEAST_OWN = 4
# Each takes 64 MiB and most of a tenth of a second.
AT_ONCE = 2


class Passwords:
    """Hashes and compares off the event loop, a few at once."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(AT_ONCE)
        # What a stranger's password is compared with, so that it takes as long as anybody's.
        self._nobodys = self._hasher.hash("nobody's")

    async def hash(self, password: str, *, email: str) -> str:
        """Return what is stored of a new password; InvalidField when it is a bad one."""
        check_password(password, email=email)
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, stored: str | None) -> bool:
        """Return whether it is the password; without one to compare with it takes as long."""
        if len(password) > MOST_CHARS:
            return False
        async with self._turn:
            fits = await asyncio.to_thread(self._verify, stored or self._nobodys, password)
        return fits and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, *, email: str) -> None:
    """Raise InvalidField for a password that is too short, too long, or the e-mail."""
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise InvalidField(
            f"A password has {LEAST_CHARS} to {MOST_CHARS} characters; a few words will do.",
            field="password",
        )
    if len(set(password)) < LEAST_CHARS // 3 or _is_guessed(password.lower(), email.lower()):
        raise InvalidField("That password is too easy to guess.", field="password")


def _is_guessed(password: str, email: str) -> bool:
    """Return whether it is a row of keys, something again and again, or words of this place."""
    if any(password in 20 * row or password in 20 * row[::-1] for row in _ROWS):
        return True
    # A text in two of itself, but for its ends, is made of something shorter.
    if password in (password + password)[1:-1]:
        return True
    own = password
    for part in (email, *re.split(r"[@.]", email)):
        own = own.replace(part, "") if len(part) >= _LEAST_OWN else own
    return len(_WORDS.sub("", own)) < _LEAST_OWN
