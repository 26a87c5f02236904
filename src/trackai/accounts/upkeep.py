"""Changes what a tenant is, and changes and ends what it has connected."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.accounts import words as checked
from trackai.accounts.onboarding import ENDPOINT_KEY_BYTES, check_event_names
from trackai.accounts.time_zones import check_time_zone
from trackai.destinations.registry import validate_account
from trackai.errors import InvalidField, NotFound, UnknownTenant
from trackai.model.clock import Clock, NewId
from trackai.model.money import parse_currency
from trackai.model.tenant import DestinationAccount, GatewayConnection, Tenant
from trackai.storage import deliveries, destinations, gateway_connections, tenants, token_checks
from trackai.storage.audit_logs import Scribe
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Tx

# How long a tenant may keep what people leave behind, in days.
KEEPING = (30, 90, 180, 365, 730)
# Why deliveries of a pixel are dead that nobody sends to any more.
DISCONNECTED = "destination_disconnected"

_NO_TENANT = "There is no such tenant. List them: trackai tenant list"
_NO_DESTINATION = "The tenant has no such destination. List them: trackai destination list"
_NO_CONNECTION = "The tenant has no such gateway connection. List them: trackai gateway list"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different of a destination; None means as it was."""

    test_event_code: str | None = None  # blank: none from now on
    event_names: Mapping[str, str] | None = None  # by trigger, put over those there are
    usual_events: bool = False  # forget those there are first


