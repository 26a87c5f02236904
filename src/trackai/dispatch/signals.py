"""What a call's outcomes say of the destination, and of whose fault a failed try was. No I/O."""

import datetime as dt
from collections.abc import Sequence

from trackai.dispatch.breaker import Failed, Refused, Signal, Succeeded, Throttled
from trackai.model.delivery import Accepted, Deferred, ErrorClass, Outcome, Rejected

# A platform that asks for a pause without saying how long gets this one.
THROTTLE_PAUSE = dt.timedelta(seconds=30)
# From this status on it is the platform that is broken, not the request.
_BROKEN = 500


def signals_of(outcomes: Sequence[Outcome]) -> list[Signal]:
    """Return what a call says to the breakers: a yes before a no, each at most once.

    A call ends with the first answer that is a no for all, so there is one at most. What was
    refused without asking the platform says nothing.
    """
    signals: list[Signal] = []
    if any(_answered(one) for one in outcomes):
        signals.append(Succeeded())
    for outcome in outcomes:
        if isinstance(outcome, Deferred) and (signal := _trouble(outcome)) is not None:
            return [*signals, signal]
    ease_s = max((one.facts.ease_s for one in outcomes), default=0.0)
    if ease_s > 0:
        signals.append(Throttled(dt.timedelta(seconds=ease_s)))
    return signals


def counts(outcome: Outcome, *, well: bool) -> bool:
    """Tell whether this failed try is the delivery's own: the destination was and is well."""
    return well and isinstance(outcome, Deferred) and outcome.error_class is ErrorClass.TRANSIENT


def _answered(outcome: Outcome) -> bool:
    return isinstance(outcome, Accepted | Rejected) and outcome.facts.http_status is not None


def _trouble(outcome: Deferred) -> Signal | None:
    match outcome.error_class:
        case ErrorClass.TRANSIENT:
            status = outcome.facts.http_status
            return Failed(outcome.reason, at_host=status is None or status >= _BROKEN)
        case ErrorClass.THROTTLED:
            return Throttled(_pause(outcome) or THROTTLE_PAUSE)
        case ErrorClass.AUTH:
            return Refused(outcome.reason, _pause(outcome))
        case _:
            return None


def _pause(outcome: Deferred) -> dt.timedelta | None:
    if outcome.retry_after_s is None:
        return None
    return dt.timedelta(seconds=outcome.retry_after_s)
