"""`trackai destination`: pixels that get a tenant's conversions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import typer

from trackai.accounts.onboarding import NewDestination, Onboarding
from trackai.accounts.upkeep import Change
from trackai.cli.installation import (
    Installation,
    open_installation,
    open_tenant,
    open_upkeep,
    parse_uuid,
    run,
)
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.cli.prompts import PLACE_HELP, given
from trackai.destinations.http import open_http
from trackai.destinations.port import TokenHealth
from trackai.destinations.registry import destinations
from trackai.dispatch.pixels import Pixels, Said
from trackai.dispatch.referred import referring
from trackai.errors import InvalidField
from trackai.model.clock import SystemClock
from trackai.model.delivery import Trigger
from trackai.model.tenant import DestinationAccount
from trackai.operations.standing import Standing, standings
from trackai.secrets.opening import open_secrets
from trackai.storage.destinations import list_destinations
from trackai.storage.pool import Role
from trackai.storage.pool import Row as Record
from trackai.storage.token_checks import list_checks

app = typer.Typer(no_args_is_help=True, help="Pixels that get a tenant's conversions.")

_VARIABLE = "TRACKAI_DESTINATION_TOKEN"
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar=_VARIABLE,
        help="Access token of the pixel; asked for when left out. Better so or by environment: a "
        "command line can be read by others on the machine.",
    ),
]
TokenFrom = Annotated[str | None, typer.Option("--token-from", metavar="PLACE", help=PLACE_HELP)]
DestinationId = Annotated[
    str, typer.Argument(metavar="DESTINATION", help="Destination id, from `destination list`.")
]
Events = Annotated[
    list[str] | None,
    typer.Option(
        help="TRIGGER=EventName, several times; blank name = none. Triggers: " + ", ".join(Trigger)
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the platform about it.")]
KeepAnyway = Annotated[
    bool, typer.Option("--keep-anyway", help="Set it even when the platform refuses it.")
]


@app.command()
def connect(
    tenant: TenantName,
    kind: Annotated[str, typer.Argument(help="meta")],
    pixel: Annotated[str, typer.Option(help="Pixel (dataset) id.")],
    token: TokenOption = None,
    token_from: TokenFrom = None,
    funnel: Annotated[
        str | None, typer.Option(help="Only this funnel's conversions; default: all.")
    ] = None,
    test_event_code: Annotated[
        str | None, typer.Option(help="Shows events under Test Events; they still count.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="Another host, such as a sandbox.")] = None,
    event: Events = None,
    offline: Offline = False,
    keep_anyway: KeepAnyway = False,
    json: Json = False,
) -> None:
    """Connect a pixel: from now on it gets the conversions."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            chosen = await onboarding.funnel_named(owner.id, funnel) if funnel else None
            new = NewDestination(
                kind=kind,
                pixel_id=pixel,
                token=given(token, token_from, "Token", variable=_VARIABLE),
                funnel_id=chosen.id if chosen else None,
                test_event_code=test_event_code,
                api_url=api_url,
                event_names=dict(_pair(text) for text in event or []),
            )
            async with _pixels(here, owner.id, onboarding, offline=offline) as pixels:
                said = await pixels.connect(new, keep_anyway=keep_anyway)
            return _told(said, "Nothing was connected.")

    show_one(run(work()), json=json)


