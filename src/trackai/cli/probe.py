"""`trackai probe`: asks the process beside it how it is, for what watches containers.

It speaks HTTP to an address of this machine and opens neither the database nor keys.
"""

import http.client
from typing import Annotated

import typer

from trackai.errors import ConfigurationError, TrackaiError
from trackai.settings import PREFIX, Settings, load_settings
from trackai.telemetry.exposition import PATH as METRICS_PATH

# An answer that takes longer is none; the readiness probe waits for the database less than that.
TIMEOUT_S = 5.0
# Addresses that mean all of a machine's, and where to ask then.
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not listened on


class NotWell(TrackaiError):
    """The process does not answer, or says that it cannot work."""

    code = "not_well"


def probe(
    ready: Annotated[
        bool, typer.Option("--ready", help="Also ask whether it can take requests: /readyz.")
    ] = False,
    worker: Annotated[
        bool, typer.Option("--worker", help="Ask a worker, at TRACKAI_METRICS_PORT.")
    ] = False,
) -> None:
    """Ask the server of these settings whether it runs; exit status 1 when it does not."""
    settings = load_settings()
    host, port, path = _metrics(settings) if worker else _server(settings, ready=ready)
    status = _ask(ANYWHERE.get(host, host), port, path)
    if status != http.HTTPStatus.OK:
        raise NotWell(f"{path} on port {port} answered {status}.")
    print("ok")


def _server(settings: Settings, *, ready: bool) -> tuple[str, int, str]:
    if not settings.port:
        raise ConfigurationError(f"{PREFIX}PORT=0 takes any port: name one to be asked at.")
    return settings.host, settings.port, "/readyz" if ready else "/healthz"


def _metrics(settings: Settings) -> tuple[str, int, str]:
    if not settings.metrics_port:
        raise ConfigurationError(f"{PREFIX}METRICS_PORT must be set: a worker answers only there.")
    return settings.metrics_host, settings.metrics_port, METRICS_PATH


def _ask(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotWell(f"Nobody answers on port {port}: {type(error).__name__}.") from error
    finally:
        connection.close()
