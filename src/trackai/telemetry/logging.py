"""Structured logs: JSON for machines, readable lines on a terminal, never personal data.

Ids are bound by the caller. As a second line of defence, values under keys that could hold
personal data or a secret are replaced before anything is written.
"""

import logging
import sys
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

# Keys whose values never reach a log, whoever logs them.
REDACTED_KEYS = frozenset(
    """authorization body buyer client_ip cookie document email endpoint_key full_name headers
    hottok ip name password payload phone query secret secrets signature token
    user_agent""".split()
)
REDACTED = "[redacted]"


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace values of keys that could carry personal data or secrets."""
    for key in event.keys() & REDACTED_KEYS:
        event[key] = REDACTED
    return event


def _as_json(event: EventDict, **_options: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def configure_logging(*, json: bool, level: str, stream: TextIO = sys.stderr) -> None:
    """Set up structlog for this process; library logs at WARNING and above join in."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    renderer: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]
        if json
        else [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(),
                # Rich's would print every local variable: buyers, tokens.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *renderer],
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
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def get_logger() -> FilteringBoundLogger:
    """Return the process's logger."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
