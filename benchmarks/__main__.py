"""`python -m benchmarks [--only NAMES] [--quick]`: one table, then one line of JSON."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import FrameType

from benchmarks import (
    alarms,
    analytics,
    counting,
    dispatch,
    ingest,
    match,
    metering,
    pages,
    payload,
    queue,
    script,
    telemetry,
    webhook,
)
from benchmarks.figures import Figure, Size, as_json, print_table
from trackai.telemetry.logging import configure_logging


def _payload(_size: Size) -> list[Figure]:
    return [
        Figure(name, value, "building bodies against Meta's own SDK", at_least=4)
        for name, value in payload.run().items()
    ]


def _analytics(size: Size) -> list[Figure]:
    return [*analytics.run(size), *counting.run(size)]


BENCHMARKS: Mapping[str, Callable[[Size], list[Figure]]] = {
    "ingest": ingest.run,
    "webhook": webhook.run,
    "match": match.run,
    "match10m": match.run_large,
    "script": script.run,
    "dispatch": dispatch.run,
    "queue": queue.run,
    "payload": _payload,
    "analytics": _analytics,
    "pages": pages.run,
    "alarms": alarms.run,
    "telemetry": telemetry.run,
    "metrics": metering.run,
}


# Takes a quarter of an hour.
ON_DEMAND = frozenset({"match10m"})


def main() -> int:
    """Run what was asked for, in the table's order."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help=f"comma-separated: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="smoke run; numbers mean nothing")
    parser.add_argument("--rows", type=int, help="tries that analytics loads")
    asked = parser.parse_args()
    names = [name.strip() for name in asked.only.split(",") if name.strip()] or [
        name for name in BENCHMARKS if name not in ON_DEMAND
    ]
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, _as_interrupt)
    configure_logging(json=False, level="WARNING")
    size = Size.quick() if asked.quick else Size()
    size = replace(size, rows=asked.rows) if asked.rows else size
    figures: list[Figure] = []
    try:
        for name, benchmark in BENCHMARKS.items():
            if name in names:
                print(f"{name} ...", file=sys.stderr, flush=True)
                figures += benchmark(size)
    except KeyboardInterrupt:
        print("Stopped; everything that was started is closed and removed.", file=sys.stderr)
        return 130
    print_table(figures)
    print(as_json(figures))
    return 0


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
