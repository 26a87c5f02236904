"""Structured logs: JSON for machines, readable lines on a terminal, never personal data.

Ids are bound by the caller. As a second line of defence, values under keys that could hold
personal data or a secret are replaced before anything is written, and so is what looks like
somebody in any other text. Of many equal lines some are left out, and how many is said.
"""

import io
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ExcInfo, FilteringBoundLogger, Processor, WrappedLogger

from trackai.telemetry.masking import REDACTED, masked, masked_text
from trackai.telemetry.metrics import LOG_LINES
from trackai.telemetry.sampling import Sampler

# Keys whose values never reach a log, whoever logs them.
REDACTED_KEYS = frozenset(
    """authorization body buyer client_ip cookie document email endpoint_key full_name headers
    hottok ip name password payload phone query secret secrets signature token
    user_agent""".split()
)
# Says how many lines were left out; is never left out itself.
LEFT_OUT = "log.left_out"
# What we write ourselves, and what is made into a text later.
_PLAIN_KEYS = frozenset({"timestamp", "level", "exc_info"})

Keep = Callable[[str], None]


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace values of keys that could carry personal data or secrets."""
    for key in event.keys() & REDACTED_KEYS:
        event[key] = REDACTED
    return event


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what looks like somebody, whatever its key."""
    for key, value in event.items():
        if key not in _PLAIN_KEYS:
            event[key] = masked(value, REDACTED_KEYS)
    return event


@dataclass(frozen=True, slots=True)
class _Sampling:
    """Leaves lines out, ours and those of libraries."""

    sampler: Sampler

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        name = event.get("event")
        if name != LEFT_OUT and not self._admits(method, str(name)):
            raise structlog.DropEvent
        return event

    def filter(self, record: logging.LogRecord) -> bool:
        # By the text before it is filled in: what it is filled with makes no other kind of it.
        return self._admits(record.levelname.lower(), f"{record.name}: {record.msg}")

    def _admits(self, level: str, event: str) -> bool:
        admitted = self.sampler.admits(level, event)
        if not admitted:
            LOG_LINES.labels("left_out").inc()
        for one in self.sampler.left_out():
            log = getattr(get_logger(), one.level, get_logger().warning)
            log(LEFT_OUT, of=one.event, left_out=one.number)
        return admitted


@dataclass(frozen=True, slots=True)
class _Kept:
    """Keeps each line as JSON, beside what is shown."""

    keep: Keep

    def of_text(self, _logger: WrappedLogger, _method: str, line: Any) -> str:
        self.keep(line)
        return str(line)

    def of_event(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        found: EventDict = dict(event)
        for step in (structlog.processors.format_exc_info, mask):
            found = step(logger, method, found)
        self.keep(_as_json(found))
        return event


def _as_json(event: EventDict, **_options: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    # Rich's would print every local variable: buyers, tokens.
    text = io.StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(masked_text(text.getvalue()))


def configure_logging(
    *,
    json: bool,
    level: str,
    stream: TextIO = sys.stderr,
    keep: Keep | None = None,
    most_a_second: int = 0,
) -> None:
    """Set up structlog for this process; library logs at WARNING and above join in.

    `keep` takes every line as JSON as well. Of equal lines `most_a_second` are written; 0 = all.
    """
    sampling = _Sampling(Sampler(most_a_second, time.monotonic)) if most_a_second else None
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    renderer = _rendering(json=json, stream=stream, kept=_Kept(keep) if keep else None)
    structlog.configure(
        processors=[*([sampling] if sampling else []), *shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    if sampling:
        handler.addFilter(sampling.filter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _rendering(*, json: bool, stream: TextIO, kept: _Kept | None) -> list[Processor]:
    if json:
        return [
            structlog.processors.format_exc_info,
            mask,
            structlog.processors.JSONRenderer(_as_json),
            *([kept.of_text] if kept else []),
        ]
    return [
        *([kept.of_event] if kept else []),
        mask,
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_traceback),
    ]


def get_logger() -> FilteringBoundLogger:
    """Return the process's logger."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
