"""`trackai deliveries`: events owed to destinations, and what became of them."""

from typing import Annotated

import typer

from trackai.cli.installation import open_installation, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, TenantName, show
from trackai.model.delivery import DeliveryStatus
from trackai.storage import deliveries, dispatch_attempts
from trackai.storage.pool import Role

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
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            async with database.transaction(tenant_id=owner.id) as tx:
                rows = await deliveries.list_deliveries(
                    tx, tenant_id=owner.id, status=status, limit=limit
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
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            async with database.transaction(tenant_id=owner.id) as tx:
                rows = await dispatch_attempts.list_attempts(
                    tx, tenant_id=owner.id, delivery_id=parse_uuid(delivery, "DELIVERY")
                )
            return [dict(row) for row in rows]

    show(run(work()), json=json, empty="Not tried yet, or no such delivery.")
