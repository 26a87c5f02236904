"""`trackai explain`: why a sale is matched to its click, or to none."""

from typing import Annotated

import typer

from trackai.cli.installation import open_tenant, run
from trackai.cli.output import Json, TenantName, show, show_one
from trackai.matching.explain import Explanation, parse_conversion
from trackai.matching.explain import explain as explanation_of


def explain(
    tenant: TenantName,
    conversion: Annotated[
        str, typer.Argument(help="Conversion id, or gateway:transaction.", metavar="CONVERSION")
    ],
    json: Json = False,
) -> None:
    """Explain a match: every rung of the ladder, what was tried and what was found."""

    async def work() -> Explanation:
        async with open_tenant(tenant) as view:
            return await explanation_of(
                view.tx, tenant_id=view.tenant_id, conversion=parse_conversion(conversion)
            )

    found = run(work())
    if json:
        show_one(found, json=True)
        return
    ladder = found.pop("ladder")
    show_one(found, json=False)
    print()
    rows = [
        {
            **{name: rung[name] for name in ("rung", "shared", "result", "meaning", "confidence")},
            "looked_at": ", ".join(click["click_id"] for click in rung["looked_at"]),
        }
        for rung in (ladder if isinstance(ladder, list) else [])
    ]
    show(rows, json=False, empty="Not decided yet.")
