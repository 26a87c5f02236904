"""`trackai conversions`: a tenant's sales."""

from typing import Annotated

import typer

from trackai.cli.installation import open_tenant, run
from trackai.cli.output import Json, Limit, Row, TenantName, money, show
from trackai.storage import conversions

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
    show(run(_rows(tenant, gateway, status, limit)), json=json, empty="No conversions yet.")


async def _rows(tenant: str, gateway: str | None, status: str | None, limit: int) -> list[Row]:
    async with open_tenant(tenant) as view:
        rows = await conversions.list_conversions(
            view.tx, tenant_id=view.tenant_id, gateway=gateway, status=status, limit=limit
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
