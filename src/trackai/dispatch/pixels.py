"""Pixels as people connect and try them: their platform is asked before anything is kept."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.destinations.port import Destination, TokenHealth
from trackai.dispatch.token_watch import check_of
from trackai.errors import InvalidField
from trackai.model.clock import Clock, NewId
from trackai.model.delivery import Outcome, OutgoingEvent
from trackai.model.notice import Buyer, Product, Tracking
from trackai.model.tenant import DestinationAccount
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database
from trackai.storage.token_checks import record_check

# No standard event: an ad account optimizes for none of these, and nothing is sold.
TEST_EVENT = "TrackAITest"
# Of nobody: example.com receives no mail, and the number is of the range that is kept for fiction.
_NOBODY = Buyer(email="test@example.com", phone="+12025550123", country="US")


@dataclass(frozen=True, slots=True)
class Said:
    """What a platform said of a token, and what was kept; None: it was refused."""

    health: TokenHealth | None  # None: the platform was not asked
    account: DestinationAccount | None


@dataclass(frozen=True, slots=True)
class Pixels:
    """One tenant's pixels; every deed is in the audit log, by the onboarding's actor."""

    database: Database
    onboarding: Onboarding
    platforms: Mapping[str, Destination] | None  # None: they are not asked
    clock: Clock
    tenant_id: UUID

    async def connect(self, new: NewDestination, *, keep_anyway: bool = False) -> Said:
        """Connect a pixel, unless its platform refuses the token; one not reached is no refusal."""
        health = await self._ask(self.onboarding.destination_of(self.tenant_id, new))
        if _refused(health, keep_anyway=keep_anyway):
            return Said(health, None)
        account = await self.onboarding.connect_destination(self.tenant_id, new)
        await self._keep(account, health)
        return Said(health, account)

    async def set_token(
        self, destination_id: UUID, token: str, *, keep_anyway: bool = False
    ) -> Said:
        """Replace a token, unless the platform refuses the new one."""
        place = (self.tenant_id, destination_id, token)
        health = await self._ask(await self.onboarding.with_token(*place))
        if _refused(health, keep_anyway=keep_anyway):
            return Said(health, None)
        valid = health.valid if health else None
        account = await self.onboarding.set_token(*place, valid=valid)
        await self._keep(account, health)
        return Said(health, account)

    async def ask(self, account: DestinationAccount) -> TokenHealth | None:
        """Ask the platform about the token that is set, and keep what it says."""
        health = await self._ask(account)
        await self._keep(account, health)
        return health

    async def _ask(self, account: DestinationAccount) -> TokenHealth | None:
        if self.platforms is None:
            return None
        return await self.platforms[account.kind].check_token(account)

    async def _keep(self, account: DestinationAccount, health: TokenHealth | None) -> None:
        if health is None:
            return
        check = check_of(health, self.clock.now())
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            await record_check(tx, check, tenant_id=self.tenant_id, destination_id=account.id)


@dataclass(frozen=True, slots=True)
class Trial:
    """Sends one event that stands for nothing to where a platform shows tests."""

    database: Database
    platforms: Mapping[str, Destination]
    clock: Clock
    new_id: NewId
    actor: str

    async def send(self, account: DestinationAccount) -> Outcome:
        """Send it, once; InvalidField without a test event code."""
        if not account.test_event_code:
            raise InvalidField("A test event needs a test event code.", field="test_event_code")
        platform = self.platforms[account.kind]
        platform.validate(account)
        now = self.clock.now()
        (outcome,) = await platform.send(account, [self._event(now)])
        scribe = Scribe(account.tenant_id, self.actor, self.clock, self.new_id)
        details = {"outcome": type(outcome).__name__.lower()}
        async with self.database.transaction(tenant_id=account.tenant_id) as tx:
            await scribe.note(tx, "destination.test", account.id, details)
        return outcome

    def _event(self, now: dt.datetime) -> OutgoingEvent:
        made = self.new_id()
        return OutgoingEvent(
            delivery_id=made,
            event_name=TEST_EVENT,
            event_id=f"test:{made}",
            event_time=now,
            gateway="test",
            transaction=str(made),
            money=None,
            product=Product(),
            buyer=_NOBODY,
            tracking=Tracking(checkout_url="https://example.com/"),
            click=None,
        )


def _refused(health: TokenHealth | None, *, keep_anyway: bool) -> bool:
    return health is not None and health.valid is False and not keep_anyway
