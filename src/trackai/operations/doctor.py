"""Examines an installation: every dependency, setting and connection, with what to do.

Each check is independent: one that fails leaves the others to speak. Nothing is changed.
"""

import datetime as dt
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from trackai.destinations.port import Destination
from trackai.errors import (
    ConfigurationError,
    SecretMissing,
    SecretUnavailable,
    TrackaiError,
)
from trackai.gateways.registry import gateways
from trackai.ingest.spool import SEGMENT, SET_ASIDE, SPOOL
from trackai.model.tenant import DestinationAccount, GatewayConnection, Tenant
from trackai.operations.alarms import alarms
from trackai.operations.backups import backup
from trackai.operations.findings import Finding, Patient, State
from trackai.operations.flags import flags
from trackai.operations.flow import breakers, queue
from trackai.operations.zones import time_zones
from trackai.secrets.port import Secrets, is_reference
from trackai.storage import (
    destinations,
    gateway_connections,
    health,
    tenants,
    troubles,
)
from trackai.storage.database_clock import find_time
from trackai.storage.troubles import Trouble, TroubleKind

LEAST_FREE_BYTES = 1024**3
# Between two machines that are set by NTP there are milliseconds.
MOST_SKEW_S = 5.0
# How far back the doctor looks for what went wrong: as long as an event can be sent.
LATELY = dt.timedelta(days=7)


async def examine(patient: Patient) -> list[Finding]:
    """Run every check; a check that breaks is itself a finding."""
    findings = [
        *(_python(), _gateways(), _disk(patient), _spool(patient)),
        *(_migrations(patient), _address(patient)),
    ]
    for check in _CHECKS:
        name = check.__name__.strip("_").replace("_", " ")
        try:
            findings += await check(patient)
        except ConfigurationError as error:
            # What follows would fail for the same cause.
            return [*findings, Finding(name, State.FAILED, str(error), "Correct that setting.")]
        except TrackaiError as error:
            to_do = "Look at the log of trackai serve and trackai worker."
            findings.append(Finding(name, State.FAILED, f"{error} [{error.code}]", to_do))
    return findings


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", State.OK, version)


def _gateways() -> Finding:
    return Finding("gateways", State.OK, ", ".join(gateways()))


def _disk(patient: Patient) -> Finding:
    path = patient.data_dir
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    found = f"{free / 1024**3:.1f} GiB free at {path}"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", State.FAILED, found, "Make room: the database cannot grow.")
    return Finding("disk", State.OK, found)


def _spool(patient: Patient) -> Finding:
    """Say whether page reports wait on this machine's disk, or could not be brought in."""
    directory = patient.data_dir / SPOOL
    aside = sorted(directory.glob(f"*{SET_ASIDE}"))
    if aside:
        to_do = (
            "They hold page reports that were damaged or could not be stored: keep a copy, look at "
            "spool.set_aside in the log of trackai serve, then remove them."
        )
        return Finding(
            "spool", State.WARNING, f"{len(aside)} files set aside in {directory}", to_do
        )
    waiting = sum(1 for _ in directory.glob(f"*{SEGMENT}"))
    if waiting:
        to_do = "trackai serve brings them in when the database is there; start it."
        return Finding("spool", State.WARNING, f"{waiting} files wait in {directory}", to_do)
    return Finding("spool", State.OK, "empty")


def _migrations(patient: Patient) -> Finding:
    if patient.pending_migrations:
        found = f"{len(patient.pending_migrations)} not applied"
        return Finding("migrations", State.FAILED, found, "Run: trackai migrate")
    return Finding("migrations", State.OK, "up to date")


def _address(patient: Patient) -> Finding:
    if patient.public_url is None:
        to_do = "Set TRACKAI_PUBLIC_URL to the https address that payment platforms can reach."
        return Finding("public address", State.WARNING, "not set", to_do)
    if not patient.public_url.startswith("https://"):
        to_do = "Webhooks carry personal data and tokens: put TLS in front."
        return Finding("public address", State.WARNING, "not https", to_do)
    return Finding("public address", State.OK, patient.public_url)


async def _database(patient: Patient) -> list[Finding]:
    async with patient.database.transaction() as tx:
        server = await health.load_server(tx)
    number = server.version
    found = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < health.OLDEST_POSTGRES:
        return [Finding("database", State.FAILED, found, "Use PostgreSQL 15 or newer.")]
    findings = [Finding("database", State.OK, found)]
    if server.synchronous_commit == "off":
        to_do = "Set synchronous_commit=on: what was acknowledged could be lost in a crash."
        findings.append(Finding("durability", State.FAILED, "synchronous_commit is off", to_do))
    return findings


async def _clock(patient: Patient) -> list[Finding]:
    """Compare this machine's clock with the database's, by which those of others are compared."""
    async with patient.database.transaction() as tx:
        ahead_s = (patient.clock.now() - await find_time(tx)).total_seconds()
    if abs(ahead_s) <= MOST_SKEW_S:
        return [Finding("clock", State.OK, "agrees with the database's")]
    side = "ahead of" if ahead_s > 0 else "behind"
    to_do = "Set it by NTP here and where the database runs: what is due is told by clocks."
    found = f"{abs(ahead_s):,.0f} s {side} the database's"
    return [Finding("clock", State.WARNING, found, to_do)]


async def _key(patient: Patient) -> list[Finding]:
    async with patient.database.transaction() as tx:
        await health.check_key(tx, patient.envelope)
    return [Finding("key", State.OK, "opens what was encrypted last")]


