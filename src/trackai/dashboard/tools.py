"""What pages need; wired once by the composition root."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from trackai.accounts.new_passwords import NewPasswords
from trackai.accounts.proving import Proving
from trackai.accounts.second_factor import SecondFactor
from trackai.accounts.signing_in import SigningIn
from trackai.accounts.team import Team
from trackai.dashboard.errands import Errands
from trackai.dashboard.watching import Watch
from trackai.destinations.port import Destination
from trackai.ingest.client_address import TrustedProxies
from trackai.ingest.throttle import Throttle
from trackai.mail.port import Mail
from trackai.model.clock import Clock, NewId
from trackai.model.golive import Checklist
from trackai.model.tenant import GatewayConnection
from trackai.secrets.port import NOWHERE, Secrets
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database
from trackai.tracker.public_web import PublicWeb


@dataclass(frozen=True, slots=True)
class PracticeSale:
    """A sale that nobody made, as a platform is to tell it."""

    connection: GatewayConnection
    secret: str = field(repr=False)
    click_id: str | None


class PracticeSales(Protocol):
    """Stand-ins of payment platforms; only where a sandbox is."""

    @property
    def gateways(self) -> Collection[str]:
        """Names of the platforms that have one."""
        ...

    async def sell(self, sale: PracticeSale) -> bool:
        """Send the webhook of a paid sale; False when it was refused."""
        ...


class GoLive(Protocol):
    """The go-live checklist: looked at, and signed."""

    async def check(self) -> Checklist:
        """Return what every item comes to."""
        ...

    async def sign(
        self, item: str, user_id: UUID, actor: str, *, note: str, until: dt.datetime
    ) -> None:
        """Sign an item in somebody's name; InvalidField names what is wrong."""
        ...

    async def withdraw(self, item: str, user_id: UUID, actor: str) -> None:
        """Take a signature back; NotFound when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class DashboardTools:
    """Databases, clock, and who may come in."""

    database: Database  # as people: row-level security shows one tenant
    envelope: Envelope
    platforms: Mapping[str, Destination]  # ad platforms, asked about tokens and sent tests to
    signing_in: SigningIn
    team: Team
    second_factor: SecondFactor
    new_passwords: NewPasswords
    proving: Proving
    mail: Mail | None  # None: there is no way to send messages
    clock: Clock
    new_id: NewId
    base_url: str  # without a slash at the end
    proxies: TrustedProxies  # who may say for whom a request is
    web: PublicWeb  # fetches pages whose addresses people write
    page_checks: Throttle  # how often a tenant may have that done
    platform_asks: Throttle  # how often a tenant may have an ad platform asked or sent a test
    errands: Errands  # what goes on after a page has answered
    refusals_kept: dt.timedelta  # how long webhooks are whose proof failed
    watch: Watch  # who looks at events as they happen
    secrets: Secrets = NOWHERE  # what is kept elsewhere
    practice: PracticeSales | None = None  # None: in production
    golive: GoLive | None = None  # None: nobody may look
    meta_url: str | None = None  # where pixels connected on pages are; None: at Meta's own
