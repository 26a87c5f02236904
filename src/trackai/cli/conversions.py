"""`trackai conversions`: a tenant's sales."""

from typing import Annotated

import typer

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, Limit, Row, TenantName, money, show
from trackai.storage import conversions
from trackai.storage.pool import Role

app = typer.Typer(no_args_is_help=True, help="A tenant's sales.")


@app.command(name="list")
def list_(
    tenant: TenantName,
    gateway: Annotated[str | None, typer.Option(help="Only this gateway's.")] = None,
    status: Annotated[str | None, typer.Option(help="Only of this status.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List sales, newest first: status, match, and how many destinations have accepted them."""

    async def work() -> list[Row]:
        async with open_installation() as here, here.database(Role.APP) as database:
            owner = await here.tenant(tenant)
            async with database.transaction(tenant_id=owner.id) as tx:
                rows = await conversions.list_conversions(
                    tx, tenant_id=owner.id, gateway=gateway, status=status, limit=limit
                )
            return [
                {
                    "conversion_id": row["id"],
                    "gateway": row["gateway"],
                    "transaction": row["transaction"],
                    "status": row["status"],
                    "amount": money(row["amount_minor"], row["currency"]),
                    "product": row["product_name"],
                    "match": row["strategy"],
                    "click_id": row["click_id"],
                    "accepted": row["accepted"],
                    "sold_at": row["sold_at"],
                    "first_seen_at": row["first_seen_at"],
                }
                for row in rows
            ]

    show(run(work()), json=json, empty="No conversions yet.")
