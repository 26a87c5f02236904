"""The program `trackai`: one file a command group. Also a place that wires parts together."""

import sys

from trackai.cli.main import app
from trackai.errors import ConfigurationError, TrackaiError
from trackai.telemetry.logging import configure_logging

# Exit statuses that scripts can rely on; 2 is also what wrong usage gives.
FAILED = 1
CONFIGURATION = 2


def main() -> None:
    """Run the command line; expected errors become one sentence and an exit status."""
    # Commands speak through their output; the long-running ones set up logs as settings say.
    configure_logging(json=False, level="WARNING")
    try:
        app()
    except ConfigurationError as error:
        print(f"trackai: {error}", file=sys.stderr)
        sys.exit(CONFIGURATION)
    except TrackaiError as error:
        print(f"trackai: {error} [{error.code}]", file=sys.stderr)
        sys.exit(FAILED)
