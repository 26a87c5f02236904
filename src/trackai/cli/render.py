"""`trackai alarms render`: what Prometheus, Alertmanager and Grafana are given."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.engines.alertmanager import DEFAULTS, Receivers, render_alertmanager
from trackai.alarms.engines.grafana import render_grafana
from trackai.alarms.engines.place import Place
from trackai.alarms.engines.prometheus import render_example, render_rules
from trackai.alarms.message import LANGUAGES, words_of
from trackai.cli.installation import Installation, open_installation, run
from trackai.errors import ConfigurationError
from trackai.model.alarm import INSTALLATION, Limits
from trackai.settings import Settings, load_settings
from trackai.storage import alarm_choices
from trackai.storage.pool import Role


class Engine(StrEnum):
    """What is rendered for."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    ALL = "all"


def render(
    engine: Annotated[Engine, typer.Argument(help="For which of them.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder that files are written into; default: the main one is printed."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="Where the dashboard is, for links; default: TRACKAI_PUBLIC_URL."),
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="What alerts say of where they are from.")
    ] = None,
    job: Annotated[
        str, typer.Option(help="Under which Prometheus reads the processes, and no others.")
    ] = "trackai",
    language: Annotated[str, typer.Option(help="Of what people read: en or pt.")] = "en",
    chosen: Annotated[
        bool,
        typer.Option(
            "--chosen", help="With the thresholds that this installation chose; asks its database."
        ),
    ] = False,
    mail_to: Annotated[
        str, typer.Option(help="Who has alerts by e-mail, from Alertmanager.")
    ] = DEFAULTS.mail_to,
    heartbeat_url: Annotated[
        str, typer.Option(help="Who is told that the watch works; does not hear it: raises alarm.")
    ] = DEFAULTS.heartbeat_url,
    secrets_dir: Annotated[
        str, typer.Option(help="Where Alertmanager finds the files with its secrets.")
    ] = DEFAULTS.secrets_dir,
) -> None:
    """Render the catalogue of alarms for programs that watch from outside."""
    if language not in LANGUAGES:
        raise ConfigurationError(f"--language is one of: {', '.join(LANGUAGES)}.")
    settings = load_settings()
    place = Place(
        (url or settings.base_url).rstrip("/"),
        environment or settings.environment.value,
        job,
        language,
        words_of(language),
        run(_limits()) if chosen else {},
    )
    receivers = _receivers(settings, mail_to, heartbeat_url, secrets_dir)
    wanted = [one for one in Engine if engine in {one, Engine.ALL} and one is not Engine.ALL]
    files = {name: text for one in wanted for name, text in _files(one, place, receivers).items()}
    if out is None:
        print(next(iter(files.values())), end="")
        return
    for name, text in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(path)


def _files(engine: Engine, place: Place, receivers: Receivers) -> Mapping[str, str]:
    """Return what an engine is given, by file, the main one first."""
    if engine is Engine.PROMETHEUS:
        return {
            "prometheus/trackai.rules.yml": render_rules(place, ALARMS.values()),
            "prometheus/prometheus.yml": render_example(place),
        }
    if engine is Engine.ALERTMANAGER:
        return {"alertmanager/alertmanager.yml": render_alertmanager(place, receivers)}
    return {"grafana/trackai.json": render_grafana(place)}


def _receivers(settings: Settings, mail_to: str, heartbeat_url: str, secrets_dir: str) -> Receivers:
    """Return whom Alertmanager reaches: by our own server for mail, where there is one."""
    server = settings.smtp_host
    return Receivers(
        secrets_dir=secrets_dir.rstrip("/"),
        mail_to=mail_to,
        mail_from=settings.mail_from or DEFAULTS.mail_from,
        smarthost=f"{server}:{settings.smtp_port}" if server else DEFAULTS.smarthost,
        smtp_user=settings.smtp_user or DEFAULTS.smtp_user,
        pagerduty_url=settings.pagerduty_url.rstrip("/"),
        heartbeat_url=heartbeat_url,
    )


async def _limits() -> Mapping[str, Limits]:
    """Return alarm -> what the installation chose for everybody."""
    async with open_installation() as here:
        return await _load(here)


async def _load(here: Installation) -> Mapping[str, Limits]:
    async with here.database(Role.PIPELINE) as database, database.transaction() as tx:
        limits = await alarm_choices.load_limits_all_tenants(tx)
    return {alarm: one for (owner, alarm), one in limits.items() if owner == INSTALLATION}
