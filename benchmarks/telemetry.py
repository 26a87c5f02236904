"""What logs and traces cost where they stand in hot code, as ratios within a round.

A span that is switched off is held against one counter; lines against the same line without files,
without leaving any out.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import structlog

from benchmarks.figures import Figure, Size, median_ratio
from trackai.model.clock import new_id
from trackai.telemetry import tracing
from trackai.telemetry.log_files import LogFile, Room
from trackai.telemetry.logging import configure_logging, get_logger
from trackai.telemetry.metrics import RECEIPTS
from trackai.telemetry.tracing import Done

TURNS = 2000
_MIB = 1024 * 1024
_ID = new_id()


def run(size: Size) -> list[Figure]:
    """Measure each in turn, round by round."""
    before = structlog.get_config()
    with ExitStack() as stack:
        nowhere = stack.enter_context(Path("/dev/null").open("w", encoding="utf-8"))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(structlog.configure, **before)
        file = LogFile(directory, "bench", new_id(), Room(64 * _MIB, 7))
        rounds = [_round(nowhere, file) for _ in range(max(5, 4 * size.rounds))]
        file.close()
    counter, off, on, line, kept, many = map(list, zip(*rounds, strict=True))
    return [
        Figure("span_off_vs_counter", median_ratio(off, counter), "a span, off", at_most=1),
        Figure("span_on_vs_counter", median_ratio(on, counter), "a span, on, put together"),
        Figure("line_kept_vs_shown", median_ratio(kept, line), "a line, in a file, too", at_most=2),
        Figure(
            "line_of_many_vs_all", median_ratio(many, line), "a line among thousands", at_most=1
        ),
    ]


def _round(nowhere: TextIO, file: LogFile) -> tuple[float, ...]:
    counter, off = _seconds(_count), _seconds(_span)
    told: list[Done] = []
    tracing.report_to(told.append)
    on = _seconds(_span)
    tracing.report_to(None)
    configure_logging(json=True, level="INFO", stream=nowhere)
    line = _seconds(_line)
    configure_logging(json=True, level="INFO", stream=nowhere, keep=file.write)
    kept = _seconds(_line)
    configure_logging(json=True, level="INFO", stream=nowhere, most_a_second=200)
    return counter, off, on, line, kept, _seconds(_line)


def _count() -> None:
    RECEIPTS.labels("kiwify", "processed").inc()


def _span() -> None:
    with tracing.span(tracing.WEBHOOK) as span:
        span.joins(_ID, root=True)
        span.note(gateway="kiwify", repeat=False)


def _line() -> None:
    get_logger().info(
        "delivery.attempted",
        receipt_id=str(_ID),
        tenant_id=str(_ID),
        delivery_id=str(_ID),
        destination="meta",
        gateway="kiwify",
        event_name="Purchase",
        event_id="kiwify:0193abcdef",
        attempt=1,
        outcome="accepted",
        reason=None,
        next="Done",
        http_status=200,
        trace_id="AbCdEf",
        batch_size=1,
        call_ms=12.5,
        whole_ms=33.1,
    )


def _seconds(work: Callable[[], None]) -> float:
    work()
    started = time.perf_counter()
    for _ in range(TURNS):
        work()
    return time.perf_counter() - started
