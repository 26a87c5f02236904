"""Creates tenants, funnels, gateway connections and destinations."""

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from trackai.accounts import words as checked
from trackai.accounts.funnels import taken
from trackai.accounts.time_zones import check_time_zone
from trackai.destinations.registry import validate_account
from trackai.errors import Conflict, InvalidField, NotFound, StatementRefused, UnknownTenant
from trackai.gateways.port import Gateway
from trackai.gateways.registry import gateway as gateway_named
from trackai.model.clock import Clock, NewId
from trackai.model.delivery import Trigger
from trackai.model.tenant import (
    DestinationAccount,
    Funnel,
    GatewayConnection,
    Secret,
    Tenant,
)
from trackai.secrets.port import Reference, is_reference
from trackai.storage import (
    breakers,
    destinations,
    gateway_connections,
    queue_messages,
    tenants,
    token_checks,
)
from trackai.storage.audit_logs import Scribe
from trackai.storage.envelope import Envelope
from trackai.storage.pool import Database, Tx

DEFAULT_FUNNEL = "default"
# Both carry 160 random bits or more: nobody guesses a webhook address.
ENDPOINT_KEY_BYTES = 24
SITE_KEY_BYTES = 15
# How long the old secret of a gateway still proves webhooks after a new one is set.
ROTATION = dt.timedelta(days=2)

_META_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ ]{0,49}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewDestination:
    """What somebody says to connect a pixel."""

    kind: str
    pixel_id: str
    token: str = field(repr=False)
    funnel_id: UUID | None = None
    test_event_code: str | None = None
    api_url: str | None = None
    event_names: Mapping[str, str] = field(default_factory=dict)


