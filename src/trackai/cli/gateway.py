"""`trackai gateway`: payment platforms whose webhooks a tenant receives."""

from typing import Annotated

import typer

from trackai.cli.installation import (
    open_installation,
    open_tenant,
    open_upkeep,
    parse_uuid,
    run,
)
from trackai.cli.output import Json, Row, TenantName, show, show_one
from trackai.cli.prompts import PLACE_HELP, given
from trackai.gateways.registry import gateway as gateway_named
from trackai.model.tenant import GatewayConnection
from trackai.secrets.port import reference
from trackai.storage.gateway_connections import list_connections

app = typer.Typer(no_args_is_help=True, help="Payment platforms whose webhooks come here.")

_HELP = (
    "The platform's token or signing secret. Better from the environment or by prompt than on "
    "the command line, which others on the machine can read."
)
_VARIABLE = "TRACKAI_GATEWAY_SECRET"
SecretFrom = Annotated[str | None, typer.Option("--secret-from", metavar="PLACE", help=PLACE_HELP)]
ConnectionId = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="Connection id, from `gateway list`.")
]


@app.command()
def connect(
    tenant: TenantName,
    gateway: Annotated[str, typer.Argument(help="perfectpay, hotmart, kiwify, stripe, ...")],
    secret: Annotated[
        str | None,
        typer.Option(
            envvar=_VARIABLE,
            help=f"{_HELP} Leave it out when the platform shows it only after it was given "
            "the address; set it then with `gateway secret`.",
        ),
    ] = None,
    secret_from: SecretFrom = None,
    funnel: Annotated[str | None, typer.Option(help="Funnel, by name or id.")] = None,
    json: Json = False,
) -> None:
    """Connect a payment platform; prints the webhook address to paste there."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            value = secret if secret_from is None else reference(secret_from)
            connection = await onboarding.connect_gateway(owner.id, gateway, value, funnel=funnel)
            return _row(connection, here.settings.base_url)

    show_one(run(work()), json=json)


@app.command(name="secret")
def set_secret(
    tenant: TenantName,
    connection: ConnectionId,
    secret: Annotated[
        str | None,
        typer.Option(envvar=_VARIABLE, help=f"{_HELP} Asked for when left out."),
    ] = None,
    secret_from: SecretFrom = None,
    json: Json = False,
) -> None:
    """Set a connection's secret; one before it stays valid for two days."""

    async def work() -> Row:
        async with open_installation() as here, here.onboarding() as onboarding:
            owner = await here.tenant(tenant)
            connection_id = parse_uuid(connection, "CONNECTION")
            value = given(secret, secret_from, "Secret", variable=_VARIABLE)
            changed = await onboarding.set_secret(owner.id, connection_id, value)
            return _row(changed, here.settings.base_url)

    show_one(run(work()), json=json)


@app.command()
def rotate(
    tenant: TenantName,
    connection: ConnectionId,
    json: Json = False,
) -> None:
    """Give a connection another webhook address; the old one answers 404 within ten seconds.

    Have the platform's page open: what it sends between this and the pasting is refused, and most
    platforms send it again.
    """

    async def work() -> Row:
        async with open_upkeep(tenant) as (here, upkeep):
            changed = await upkeep.rotate_gateway(parse_uuid(connection, "CONNECTION"))
            return _row(changed, here.settings.base_url)

    show_one(run(work()), json=json)


@app.command()
def disconnect(
    tenant: TenantName,
    connection: ConnectionId,
    json: Json = False,
) -> None:
    """Retire a webhook address: it answers 404 within ten seconds; what it brought stays."""

    async def work() -> Row:
        async with open_upkeep(tenant) as (_, upkeep):
            await upkeep.disconnect_gateway(parse_uuid(connection, "CONNECTION"))
        return {"disconnected": connection}

    show_one(run(work()), json=json)


@app.command(name="list")
def list_(tenant: TenantName, json: Json = False) -> None:
    """List a tenant's gateway connections with their webhook addresses."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            known = await list_connections(view.tx, view.here.envelope, tenant_id=view.tenant_id)
        return [_row(connection, view.here.settings.base_url) for connection in known]

    empty = "No gateways yet. Connect one: trackai gateway connect TENANT GATEWAY"
    show(run(work()), json=json, empty=empty)


def _row(connection: GatewayConnection, base_url: str) -> Row:
    path = f"/api/v1/webhooks/{connection.gateway}/{connection.endpoint_key}"
    return {
        "connection_id": connection.id,
        "gateway": connection.gateway,
        "funnel_id": connection.funnel_id,
        "webhook_url": base_url + path,
        "secret_set": bool(connection.secrets),
        "click_parameter": gateway_named(connection.gateway).click_parameters[0],
    }