@app.command(name="token")
def set_token(
    tenant: TenantName,
    destination: DestinationId,
    token: TokenOption = None,
    token_from: TokenFrom = None,
    offline: Offline = False,
    keep_anyway: KeepAnyway = False,
    json: Json = False,
) -> None:
    """Set a new token; what waits for it goes out by itself."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            destination_id = parse_uuid(destination, "DESTINATION")
            value = given(token, token_from, "Token", variable=_VARIABLE)
            async with _pixels(here, owner.id, onboarding, offline=offline) as pixels:
                said = await pixels.set_token(destination_id, value, keep_anyway=keep_anyway)
            return _told(said, "The token before it was kept.")

    show_one(run(work()), json=json)


@app.command()
def change(
    tenant: TenantName,
    destination: DestinationId,
    test_event_code: Annotated[
        str | None, typer.Option(help="Shows events under Test Events; they still count.")
    ] = None,
    no_test_event_code: Annotated[
        bool, typer.Option("--no-test-event-code", help="Send without one from now on.")
    ] = False,
    event: Events = None,
    usual_events: Annotated[
        bool, typer.Option("--usual-events", help="Forget what --event said before.")
    ] = False,
    json: Json = False,
) -> None:
    """Change a pixel's test event code or event names, from the next event on."""
    if test_event_code is not None and no_test_event_code:
        raise InvalidField("Either a test event code or none.", field="test_event_code")
    if test_event_code is not None and not test_event_code.strip():
        raise InvalidField("For no code say --no-test-event-code.", field="test_event_code")
    if not (test_event_code or no_test_event_code or event or usual_events):
        raise InvalidField(
            "Say what to change: --test-event-code, --no-test-event-code, --event or "
            "--usual-events.",
            field="destination",
        )
    wanted = Change(
        test_event_code="" if no_test_event_code else test_event_code,
        event_names=dict(_pair(text) for text in event or []),
        usual_events=usual_events,
    )

    async def work() -> Row:
        async with open_upkeep(tenant) as (_, upkeep):
            wanted_id = parse_uuid(destination, "DESTINATION")
            return _row(await upkeep.change_destination(wanted_id, wanted))

    show_one(run(work()), json=json)


@app.command()
def disconnect(tenant: TenantName, destination: DestinationId, json: Json = False) -> None:
    """Send a pixel nothing from now on; what still waited for it becomes dead letters."""

    async def work() -> Row:
        async with open_upkeep(tenant) as (_, upkeep):
            buried = await upkeep.disconnect_destination(parse_uuid(destination, "DESTINATION"))
        return {"disconnected": destination, "dead_letters": buried}

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's destinations: how their tokens and breakers stand."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            owner, now = view.tenant_id, SystemClock().now()
            accounts = await list_destinations(view.tx, view.here.envelope, tenant_id=owner)
            checks = await list_checks(view.tx, tenant_id=owner)
            stand = await standings(view.tx, accounts, now)
        return [
            {**_row(one), **_token_row(checks.get(one.id)), **_breaker_row(stand[one.id])}
            for one in accounts
        ]

    empty = "No destinations yet. Connect one: trackai destination connect TENANT meta"
    show(run(work()), json=json, empty=empty)


def _pair(text: str) -> tuple[str, str]:
    trigger, equals, name = text.partition("=")
    if not equals:
        raise InvalidField("Write --event TRIGGER=EventName.", field="event")
    return trigger.strip(), name.strip()


@asynccontextmanager
async def _pixels(
    here: Installation, tenant_id: UUID, onboarding: Onboarding, *, offline: bool
) -> AsyncIterator[Pixels]:
    """Open what connects a tenant's pixels."""
    clock = SystemClock()
    async with (
        here.database(Role.APP) as database,
        open_http() as http,
        open_secrets(here.settings.secrets_dir) as secrets,
    ):
        asked = None if offline else referring(destinations(http, clock), secrets)
        yield Pixels(database, onboarding, asked, clock, tenant_id)


def _told(said: Said, instead: str) -> Row:
    """Return what was kept; InvalidField when the platform refused the token."""
    if said.account is None:
        found = said.health.found if said.health else ""
        raise InvalidField(
            f"{found} {instead} To set it all the same: --keep-anyway.", field="token"
        )
    return {**_row(said.account), **_said(said.health)}


def _said(health: TokenHealth | None) -> Row:
    if health is None:
        return {"token_valid": None, "token": "set; the platform was not asked"}
    return {"token_valid": health.valid, "token": health.found}


def _token_row(check: Record | None) -> Row:
    known = dict(check) if check else {}
    return {
        "token_valid": known.get("valid"),
        "token_expires_at": known.get("expires_at"),
        "token_checked_at": known.get("checked_at"),
    }


def _breaker_row(stands: Standing) -> Row:
    return {
        "breaker": stands.state,
        "breaker_reason": stands.reason,
        "breaker_retry_at": stands.retry_at,
    }


def _row(account: DestinationAccount) -> Row:
    return {
        "destination_id": account.id,
        "kind": account.kind,
        "pixel_id": account.pixel_id,
        "funnel_id": account.funnel_id,
        "test_event_code": account.test_event_code,
        "api_url": account.api_url,
        "event_names": dict(account.event_names) or None,
    }
