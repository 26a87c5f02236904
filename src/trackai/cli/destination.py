"""`trackai destination`: pixels that get a tenant's conversions."""

from typing import Annotated

import typer

from trackai.accounts.onboarding import NewDestination
from trackai.cli.installation import open_installation, open_tenant, parse_uuid, run
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.cli.prompts import hidden
from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.errors import InvalidField
from trackai.model.clock import SystemClock
from trackai.model.delivery import Trigger
from trackai.model.tenant import DestinationAccount
from trackai.storage.destinations import list_destinations

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
        return {**_row(account), **await _token(account, offline=offline)}

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
            )
        return {**_row(account), **await _token(account, offline=offline)}

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's destinations."""

    async def work() -> list[DestinationAccount]:
        async with open_tenant(tenant) as view:
            return await list_destinations(view.tx, view.here.envelope, tenant_id=view.tenant_id)

    empty = "No destinations yet. Connect one: trackai destination connect TENANT meta"
    show([_row(account) for account in run(work())], json=json, empty=empty)


def _pair(text: str) -> tuple[str, str]:
    trigger, equals, name = text.partition("=")
    if not equals:
        raise InvalidField("Write --event TRIGGER=EventName.", field="event")
    return trigger.strip(), name.strip()


async def _token(account: DestinationAccount, *, offline: bool) -> Row:
    """Say what the platform thinks of a token that was just set; it is kept either way."""
    if offline:
        return {"token_valid": None, "token": "set; the platform was not asked"}
    async with open_http() as http:
        health = await destinations(http, SystemClock())[account.kind].check_token(account)
    return {"token_valid": health.valid, "token": health.found}


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
