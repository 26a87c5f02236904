"""Job: asks platforms about the destinations' tokens before a sale finds out.

Several workers may run it: each token is asked about by one at a time.
"""

import datetime as dt
from collections.abc import Mapping

from trackai.destinations.port import Destination, TokenHealth
from trackai.model.clock import Clock
from trackai.model.tenant import DestinationAccount
from trackai.storage import destinations, token_checks
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.storage.token_checks import DueCheck, TokenCheck
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import TOKENS

STATES = ("valid", "expiring", "refused", "unknown")
# A token that ends within this is told of.
SOON = dt.timedelta(days=7)
# When to ask again: of what is well, of what is not, and when the platform could not be asked.
WELL = dt.timedelta(hours=6)
NOT_WELL = dt.timedelta(hours=1)
NOT_ASKED = dt.timedelta(minutes=15)
# Tokens asked about in one step; each answer has the HTTP client's timeout.
AT_ONCE = 10


class TokenWatch:
    """Keeps what is known of tokens fresh."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        platforms: Mapping[str, Destination],
        clock: Clock,
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._platforms = platforms
        self._clock = clock

    async def step(self) -> bool:
        """Ask about some tokens that are due; False when none was."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            due = await token_checks.claim_due_all_tenants(
                tx, now=now, until=now + NOT_ASKED, limit=AT_ONCE
            )
            accounts = await destinations.load_destinations_all_tenants(
                tx, self._envelope, [(one.tenant_id, one.destination_id) for one in due]
            )
        for one in due:
            account = accounts.get(one.destination_id)
            if account is None:  # its token does not open: asked again later, told each time
                get_logger().error("token.sealed", destination_id=str(one.destination_id))
            else:
                await self._check(one, account)
        await self._count()
        return bool(due)

    async def _check(self, known: DueCheck, account: DestinationAccount) -> None:
        platform = self._platforms.get(account.kind)
        if platform is None:
            return
        health = await platform.check_token(account)
        now = self._clock.now()
        async with self._database.transaction() as tx:
            fresh = await destinations.load_destinations_all_tenants(
                tx, self._envelope, [(account.tenant_id, account.id)]
            )
            # A token that was changed meanwhile is asked about anew.
            if account.id not in fresh or fresh[account.id].token != account.token:
                return
            await token_checks.record_check(
                tx,
                check_of(health, now),
                tenant_id=account.tenant_id,
                destination_id=account.id,
            )
        _report(known, account, health, now)

    async def _count(self) -> None:
        async with self._database.transaction() as tx:
            counted = await token_checks.count_checks_all_tenants(tx, soon=self._clock.now() + SOON)
        for state in STATES:
            TOKENS.labels(state).set(counted.get(state, 0))


def check_of(health: TokenHealth, now: dt.datetime) -> TokenCheck:
    """Return what to store of a platform's answer, and when to ask again."""
    if health.valid is None:
        again = NOT_ASKED
    elif health.valid and not _ends_soon(health.expires_at, now):
        again = WELL
    else:
        again = NOT_WELL
    said = (health.valid, health.found, health.expires_at, health.state.value, health.scopes)
    return TokenCheck(now + again, now, *said)


def _ends_soon(expires_at: dt.datetime | None, now: dt.datetime) -> bool:
    return expires_at is not None and expires_at - now < SOON


def _report(
    known: DueCheck, account: DestinationAccount, health: TokenHealth, now: dt.datetime
) -> None:
    """Tell what is news: nobody is to be called twice for the same."""
    facts = {
        "tenant_id": str(account.tenant_id),
        "destination_id": str(account.id),
        "expires_at": health.expires_at.isoformat() if health.expires_at else None,
    }
    if health.valid is False and known.valid is not False:
        get_logger().error("token.refused", **facts)
    elif health.valid and known.valid is False:
        get_logger().info("token.valid_again", **facts)
    elif (
        health.valid
        and _ends_soon(health.expires_at, now)
        and not (known.valid and known.expires_at == health.expires_at)
    ):
        get_logger().warning("token.expires_soon", **facts)
