"""`trackai webhooks`: what was received, what could not be used, and working on it again."""

from typing import Annotated

import typer

from trackai.cli.installation import actor, open_tenant, parse_uuid, run
from trackai.cli.output import Json, Limit, Row, TenantName, show, show_one
from trackai.errors import InvalidField, NotFound
from trackai.model.clock import SystemClock, new_id
from trackai.privacy.masking import mask_body, mask_headers, mask_query
from trackai.storage import receipts, rejections
from trackai.storage.audit_logs import Scribe
from trackai.storage.receipts import Receipt, ReceiptState

app = typer.Typer(no_args_is_help=True, help="Received webhooks.")


@app.command(name="list")
def list_(
    tenant: TenantName,
    state: Annotated[ReceiptState | None, typer.Option(help="Only in this state.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List received webhooks, newest first."""
    empty = "No webhooks yet."
    show(run(_lines(tenant, state, limit)), json=json, empty=empty)


@app.command()
def failed(tenant: TenantName, limit: Limit = 50, json: Json = False) -> None:
    """List authentic webhooks that could not be parsed or processed; they are kept."""
    empty = "None: every authentic webhook was understood."
    show(run(_lines(tenant, ReceiptState.FAILED, limit)), json=json, empty=empty)


@app.command()
def rejected(tenant: TenantName, limit: Limit = 50, json: Json = False) -> None:
    """List webhooks whose authenticity was not proved, with the reason; kept for a day."""

    async def work() -> list[Row]:
        async with open_tenant(tenant) as view:
            return list(
                await rejections.list_rejections(view.tx, tenant_id=view.tenant_id, limit=limit)
            )

    show(run(work()), json=json, empty="None: every webhook proved authentic.")


@app.command(name="show")
def show_receipt(
    tenant: TenantName,
    receipt: Annotated[str, typer.Argument(help="Receipt id, from `webhooks list`.")],
    reveal: Annotated[
        bool, typer.Option("--reveal", help="As it was received, with the buyer's data.")
    ] = False,
    json: Json = False,
) -> None:
    """Print a webhook, the buyer's personal data masked. Who looks is written down."""

    async def work() -> Row:
        async with open_tenant(tenant) as view:
            found = await receipts.find_receipt(
                view.tx,
                view.here.envelope,
                tenant_id=view.tenant_id,
                receipt_id=parse_uuid(receipt, "RECEIPT"),
            )
            if found is None:
                raise NotFound("The tenant has no such webhook. List them: trackai webhooks list")
            scribe = Scribe(view.tenant_id, actor(), SystemClock(), new_id)
            details = {"gateway": found.gateway, "revealed": reveal}
            await scribe.note(view.tx, "webhooks.show", found.id, details)
        return {
            "receipt_id": found.id,
            "gateway": found.gateway,
            "received_at": found.received_at,
            "erased_at": found.erased_at,
            **(_plain(found) if reveal else _masked(found)),
        }

    show_one(run(work()), json=json)


@app.command()
def reprocess(
    tenant: TenantName,
    receipt: Annotated[
        list[str] | None, typer.Option(help="Receipt id; may be given several times.")
    ] = None,
    state: Annotated[ReceiptState | None, typer.Option(help="All in this state.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every receipt.")] = False,
    json: Json = False,
) -> None:
    """Compute again from the stored bytes; what is right already stays as it is."""
    if not (receipt or state or everything):
        raise InvalidField("Say which: --receipt ID, --state failed, or --all.", field="receipt")
    ids = [parse_uuid(text, "RECEIPT") for text in receipt] if receipt else None

    async def work() -> Row:
        async with open_tenant(tenant) as view:
            put_back = await receipts.reprocess_receipts(
                view.tx, tenant_id=view.tenant_id, ids=ids, state=state, now=SystemClock().now()
            )
            erased = await receipts.count_erased(
                view.tx, tenant_id=view.tenant_id, ids=ids, state=state
            )
        # What was erased at a person's request has no bytes to compute from.
        return {"receipts_put_back": put_back, **({"erased": erased} if erased else {})}

    show_one(run(work()), json=json)


def _plain(found: Receipt) -> Row:
    return {
        "query": found.request.query,
        "headers": dict(found.request.headers),
        "body": found.body.decode("utf-8", "replace"),
    }


def _masked(found: Receipt) -> Row:
    return {
        "query": mask_query(found.request.query),
        "headers": mask_headers(found.request.headers),
        "body": mask_body(found.body),
    }


async def _lines(tenant: str, state: ReceiptState | None, limit: int) -> list[Row]:
    async with open_tenant(tenant) as view:
        lines = await receipts.list_receipts(
            view.tx, tenant_id=view.tenant_id, state=state, limit=limit
        )
    return [
        {
            "receipt_id": line.id,
            "gateway": line.gateway,
            "state": line.state,
            "reason": line.reason,
            "event": line.event,
            "repeats": line.repeats,
            "attempts": line.attempts,
            "received_at": line.received_at,
            "erased_at": line.erased_at,
        }
        for line in lines
    ]
