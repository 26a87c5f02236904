"""`trackai audit`: who did what to a tenant's things."""

import msgspec
import typer

from trackai.cli.installation import open_tenant, run
from trackai.cli.output import Json, Limit, Row, TenantName, show
from trackai.storage.audit_logs import list_audit

app = typer.Typer(no_args_is_help=True, help="Who did what to a tenant's things.")


@app.command(name="list")
def list_(tenant: TenantName, limit: Limit = 50, json: Json = False) -> None:
    """List deeds, newest first."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            found = await list_audit(view.tx, tenant_id=view.tenant_id, limit=limit)
        rows: list[Row] = [
            {name: value for name, value in row.items() if name != "id"} for row in found
        ]
        return rows if json else [{**row, "details": _told(row["details"])} for row in rows]

    show(run(work()), json=json, empty="Nothing was done yet.")


def _told(details: object) -> str | None:
    """Return a deed's details as compact JSON without what was not said."""
    if not isinstance(details, dict):
        return None
    said = {name: value for name, value in details.items() if value is not None}
    return msgspec.json.encode(said).decode() if said else None


@app.callback()
def _group() -> None:
    """Keep `list` a command of a group."""
