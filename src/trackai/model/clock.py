"""Time and identifiers, injected everywhere so that tests own both."""

import datetime as dt
import os
import time
import uuid
from collections.abc import Callable
from typing import Protocol

UTC = dt.UTC

NewId = Callable[[], uuid.UUID]


class Clock(Protocol):
    """Where a stage gets the time from."""

    def now(self) -> dt.datetime:
        """Return the current time with zone UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        """Return the current time with zone UTC."""
        return dt.datetime.now(UTC)  # noqa: TID251 - the one place that reads it


def new_id() -> uuid.UUID:
    """Make a UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits.

    Ordered by time of creation to the millisecond, so inserts stay at the index's right edge.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=value)
