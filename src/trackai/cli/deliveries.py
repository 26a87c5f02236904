"""`trackai deliveries`: events owed to destinations, and what became of them."""

from typing import Annotated

import typer

from trackai.cli.installation import open_tenant, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, TenantName, show
from trackai.model.delivery import DeliveryStatus
from trackai.storage import deliveries, dispatch_attempts

app = typer.Typer(no_args_is_help=True, help="Events owed to destinations.")


@app.command(name="list")
def list_(
    tenant: TenantName,
    status: Annotated[DeliveryStatus | None, typer.Option(help="Only of this status.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List deliveries, newest first."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            rows = await deliveries.list_deliveries(
                view.tx, tenant_id=view.tenant_id, status=status, limit=limit
            )
        return [dict(row) for row in rows]

    show(run(work()), json=json, empty="No deliveries.")


@app.command()
def attempts(
    tenant: TenantName,
    delivery: Annotated[str, typer.Argument(help="Delivery id, from `deliveries list`.")],
    json: Json = False,
) -> None:
    """List every try of one delivery with the destination's answer."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            rows = await dispatch_attempts.list_attempts(
                view.tx, tenant_id=view.tenant_id, delivery_id=parse_uuid(delivery, "DELIVERY")
            )
        return [dict(row) for row in rows]

    show(run(work()), json=json, empty="Not tried yet, or no such delivery.")
