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
    """Make a UUIDv7 (RFC 9562, section 6.2, method 3): Unix time in 1/4096 ms, then 62 random bits.

    Ordered by time of creation, so that inserts stay at the index's right edge and what one process
    makes within a millisecond sorts as it was made.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds << 80) | (0x7 << 76) | ((nanoseconds << 12) // 1_000_000 << 64)
    return uuid.UUID(int=value | (0b10 << 62) | (int.from_bytes(os.urandom(8)) >> 2))