class Onboarding:
    """Works as the database role of people: every statement sees one tenant only."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        clock: Clock,
        new_id: NewId,
        actor: str = "operator",
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._clock = clock
        self._new_id = new_id
        self._actor = actor  # for the audit log

    async def create_tenant(
        self, name: str, *, time_zone: str = "America/Sao_Paulo", currency: str = "BRL"
    ) -> Tenant:
        """Create a tenant with its public site key."""
        tenant = Tenant(
            id=self._new_id(),
            name=checked.name(name),
            site_key="site_" + secrets.token_urlsafe(SITE_KEY_BYTES),
            time_zone=time_zone,
            currency=currency,
        )
        async with self._database.transaction(tenant_id=tenant.id) as tx:
            await check_time_zone(tx, time_zone, self._clock.now())
            await tenants.insert_tenant(tx, self._envelope, tenant, now=self._clock.now())
            await self._scribe(tenant.id).note(
                tx, "tenant.create", tenant.id, {"name": tenant.name}
            )
        return tenant

    async def create_funnel(
        self, tenant_id: UUID, name: str, *, window: dt.timedelta = dt.timedelta(hours=72)
    ) -> Funnel:
        """Create a funnel; Conflict when the tenant has one of this name."""
        if not dt.timedelta(hours=1) <= window <= dt.timedelta(days=90):
            raise InvalidField(
                "The attribution window is 1 hour to 90 days.", field="attribution_window"
            )
        funnel = Funnel(tenant_id, self._new_id(), checked.name(name), window)
        try:
            async with self._database.transaction(tenant_id=tenant_id) as tx:
                await _require_tenant(tx, tenant_id)
                known = await tenants.list_funnels(tx, tenant_id=tenant_id)
                if any(one.name == funnel.name for one in known):
                    raise taken()
                await tenants.insert_funnel(tx, funnel, now=self._clock.now())
                await self._scribe(tenant_id).note(
                    tx, "funnel.create", funnel.id, {"name": funnel.name}
                )
        except StatementRefused as error:
            # Nobody had the name a moment ago.
            raise taken() from error
        return funnel

    async def funnel_named(self, tenant_id: UUID, name: str | None) -> Funnel:
        """Return a funnel by name or id; without a name the first, made when there is none."""
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            known = await tenants.list_funnels(tx, tenant_id=tenant_id)
        if name is None:
            return known[0] if known else await self.create_funnel(tenant_id, DEFAULT_FUNNEL)
        for funnel in known:
            if name in {funnel.name, str(funnel.id)}:
                return funnel
        raise NotFound("The tenant has no such funnel. List them: trackai funnel list TENANT")

    async def connect_gateway(
        self, tenant_id: UUID, gateway: str, secret: str | None, *, funnel: str | None = None
    ) -> GatewayConnection:
        """Connect a payment platform's account; its webhook address ends in the endpoint key.

        Some platforms show their secret only after they were given the address: without one,
        no webhook is believed until `set_secret`.
        """
        adapter = gateway_named(gateway)
        value = None if secret is None else _gateway_secret(secret, adapter)
        chosen = await self.funnel_named(tenant_id, funnel)
        connection = GatewayConnection(
            tenant_id=tenant_id,
            id=self._new_id(),
            funnel_id=chosen.id,
            gateway=gateway,
            endpoint_key=secrets.token_urlsafe(ENDPOINT_KEY_BYTES),
            secrets=() if value is None else (Secret(value),),
        )
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            known = await gateway_connections.list_connections(
                tx, self._envelope, tenant_id=tenant_id
            )
            for one in known:
                if one.gateway == gateway and value in {secret.value for secret in one.secrets}:
                    raise Conflict(f"There is a connection with this secret already: {one.id}")
            await gateway_connections.insert_connection(
                tx, self._envelope, connection, now=self._clock.now()
            )
            await self._scribe(tenant_id).note(
                tx, "gateway.connect", connection.id, {"gateway": gateway}
            )
        return connection

    async def set_secret(
        self, tenant_id: UUID, connection_id: UUID, secret: str
    ) -> GatewayConnection:
        """Set the secret; one before it stays valid for ROTATION, so that no webhook is lost."""
        now = self._clock.now()
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            connection = next(
                (
                    one
                    for one in await gateway_connections.list_connections(
                        tx, self._envelope, tenant_id=tenant_id
                    )
                    if one.id == connection_id
                ),
                None,
            )
            if connection is None:
                raise NotFound("The tenant has no such gateway connection.")
            fresh = Secret(_gateway_secret(secret, gateway_named(connection.gateway)))
            old = tuple(
                Secret(one.value, now + ROTATION)
                for one in connection.secrets
                if one.valid_until is None and one.value != fresh.value
            )
            changed = replace(connection, secrets=(fresh, *old))
            await gateway_connections.set_secrets(
                tx,
                self._envelope,
                tenant_id=tenant_id,
                connection_id=connection_id,
                secrets=changed.secrets,
            )
            details = {"gateway": connection.gateway}
            await self._scribe(tenant_id).note(tx, "gateway.secret", connection_id, details)
        return changed

    async def connect_destination(self, tenant_id: UUID, new: NewDestination) -> DestinationAccount:
        """Connect a pixel; Conflict when the tenant has connected it for this funnel already.

        One that was disconnected comes back under its old id.
        """
        account = self.destination_of(tenant_id, new)
        try:
            async with self._database.transaction(tenant_id=tenant_id) as tx:
                await _require_tenant(tx, tenant_id)
                account = await self._connect(tx, account)
        except StatementRefused as error:
            raise Conflict(
                "This pixel is connected already. Set its token with: trackai destination token"
            ) from error
        return account

    def destination_of(self, tenant_id: UUID, new: NewDestination) -> DestinationAccount:
        """Return the account that would be connected; InvalidField when it could not be."""
        check_event_names(new.event_names)
        account = DestinationAccount(
            tenant_id=tenant_id,
            id=self._new_id(),
            funnel_id=new.funnel_id,
            kind=new.kind,
            pixel_id=new.pixel_id,
            token=_secret(new.token, "token"),
            test_event_code=new.test_event_code,
            api_url=new.api_url,
            event_names=new.event_names,
        )
        validate_account(account)
        return account

    async def _connect(self, tx: Tx, account: DestinationAccount) -> DestinationAccount:
        now, tenant_id = self._clock.now(), account.tenant_id
        known = await destinations.revive_destination(tx, self._envelope, account)
        if known is None:
            await destinations.insert_destination(tx, self._envelope, account, now=now)
        else:
            account = replace(account, id=known)
            await breakers.close_breaker(tx, tenant_id=tenant_id, destination_id=known, now=now)
            await token_checks.forget_check(tx, tenant_id=tenant_id, destination_id=known, now=now)
        details = {"kind": account.kind, "pixel_id": account.pixel_id, "again": known is not None}
        await self._scribe(tenant_id).note(tx, "destination.connect", account.id, details)
        return account

    async def with_token(
        self, tenant_id: UUID, destination_id: UUID, token: str
    ) -> DestinationAccount:
        """Return a destination as it would be with this token; nothing is changed."""
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            return await self._with_token(tx, tenant_id, destination_id, token)

    async def _with_token(
        self, tx: Tx, tenant_id: UUID, destination_id: UUID, token: str
    ) -> DestinationAccount:
        known = await destinations.list_destinations(tx, self._envelope, tenant_id=tenant_id)
        account = next((one for one in known if one.id == destination_id), None)
        if account is None:
            raise NotFound("The tenant has no such destination.")
        changed = replace(account, token=_secret(token, "token"))
        validate_account(changed)
        return changed

    async def set_token(
        self,
        tenant_id: UUID,
        destination_id: UUID,
        token: str,
        *,
        valid: bool | None = None,
        actor: str | None = None,
    ) -> DestinationAccount:
        """Replace a pixel's token; what waits for it goes out by itself.

        `valid` is what its platform says of it, None when it was not asked.
        """
        async with self._database.transaction(tenant_id=tenant_id) as tx:
            changed = await self._with_token(tx, tenant_id, destination_id, token)
            pixel = {"tenant_id": tenant_id, "destination_id": destination_id}
            await destinations.set_token(tx, self._envelope, **pixel, token=changed.token)
            now = self._clock.now()
            details = {} if valid is None else {"valid": valid}
            await self._scribe(tenant_id, actor).note(
                tx, "destination.token", destination_id, details
            )
            await token_checks.forget_check(tx, **pixel, now=now)
            # What the old token was refused for need not hold the new one; a refused one would.
            if valid is not False:
                await breakers.close_breaker(tx, **pixel, now=now)
                await queue_messages.hasten_destination(tx, **pixel, now=now)
        return changed

    def _scribe(self, tenant_id: UUID, actor: str | None = None) -> Scribe:
        return Scribe(tenant_id, actor or self._actor, self._clock, self._new_id)


def check_event_names(event_names: Mapping[str, str]) -> None:
    """Raise InvalidField for a trigger that there is not, or a name that Meta does not take."""
    if event_names.keys() - set(Trigger):
        raise InvalidField(f"Unknown trigger. Known: {', '.join(Trigger)}.", field="event_names")
    for name in event_names.values():
        if name and not _META_EVENT_NAME.fullmatch(name):
            raise InvalidField(
                "Event names are letters, digits, blanks and _, at most 50.", field="event_names"
            )


async def _require_tenant(tx: Tx, tenant_id: UUID) -> None:
    if await tenants.find_tenant(tx, tenant_id) is None:
        raise UnknownTenant("There is no such tenant. List them: trackai tenant list")


def _gateway_secret(text: str, gateway: Gateway) -> str:
    value = _secret(text, "secret")
    if isinstance(text, Reference):
        return value
    if any(one.isspace() for one in value):
        raise InvalidField("The secret has blanks in it. Copy it again, whole.", field="secret")
    if not value.startswith(gateway.secret_prefix):
        raise InvalidField(
            f"A webhook secret of {gateway.title} begins with {gateway.secret_prefix}: this is "
            "another key.",
            field="secret",
        )
    return value


def _secret(text: str, field_name: str) -> str:
    value = text.strip()
    if is_reference(value) and not isinstance(text, Reference):
        raise InvalidField(
            f"This {field_name} says where a secret is kept. Only operators' commands do that.",
            field=field_name,
        )
    if not value:
        raise InvalidField(
            f"The {field_name} is blank: without it nothing can be proved or sent.",
            field=field_name,
        )
    return value
