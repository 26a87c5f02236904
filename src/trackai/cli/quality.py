"""`trackai quality`: how well events can be matched at Meta, and what would raise it."""

from typing import Annotated

import typer

from trackai.cli.installation import open_tenant, run
from trackai.cli.output import Json, Row, TenantName, show
from trackai.dispatch.quality import MOST_DAYS, EventQuality, qualities
from trackai.model.clock import SystemClock

_MOST_ADVICE = 3


def quality(
    tenant: TenantName,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Of so many days.")] = 7,
    json: Json = False,
) -> None:
    """Estimate match quality by pixel and event, with what would raise it most."""

    async def work() -> list[EventQuality]:
        async with open_tenant(tenant) as view:
            return await qualities(
                view.tx, tenant_id=view.tenant_id, days=days, now=SystemClock().now()
            )

    show(
        [_row(found, json=json) for found in run(work())],
        json=json,
        empty="No event was accepted in these days.",
    )


def _row(found: EventQuality, *, json: bool) -> Row:
    summary = found.summary
    advice = summary.advice if json else summary.advice[:_MOST_ADVICE]
    raises: object = [
        {"keys": list(one.keys), "gain": one.gain / 10, "how": one.how} for one in advice
    ]
    coverage: object = {key: round(share, 3) for key, share in summary.coverage.items()}
    if not json:
        raises = "; ".join(f"+{one.gain / 10} {'+'.join(one.keys)}: {one.how}" for one in advice)
        coverage = " ".join(
            f"{key} {share:.0%}" for key, share in summary.coverage.items() if share
        )
    return {
        "pixel_id": found.pixel_id,
        "event_name": found.event_name,
        "events": summary.events,
        "score": summary.tenths / 10,
        "coverage": coverage,
        "raises_it": raises,
    }
