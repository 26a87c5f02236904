"""Switches traces on for the length of a process, when the settings name a collector."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from trackai.errors import ConfigurationError
from trackai.settings import Settings
from trackai.telemetry import tracing
from trackai.telemetry.logging import get_logger


@contextmanager
def reporting_traces(settings: Settings, role: str) -> Iterator[None]:
    """Report traces for the length of a block; what waits at its end is sent, for a moment."""
    if settings.traces_url is None:
        yield
        return
    try:
        from trackai.telemetry.otel import Traces, otlp  # noqa: PLC0415 - not always installed
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "TRACKAI_TRACES_URL needs OpenTelemetry, which is not installed. "
            "Install it: pip install 'trackai[otel]'"
        ) from error
    facts = {
        "deployment.environment.name": settings.environment.value,
        "service.instance.id": f"{role}@{socket.gethostname()}:{os.getpid()}",
    }
    traces = Traces(otlp(settings.traces_url), facts)
    tracing.report_to(traces.report, ratio=settings.traces_ratio)
    get_logger().info("traces", ratio=settings.traces_ratio)
    try:
        yield
    finally:
        tracing.report_to(None)
        traces.close()
