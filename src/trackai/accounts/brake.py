"""A brake on guessing: what fails is counted by e-mail and by address of the net."""

import datetime as dt
from dataclasses import dataclass, field

from trackai.errors import TooManyRequests
from trackai.model.clock import Clock
from trackai.storage import sign_in_failures
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Tx
from trackai.storage.users_key import USERS, know_all_tenants

# So many failures in so long: of one e-mail, and of one address of the net. Longer than a day is
# not remembered.
WINDOW = dt.timedelta(minutes=15)
MOST_OF_EMAIL, MOST_OF_ADDRESS = 5, 30


@dataclass(frozen=True, slots=True)
class Noted:
    """A try that counts as failed until it is known to be none."""

    of_email: bytes = field(repr=False)
    numbers: tuple[int, int]


class Brake:
    """Counts one kind of tries; all that ask for a password or a code are of one kind."""

    def __init__(
        self,
        envelope: Envelope,
        clock: Clock,
        *,
        kind: str = "",
        most_of_email: int = MOST_OF_EMAIL,
        most_of_address: int = MOST_OF_ADDRESS,
        window: dt.timedelta = WINDOW,
    ) -> None:
        self._envelope = envelope
        self._clock = clock
        self._kind = kind
        self._most = (most_of_email, most_of_address)
        self._window = window

    async def note(self, tx: Tx, email: str, address: str) -> Noted:
        """Note a try before it is known whether it fails: tries at one moment see each other.

        TooManyRequests after too many. To be committed before the try is looked at.
        """
        await know_all_tenants(tx, self._envelope)
        subjects = (self._subject(email), self._subject(f"address {address}"))
        await self._check(tx, subjects)
        now = self._clock.now()
        first = await sign_in_failures.insert_failure(tx, subjects[0], now=now)
        second = await sign_in_failures.insert_failure(tx, subjects[1], now=now)
        return Noted(subjects[0], (first, second))

    async def take_back(self, tx: Tx, noted: Noted) -> None:
        """Count this try no more; what failed before stays."""
        await sign_in_failures.delete_failures(tx, noted.numbers)

    async def forget(self, tx: Tx, noted: Noted) -> None:
        """Count this try no more, nor any of the same e-mail."""
        await self.take_back(tx, noted)
        await sign_in_failures.delete_of_subject(tx, noted.of_email)

    async def _check(self, tx: Tx, subjects: tuple[bytes, bytes]) -> None:
        now = self._clock.now()
        failed = await sign_in_failures.count_failures(tx, *subjects, since=now - self._window)
        for subject, most in zip(subjects, self._most, strict=True):
            number, last = failed.get(subject, (0, now))
            if number >= most:
                wait = (last + self._window - now).total_seconds()
                raise TooManyRequests("Too many tries. Wait a while.", retry_after_s=wait)

    def _subject(self, text: str) -> bytes:
        return self._envelope.digest(f"{self._kind}{text}".encode(), tenant_id=USERS)
