"""`trackai doctor`: examines the installation and says what to do."""

from typing import Annotated

import typer
from rich.markup import escape

from trackai.cli.installation import open_installation, run
from trackai.cli.output import Json, print_table, write_json
from trackai.destinations.http import open_http
from trackai.destinations.registry import destinations
from trackai.dispatch.referred import referring
from trackai.errors import ConfigurationError, StorageUnavailable
from trackai.model.clock import SystemClock
from trackai.operations.doctor import examine
from trackai.operations.findings import Finding, Patient, State
from trackai.secrets.opening import open_secrets
from trackai.settings import ELSEWHERE, Settings, load_settings
from trackai.storage.pool import Role
from trackai.storage.schema import pending

_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}


def doctor(
    offline: Annotated[bool, typer.Option(help="Do not ask ad platforms about tokens.")] = False,
    json: Json = False,
) -> None:
    """Check every dependency, setting and connection; exit status 1 when one failed."""
    findings = run(_findings(offline=offline))
    if json:
        write_json(findings)
    else:
        _print(findings)
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(1)


async def _findings(*, offline: bool) -> list[Finding]:
    try:
        settings = load_settings()
    except ConfigurationError as error:
        return [Finding("settings", State.FAILED, str(error), "Correct the variables named.")]
    found = [Finding("settings", State.OK, f"environment {settings.environment}")]
    try:
        return found + await _examine(settings, offline=offline)
    except (ConfigurationError, StorageUnavailable) as error:
        to_do = "Correct TRACKAI_DATABASE_URL, or start that database."
        return [*found, Finding("database", State.FAILED, str(error), to_do)]


async def _examine(settings: Settings, *, offline: bool) -> list[Finding]:
    async with (
        open_installation(settings, migrated=not settings.production) as here,
        here.database(Role.PIPELINE) as database,
        open_http() as http,
        open_secrets(settings.secrets_dir) as secrets,
    ):
        clock = SystemClock()
        return await examine(
            Patient(
                database=database,
                envelope=here.envelope,
                destinations=None if offline else referring(destinations(http, clock), secrets),
                clock=clock,
                secrets=None if offline else secrets,
                data_dir=settings.data_dir,
                public_url=settings.public_url,
                pending_migrations=await pending(here.url),
                production=settings.production,
                vault=settings.vault,
                backups_elsewhere=settings.backup_to == ELSEWHERE,
                mail=settings.smtp_host is not None,
            )
        )


def _print(findings: list[Finding]) -> None:
    rows = [
        [one.check, f"[{_COLOURS[one.state]}]{one.state}[/]", escape(one.found), one.to_do]
        for one in findings
    ]
    print_table(["check", "", "found", "what to do"], rows)