class Upkeep:
    """One tenant's connections, as people work on them; every deed is in the audit log."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        clock: Clock,
        new_id: NewId,
        *,
        tenant_id: UUID,
        actor: str,
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._clock = clock
        self._tenant_id = tenant_id
        self._scribe = Scribe(tenant_id, actor, clock, new_id)

    async def destination(self, destination_id: UUID) -> DestinationAccount:
        """Return a connected destination; NotFound when there is none of this id."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await self._destination(tx, destination_id)

    async def change_destination(self, destination_id: UUID, change: Change) -> DestinationAccount:
        """Change its test event code or event names; events that wait are sent as it is then."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            account = _changed(await self._destination(tx, destination_id), change)
            await destinations.change_destination(tx, account)
            details = {
                "test_event_code": account.test_event_code,
                "event_names": dict(account.event_names),
            }
            await self._scribe.note(tx, "destination.change", destination_id, details)
        return account

    async def disconnect_destination(self, destination_id: UUID) -> int:
        """Owe and send it nothing from now on; return how many deliveries became dead letters.

        A request that is under way ends as it ends: what it brought is recorded.
        """
        now = self._clock.now()
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            known = {"tenant_id": self._tenant_id, "destination_id": destination_id}
            if not await destinations.disable_destination(tx, **known, now=now):
                raise NotFound(_NO_DESTINATION)
            await token_checks.forget_check(tx, **known, now=now)
            buried = await deliveries.bury_of_destination(tx, **known, reason=DISCONNECTED, now=now)
            await self._scribe.note(
                tx, "destination.disconnect", destination_id, {"number": buried}
            )
        return buried

    async def change_tenant(
        self, *, name: str | None = None, currency: str | None = None
    ) -> tuple[Tenant, bool]:
        """Change its name or its own currency; return it, and whether it is another than before.

        None stays. Amounts stay in the currency they came in.
        """
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            before = await self._tenant(tx)
            now = replace(
                before,
                name=before.name if name is None else checked.name(name),
                currency=before.currency if currency is None else _currency(currency),
            )
            changed = await tenants.update_tenant(
                tx, tenant_id=self._tenant_id, name=now.name, currency=now.currency
            )
            if changed:
                details = {"before": _told(before), "now": _told(now)}
                await self._scribe.note(tx, "tenant.change", self._tenant_id, details)
        return now, changed

    async def keeping(self) -> int:
        """Return how many days the tenant keeps clicks, page events, webhooks and buyers."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await self._keeping(tx)

    async def keep(self, days: int) -> bool:
        """Keep them so many days from now on; False when that is as it was.

        What is stored follows within minutes; what is older than that then goes.
        """
        if days not in KEEPING:
            raise InvalidField(f"Days are one of {', '.join(map(str, KEEPING))}.", field="days")
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            before = await self._keeping(tx)
            changed = await tenants.update_keeping(
                tx, tenant_id=self._tenant_id, keep_days=days, now=self._clock.now()
            )
            if changed:
                details = {"before": before, "now": days}
                await self._scribe.note(tx, "tenant.retention", self._tenant_id, details)
        return changed

    async def _keeping(self, tx: Tx) -> int:
        days = await tenants.find_keeping(tx, tenant_id=self._tenant_id)
        if days is None:
            raise UnknownTenant(_NO_TENANT)
        return days

    async def time_zone(self) -> tuple[str, str | None]:
        """Return the zone that decides the tenant's days, and the one that will when it is set."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            return await self._time_zone(tx)

    async def want_time_zone(self, zone: str) -> bool:
        """Let days be those of another zone; False when that is as it was.

        Within minutes a task counts them again and sets it.
        """
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            await check_time_zone(tx, zone, self._clock.now())
            before, _ = await self._time_zone(tx)
            changed = await tenants.want_time_zone(tx, tenant_id=self._tenant_id, zone=zone)
            if changed:
                details = {"before": before, "now": zone}
                await self._scribe.note(tx, "tenant.time_zone", self._tenant_id, details)
        return changed

    async def _time_zone(self, tx: Tx) -> tuple[str, str | None]:
        tenant = await self._tenant(tx)
        return tenant.time_zone, tenant.next_time_zone

    async def _tenant(self, tx: Tx) -> Tenant:
        tenant = await tenants.find_tenant(tx, self._tenant_id)
        if tenant is None:
            raise UnknownTenant(_NO_TENANT)
        return tenant

    async def disconnect_gateway(self, connection_id: UUID) -> None:
        """Retire its webhook address; what it brought stays and is worked on to its end."""
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if not await gateway_connections.disable_connection(
                tx, tenant_id=self._tenant_id, connection_id=connection_id, now=self._clock.now()
            ):
                raise NotFound(_NO_CONNECTION)
            await self._scribe.note(tx, "gateway.disconnect", connection_id)

    async def rotate_gateway(self, connection_id: UUID) -> GatewayConnection:
        """Give it another webhook address; the one before it is nobody's at once."""
        key = secrets.token_urlsafe(ENDPOINT_KEY_BYTES)
        async with self._database.transaction(tenant_id=self._tenant_id) as tx:
            if not await gateway_connections.set_endpoint_key(
                tx, tenant_id=self._tenant_id, connection_id=connection_id, key=key
            ):
                raise NotFound(_NO_CONNECTION)
            await self._scribe.note(tx, "gateway.rotate", connection_id)
            known = await gateway_connections.list_connections(
                tx, self._envelope, tenant_id=self._tenant_id
            )
        return next(one for one in known if one.id == connection_id)

    async def _destination(self, tx: Tx, destination_id: UUID) -> DestinationAccount:
        known = await destinations.list_destinations(tx, self._envelope, tenant_id=self._tenant_id)
        account = next((one for one in known if one.id == destination_id), None)
        if account is None:
            raise NotFound(_NO_DESTINATION)
        return account


def _told(tenant: Tenant) -> dict[str, object]:
    return {"name": tenant.name, "currency": tenant.currency}


def _currency(text: str) -> str:
    try:
        return parse_currency(text)
    except ValueError:
        raise InvalidField(
            "There is no such currency. Give its ISO code, such as BRL.", field="currency"
        ) from None


def _changed(account: DestinationAccount, change: Change) -> DestinationAccount:
    code, names = account.test_event_code, dict(account.event_names)
    if change.test_event_code is not None:
        code = change.test_event_code or None
    if change.usual_events:
        names = {}
    names |= change.event_names or {}
    check_event_names(names)
    changed = replace(account, test_event_code=code, event_names=names)
    validate_account(changed)
    return changed