async def _accounts(patient: Patient) -> list[Finding]:
    """Look at every tenant's connections; opening their secrets proves the key."""
    findings: list[Finding] = []
    kept: list[tuple[Tenant, GatewayConnection, str]] = []
    async with patient.database.transaction() as tx:
        known = await tenants.list_tenants_all_tenants(tx)
        for tenant in known:
            connections = await gateway_connections.list_connections(
                tx, patient.envelope, tenant_id=tenant.id
            )
            accounts = await destinations.list_destinations(
                tx, patient.envelope, tenant_id=tenant.id
            )
            findings.append(_connected(tenant.name, len(connections), len(accounts)))
            findings.extend(
                _without_secret(tenant, one)
                for one in connections
                if not one.valid_secrets(patient.clock.now())
            )
            kept += [
                (tenant, one, secret)
                for one in connections
                for secret in one.valid_secrets(patient.clock.now())
                if is_reference(secret)
            ]
    findings += [
        finding for one in kept if (finding := await _kept_elsewhere(patient.secrets, *one))
    ]
    if not known:
        to_do = "Create one: trackai tenant create NAME"
        return [Finding("tenants", State.WARNING, "none yet", to_do)]
    return findings


def _connected(name: str, connections: int, accounts: int) -> Finding:
    found = f"{connections} gateways, {accounts} destinations"
    if not connections or not accounts:
        to_do = "Connect with: trackai gateway connect, trackai destination connect"
        return Finding(f"tenant {name}", State.WARNING, found, to_do)
    return Finding(f"tenant {name}", State.OK, found)


def _without_secret(tenant: Tenant, connection: GatewayConnection) -> Finding:
    return Finding(
        f"{connection.gateway} of {tenant.name}",
        State.FAILED,
        "no secret: every webhook is refused",
        f"Set it: trackai gateway secret {tenant.id} {connection.id}",
    )


async def _kept_elsewhere(
    secrets: Secrets | None, tenant: Tenant, connection: GatewayConnection, place: str
) -> Finding | None:
    """Look a secret up as a server would."""
    if secrets is None:
        return None
    check = f"{connection.gateway} of {tenant.name}"
    try:
        await secrets.find(place, max_age_s=0)
    except SecretMissing:
        found = f"no secret at {place}: webhooks are not judged, their platform sends them again"
        return Finding(check, State.FAILED, found, "Put it there, or name another place.")
    except SecretUnavailable as error:
        found = f"its secret, {place}, cannot be looked up from here: {error.reason}"
        return Finding(check, State.WARNING, found, "Do servers have the region and the rights?")
    return None


_TROUBLES: Mapping[TroubleKind, tuple[str, str]] = {
    TroubleKind.FAILED_RECEIPTS: (
        "webhooks could not be processed",
        "See why: trackai webhooks failed {tenant}",
    ),
    TroubleKind.REJECTED_WEBHOOKS: (
        "webhooks without proof today",
        "Compare the secrets: trackai webhooks rejected {tenant}",
    ),
    TroubleKind.DEAD_DELIVERIES: (
        "deliveries given up within seven days",
        "See why, and send them again: trackai dlq list {tenant}",
    ),
    TroubleKind.WAITING_DELIVERIES: (
        "deliveries tried without success, to be tried again",
        "See why: trackai deliveries list {tenant} --status pending",
    ),
}


async def _troubles(patient: Patient) -> list[Finding]:
    """Say what went wrong lately, one finding a tenant and kind."""
    async with patient.database.transaction() as tx:
        known = await tenants.list_tenants_all_tenants(tx)
        found = await troubles.count_troubles_all_tenants(tx, since=patient.clock.now() - LATELY)
    return [
        _trouble(tenant, kind, counted)
        for tenant in known
        for kind in TroubleKind
        if (counted := [one for one in found if (one.tenant_id, one.kind) == (tenant.id, kind)])
    ]


def _trouble(tenant: Tenant, kind: TroubleKind, counted: Sequence[Trouble]) -> Finding:
    what, to_do = _TROUBLES[kind]
    reasons = ", ".join(f"{one.reason} {one.number}" for one in counted if one.reason)
    found = f"{sum(one.number for one in counted)} {what}"
    return Finding(
        f"{kind.replace('_', ' ')} of {tenant.name}",
        State.WARNING,
        f"{found}: {reasons}" if reasons else found,
        to_do.format(tenant=tenant.id),
    )


async def _tokens(patient: Patient) -> list[Finding]:
    """Ask each ad platform whether it knows the token of each destination."""
    if patient.destinations is None:
        return []
    async with patient.database.transaction() as tx:
        accounts = [
            account
            for tenant in await tenants.list_tenants_all_tenants(tx)
            for account in await destinations.list_destinations(
                tx, patient.envelope, tenant_id=tenant.id
            )
        ]
    return [await _token(patient.destinations.get(one.kind), one) for one in accounts]


async def _token(destination: Destination | None, account: DestinationAccount) -> Finding:
    name = f"{account.kind} pixel {account.pixel_id}"
    if destination is None:
        return Finding(name, State.FAILED, f"no destination called {account.kind}")
    token = await destination.check_token(account)
    to_do = f"Mend that, or set another: trackai destination token {account.tenant_id} {account.id}"
    if token.valid is None:
        return Finding(name, State.WARNING, token.found, "Check the network, try again.")
    if not token.valid:
        return Finding(name, State.FAILED, token.found, to_do)
    return Finding(name, State.OK, token.found)


_CHECKS: tuple[Callable[[Patient], Awaitable[list[Finding]]], ...] = (
    _database,
    _clock,
    _key,
    queue,
    breakers,
    _accounts,
    time_zones,
    _troubles,
    flags,
    backup,
    alarms,
    _tokens,
)
