"""`trackai destination`: pixels that get a tenant's conversions."""

from typing import Annotated

import typer

from trackai.accounts.onboarding import NewDestination
from trackai.cli.installation import (
    Installation,
    actor,
    open_installation,
    open_tenant,
    parse_uuid,
    run,
)
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.cli.prompts import hidden
from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.dispatch.token_watch import check_of
from trackai.errors import InvalidField
from trackai.model.clock import SystemClock
from trackai.model.delivery import Trigger
from trackai.model.tenant import DestinationAccount
from trackai.storage.breakers import list_breakers
from trackai.storage.destinations import list_destinations
from trackai.storage.pool import Role
from trackai.storage.token_checks import list_checks, record_check

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
Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the platform about it.")]


@app.command()
def connect(
    tenant: TenantName,
    kind: Annotated[str, typer.Argument(help="meta")],
    pixel: Annotated[str, typer.Option(help="Pixel (dataset) id.")],
    token: TokenOption = None,
    funnel: Annotated[
        str | None, typer.Option(help="Only this funnel's conversions; default: all.")
    ] = None,
    test_event_code: Annotated[
        str | None, typer.Option(help="Shows events under Test Events; they still count.")
    ] = None,
    api_url: Annotated[str | None, typer.Option(help="Another host, such as a sandbox.")] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="TRIGGER=EventName, several times; blank name = none. Triggers: "
            + ", ".join(Trigger)
        ),
    ] = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Connect a pixel: from now on it gets the conversions."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            chosen = await onboarding.funnel_named(owner.id, funnel) if funnel else None
            account = await onboarding.connect_destination(
                owner.id,
                NewDestination(
                    kind=kind,
                    pixel_id=pixel,
                    token=hidden(token, "Token", variable=_VARIABLE),
                    funnel_id=chosen.id if chosen else None,
                    test_event_code=test_event_code,
                    api_url=api_url,
                    event_names=dict(_pair(text) for text in event or []),
                ),
            )
            return {**_row(account), **await _token(here, account, offline=offline)}

    show_one(run(work()), json=json)


@app.command(name="token")
def set_token(
    tenant: TenantName,
    destination: Annotated[str, typer.Argument(help="Destination id, from `destination list`.")],
    token: TokenOption = None,
    offline: Offline = False,
    json: Json = False,
) -> None:
    """Set a new token; what waits for it goes out by itself."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            account = await onboarding.set_token(
                owner.id,
                parse_uuid(destination, "DESTINATION"),
                hidden(token, "Token", variable=_VARIABLE),
                actor=actor(),
            )
            return {**_row(account), **await _token(here, account, offline=offline)}

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's destinations: how their tokens and breakers stand."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            owner, now = view.tenant_id, SystemClock().now()
            accounts = await list_destinations(view.tx, view.here.envelope, tenant_id=owner)
            checks = await list_checks(view.tx, tenant_id=owner)
            breakers = {
                one["destination_id"]: one
                for one in await list_breakers(view.tx, tenant_id=owner, now=now)
            }
        return [
            {**_row(one), **_token_row(checks.get(one.id)), **_breaker_row(breakers.get(one.id))}
            for one in accounts
        ]

    empty = "No destinations yet. Connect one: trackai destination connect TENANT meta"
    show(run(work()), json=json, empty=empty)


def _pair(text: str) -> tuple[str, str]:
    trigger, equals, name = text.partition("=")
    if not equals:
        raise InvalidField("Write --event TRIGGER=EventName.", field="event")
    return trigger.strip(), name.strip()


async def _token(here: Installation, account: DestinationAccount, *, offline: bool) -> Row:
    """Say what the platform thinks of a token that was just set; it is kept either way."""
    if offline:
        return {"token_valid": None, "token": "set; the platform was not asked"}
    async with open_http() as http:
        health = await destinations(http, SystemClock())[account.kind].check_token(account)
    async with (
        here.database(Role.APP) as database,
        database.transaction(tenant_id=account.tenant_id) as tx,
    ):
        await record_check(
            tx,
            check_of(health, SystemClock().now()),
            tenant_id=account.tenant_id,
            destination_id=account.id,
        )
    return {"token_valid": health.valid, "token": health.found}


def _token_row(check: Row | None) -> Row:
    known = check or {}
    return {
        "token_valid": known.get("valid"),
        "token_expires_at": known.get("expires_at"),
        "token_checked_at": known.get("checked_at"),
    }


def _breaker_row(breaker: Row | None) -> Row:
    known = breaker or {}
    return {
        "breaker": known.get("state", "closed"),
        "breaker_reason": known.get("reason"),
        "breaker_retry_at": known.get("paused_until") or known.get("retry_at"),
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
