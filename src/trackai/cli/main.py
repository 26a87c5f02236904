"""All command groups of `trackai`, in the order that help shows them."""

from importlib.metadata import version
from typing import Annotated

import typer

from trackai.cli import (
    audit,
    conversions,
    database,
    deliveries,
    destination,
    dlq,
    doctor,
    explain,
    funnel,
    gateway,
    jobs,
    key,
    privacy,
    quality,
    queue,
    sandbox,
    serve,
    tag,
    tenant,
    webhooks,
)
from trackai.cli.demo.command import demo

app = typer.Typer(
    name="trackai",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        print(f"trackai {version('trackai')}")
        raise typer.Exit


@app.callback()
def program(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Server-side conversion tracking: ad click to payment webhook to Meta."""


app.command()(serve.up)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(database.migrate)
app.command()(doctor.doctor)
app.command()(demo)
app.add_typer(tenant.app, name="tenant")
app.add_typer(funnel.app, name="funnel")
app.command()(tag.tag)
app.add_typer(gateway.app, name="gateway")
app.add_typer(destination.app, name="destination")
app.add_typer(conversions.app, name="conversions")
app.command()(explain.explain)
app.command()(quality.quality)
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(dlq.app, name="dlq")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(key.app, name="key")
app.add_typer(audit.app, name="audit")
app.add_typer(privacy.app, name="privacy")
app.add_typer(queue.app, name="queue")
app.add_typer(jobs.app, name="jobs")
app.add_typer(sandbox.app, name="sandbox")
app.command(name="secret-key")(database.secret_key)
app.command()(database.rekey)
