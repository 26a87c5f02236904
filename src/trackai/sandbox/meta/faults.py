"""Failures on order: what goes wrong, how often and for which dataset."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from trackai.sandbox.meta.words import LOCALES

_MAX_FAULTS = 1_000
_MAX_STALL_S = 600.0
_MAX_PAUSE_S = 7 * 86_400
_ERROR_STATUSES = range(400, 600)


class Fault(StrEnum):
    """What can be made to go wrong."""

    HTTP_500 = "http_500"  # Graph's own "unknown error", nothing stored
    HTTP_503_HTML = "http_503_html"  # a page of some proxy before Graph, nothing stored
    THROTTLE = "throttle"  # code 4, application limit, X-App-Usage at 100
    THROTTLE_BUC = "throttle_buc"  # code 80004 with minutes to wait in X-Business-Use-Case-Usage
    THROTTLE_429 = "throttle_429"  # code 4 as HTTP 429, with Retry-After
    GARBAGE = "garbage"  # 200 and bytes that are no JSON, nothing stored
    ERROR = "error"  # any code, subcode and status: what the others do not cover
    TIMEOUT = "timeout"  # no answer for `seconds`, nothing stored
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - code 190/463 whatever the token
    BAD_EVENT = "bad_event"  # a batch with this event_id in it is refused, without its index
    ANSWER_LOST = "answer_lost"  # stored, then the connection is cut before any answer
    USAGE = "usage"  # stored and answered, with `percent` of the account's limit used
    TRUNCATED_JSON = "truncated_json"  # stored, and half of the answer's body
    ENDLESS = "endless"  # insights name a next page for ever, and it is the same one
    LOCALIZED = "localized"  # the next refusal is worded in `locale`


# Happen before the request is looked at.
OUTAGES = frozenset(
    {
        Fault.HTTP_500,
        Fault.HTTP_503_HTML,
        Fault.THROTTLE,
        Fault.THROTTLE_BUC,
        Fault.THROTTLE_429,
        Fault.GARBAGE,
        Fault.ERROR,
        Fault.TIMEOUT,
        Fault.TOKEN_EXPIRED,
    }
)
# Happen after the events were stored.
LOSSES = frozenset({Fault.ANSWER_LOST, Fault.TRUNCATED_JSON, Fault.USAGE})


class Script(msgspec.Struct, forbid_unknown_fields=True):
    """One ordered failure; `times` None means until the next reset."""

    kind: Fault
    times: int | None = 1
    match: str | None = None  # this dataset only
    seconds: float = 30.0  # timeout
    # throttle_buc: estimated_time_to_regain_access; whole at Meta, a fraction saves waiting
    minutes: float = 1
    retry_after: int = 1  # throttle_429: seconds
    percent: int = 90  # usage
    event_id: str = ""  # bad_event
    code: int = 1  # error
    subcode: int | None = None  # error
    status: int = 400  # error
    transient: bool = False  # error
    locale: str = "pt"  # localized

    def check(self) -> None:
        """Raise ValueError when a value cannot be acted on."""
        if self.times is not None and self.times < 1:
            raise ValueError("times must be 1 or more, or null for ever")
        if not 0 <= self.seconds <= _MAX_STALL_S:
            raise ValueError(f"seconds must be 0 to {_MAX_STALL_S:.0f}")
        if not 0 <= self.retry_after <= _MAX_PAUSE_S or not 0 <= self.minutes <= _MAX_PAUSE_S / 60:
            raise ValueError("retry_after and minutes must be 0 to seven days")
        if self.status not in _ERROR_STATUSES:
            raise ValueError("status must be 400 to 599")
        if self.locale not in LOCALES:
            raise ValueError(f"locale must be one of {', '.join(LOCALES)}")
        if self.kind is Fault.BAD_EVENT and not self.event_id:
            raise ValueError("bad_event needs event_id")


class Faults:
    """The failures still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._scripts: list[Script] = []

    def add(self, script: Script) -> None:
        """Order a failure; ValueError when it cannot be acted on."""
        script.check()
        if len(self._scripts) >= _MAX_FAULTS:
            raise ValueError("too many failures are ordered already")
        self._scripts.append(script)

    def clear(self) -> None:
        """Forget all that is still to come."""
        self._scripts.clear()

    def take(
        self,
        kinds: frozenset[Fault],
        dataset: str,
        also: Callable[[Script], bool] = lambda _script: True,
    ) -> Script | None:
        """Return the first failure of these kinds for this dataset, and count it as happened."""
        for script in self._scripts:
            wanted = script.kind in kinds and script.match in (None, dataset)
            if wanted and also(script):
                self._count(script)
                return script
        return None

    def _count(self, script: Script) -> None:
        if script.times is None:
            return
        script.times -= 1
        if script.times == 0:
            self._scripts.remove(script)
