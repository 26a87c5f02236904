"""What next after a try: done, again at a later time, or given up with a reason.

Pauses are exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS
Architecture Blog 2015): a random part of the doubled pause, so that many failures do not come
back together. A destination's own Retry-After is a lower bound.
"""

import datetime as dt
from dataclasses import dataclass
from typing import assert_never

from trackai.model.delivery import Accepted, Deferred, Outcome, Rejected

FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 900.0
# The smallest pause: even a lucky jitter does not hammer a destination that just failed.
LEAST_PAUSE_S = 1.0

# Meta refuses events older than 7 days, and the whole request with them (Conversions API,
# "event_time"). An hour is kept for the request itself and for clocks that differ.
EVENT_LIFETIME = dt.timedelta(days=7) - dt.timedelta(hours=1)

TOO_OLD = "event_too_old"
EXHAUSTED = "tries_exhausted"

# Tries that may fail through a delivery's own fault before it is given up.
TRIES = 5


@dataclass(frozen=True, slots=True)
class Done:
    """The destination has it."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again, not before this time."""

    at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Given up; stays visible and can be replayed."""

    reason: str


Next = Done | RetryAt | DeadLetter


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a delivery stands after a try.

    `failed_tries` counts, this one included, those that failed while the destination was well:
    an outage, a refused token or a pause that the platform asks for uses none up.
    """

    attempts: int  # tries, this one included
    failed_tries: int
    event_time: dt.datetime
    now: dt.datetime


def next_step(outcome: Outcome, standing: Standing, jitter: float, tries: int = TRIES) -> Next:
    """Return what comes next; `jitter` is a random number in [0, 1)."""
    match outcome:
        case Accepted():
            return Done()
        case Rejected(reason=reason):
            return DeadLetter(reason)
        case Deferred(reason=reason, retry_after_s=retry_after_s):
            at = standing.now + _pause(standing.attempts, retry_after_s or 0.0, jitter)
            if at >= standing.event_time + EVENT_LIFETIME:
                return DeadLetter(TOO_OLD)
            if standing.failed_tries >= tries:
                return DeadLetter(EXHAUSTED)
            return RetryAt(at, reason)
        case _:
            assert_never(outcome)


def _pause(attempts: int, retry_after_s: float, jitter: float) -> dt.timedelta:
    doubled = min(FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 32), LONGEST_PAUSE_S)
    return dt.timedelta(seconds=max(doubled * jitter, retry_after_s, LEAST_PAUSE_S))
