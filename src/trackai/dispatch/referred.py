"""A destination whose accounts' tokens may be kept elsewhere: looked up when they are used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from trackai.destinations.port import Destination, TokenHealth, TokenState
from trackai.dispatch.dispatcher import NO_ACCOUNT
from trackai.errors import SecretUnavailable
from trackai.model.delivery import CallFacts, Deferred, ErrorClass, Outcome, OutgoingEvent
from trackai.model.tenant import DestinationAccount
from trackai.secrets.port import Secrets, is_reference

# How long a token that was looked up is believed; one that is refused is looked up at once.
TOKEN_S = 300.0
RECENT_S = 1.0
# Events wait so long for a token that cannot be looked up.
PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Referred(Destination):
    """Another destination, whose accounts may say where their token is."""

    inner: Destination
    secrets: Secrets

    @property
    @override
    def kind(self) -> str:
        return self.inner.kind

    @property
    @override
    def batch_limit(self) -> int:
        return self.inner.batch_limit

    @override
    def host(self, account: DestinationAccount) -> str:
        return self.inner.host(account)

    @override
    def validate(self, account: DestinationAccount) -> None:
        self.inner.validate(account)

    @override
    async def check_token(self, account: DestinationAccount) -> TokenHealth:
        if not is_reference(account.token):
            return await self.inner.check_token(account)
        try:
            return await self.inner.check_token(await self._known(account, TOKEN_S))
        except SecretUnavailable:
            said = "The token is kept elsewhere and cannot be looked up for now."
            return TokenHealth(TokenState.NOT_REACHED, None, said)

    @override
    async def send(
        self, account: DestinationAccount, events: Sequence[OutgoingEvent]
    ) -> list[Outcome]:
        if not is_reference(account.token):
            return await self.inner.send(account, events)
        try:
            known = await self._known(account, TOKEN_S)
        except SecretUnavailable:
            return [_later(len(events)) for _ in events]
        outcomes = await self.inner.send(known, events)
        if not any(_refused(one) for one in outcomes):
            return outcomes
        return await self._again(account, known, events, outcomes)

    async def _again(
        self,
        account: DestinationAccount,
        known: DestinationAccount,
        events: Sequence[OutgoingEvent],
        outcomes: list[Outcome],
    ) -> list[Outcome]:
        """Send what was refused once more when the token has changed meanwhile."""
        try:
            fresh = await self._known(account, RECENT_S)
        except SecretUnavailable:
            return outcomes
        if fresh.token == known.token:
            return outcomes
        again = [number for number, one in enumerate(outcomes) if _refused(one)]
        second = await self.inner.send(fresh, [events[number] for number in again])
        for number, outcome in zip(again, second, strict=True):
            outcomes[number] = outcome
        return outcomes

    async def _known(self, account: DestinationAccount, max_age_s: float) -> DestinationAccount:
        kept = await self.secrets.find(account.token, max_age_s=max_age_s)
        return replace(account, token=kept.value)


def referring(platforms: Mapping[str, Destination], secrets: Secrets) -> Mapping[str, Destination]:
    """Return destinations that look tokens up."""
    return {name: Referred(one, secrets) for name, one in platforms.items()}


def _refused(outcome: Outcome) -> bool:
    return isinstance(outcome, Deferred) and outcome.error_class is ErrorClass.AUTH


def _later(number: int) -> Deferred:
    return Deferred(
        NO_ACCOUNT,
        CallFacts(batch_size=number),
        retry_after_s=PAUSE_S,
        error_class=ErrorClass.UNROUTABLE,
    )
