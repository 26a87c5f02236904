"""Writes metrics to standard output, where what collects logs finds them. Beside logs, not in them.

Lines are few and shorter than what a pipe takes at once, so that those of several processes never
mix. One that cannot be written is left out: metrics must not stop the work.
"""

import contextlib
import datetime as dt
import sys
from typing import TextIO

from trackai.alarms.engines.cloudwatch import Place
from trackai.alarms.engines.emf import Values, line_of

# Who looks at alarms speaks for all processes.
INSTALLATION = "installation"


class MetricsLog:
    """Writes lines for one installation."""

    def __init__(self, place: Place, stream: TextIO) -> None:
        self._place = place
        self._stream = stream

    def write(self, about: str, values: Values, at: dt.datetime) -> None:
        """Write what was measured at one time."""
        if not values:
            return
        line = line_of(self._place, about, values, at)
        # A stream that is closed raises a ValueError, one that nobody reads an OSError.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{line}\n")
            self._stream.flush()


def open_metrics_log(environment: str, base_url: str, *, on: bool) -> MetricsLog | None:
    """Return what writes to standard output, None when nobody wants it."""
    return MetricsLog(Place(environment, base_url), sys.stdout) if on else None
