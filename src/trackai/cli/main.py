"""All command groups of `trackai`, in the order that help shows them."""

from importlib.metadata import version
from typing import Annotated

import typer

from trackai.cli.lazy import lazy_group

# Where each command is.
PLACES = {
    "up": "trackai.cli.serve:up",
    "serve": "trackai.cli.serve:serve",
    "worker": "trackai.cli.serve:worker",
    "migrate": "trackai.cli.database:migrate",
    "doctor": "trackai.cli.doctor:doctor",
    "probe": "trackai.cli.probe:probe",
    "smoke": "trackai.cli.smoke:smoke",
    "baseline": "trackai.cli.baseline:app",
    "golive": "trackai.cli.golive:app",
    "demo": "trackai.cli.demo.command:demo",
    "tenant": "trackai.cli.tenant:app",
    "funnel": "trackai.cli.funnel:app",
    "tag": "trackai.cli.tag:tag",
    "gateway": "trackai.cli.gateway:app",
    "destination": "trackai.cli.destination:app",
    "conversions": "trackai.cli.conversions:app",
    "explain": "trackai.cli.explain:explain",
    "quality": "trackai.cli.quality:quality",
    "analytics": "trackai.cli.analytics:app",
    "ads": "trackai.cli.ads:app",
    "deliveries": "trackai.cli.deliveries:app",
    "dlq": "trackai.cli.dlq:app",
    "webhooks": "trackai.cli.webhooks:app",
    "user": "trackai.cli.user:app",
    "key": "trackai.cli.key:app",
    "audit": "trackai.cli.audit:app",
    "privacy": "trackai.cli.privacy:app",
    "queue": "trackai.cli.queue:app",
    "jobs": "trackai.cli.jobs:app",
    "alarms": "trackai.cli.alarms:app",
    "flags": "trackai.cli.flags:app",
    "cloudwatch": "trackai.cli.cloudwatch:app",
    "logs": "trackai.cli.logs:logs",
    "backup": "trackai.cli.backup:app",
    "sandbox": "trackai.cli.sandbox:app",
    "bench": "trackai.cli.bench:app",
    "secret-key": "trackai.cli.database:secret_key",
    "rekey": "trackai.cli.database:rekey",
}


app = typer.Typer(
    name="trackai",
    cls=lazy_group(PLACES),
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
