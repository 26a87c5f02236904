"""What Graph's answers mean: one table from code and subcode to a reason, and a reason's verdict.

Texts are localised to the token's owner, so codes decide, never titles. Facts: Meta's error pages,
answers recorded from Graph v26.0, and its SDK's constants (2026). Not here: what happens next.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from trackai.destinations.meta.usage import ease_s, throttle_s
from trackai.model.delivery import ErrorClass


class AnswerReason(StrEnum):
    """Why events were not taken; metric labels."""

    # Not now: the events wait.
    TRANSIENT = "transient_error"
    THROTTLED = "throttled"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - someone must set a new token
    PERMISSION_MISSING = "permission_missing"  # someone must assign the dataset or a scope
    POLICY_BLOCK = "policy_block"
    UNKNOWN = "unknown_answer"  # a code that is in no table
    UNREADABLE = "unreadable_answer"  # not Graph's own words: a proxy's page, a cut body
    COUNT_DIFFERS = "events_received_differs"  # a yes to another number of events
    # Never as it is.
    TOO_OLD = "event_too_old"
    USER_DATA_THIN = "user_data_thin"
    INVALID = "invalid_parameter"
    BAD_REQUEST = "bad_request"
    TOO_LARGE = "event_too_large"


class Verdict(StrEnum):
    """What an answer says of all the events that it answers."""

    ACCEPTED = "accepted"  # taken, all of them
    DEFERRED = "deferred"  # not taken now
    BLAMED = "blamed"  # none taken, because of at least one of them
    HALVE = "halve"  # none taken, because they are too much at once
    REJECTED = "rejected"  # none taken, ever


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in our words; `detail` holds Meta's title and field paths, never a value."""

    verdict: Verdict
    reason: AnswerReason | None = None
    detail: str = ""
    code: int | None = None
    subcode: int | None = None
    trace_id: str | None = None
    retry_after_s: float | None = None
    bad_index: int | None = None  # position of the event that Meta names
    ease_s: float = 0.0  # how long to leave the account alone after a yes: its limit is near
    remarks: int = 0  # messages beside a yes; what they hold is not documented, so it is not kept


# What kind of failure each reason is.
CLASSES: Mapping[AnswerReason, ErrorClass] = MappingProxyType(
    {
        AnswerReason.TRANSIENT: ErrorClass.TRANSIENT,
        AnswerReason.UNKNOWN: ErrorClass.TRANSIENT,
        AnswerReason.UNREADABLE: ErrorClass.TRANSIENT,
        AnswerReason.COUNT_DIFFERS: ErrorClass.TRANSIENT,
        AnswerReason.THROTTLED: ErrorClass.THROTTLED,
        AnswerReason.TOKEN_REFUSED: ErrorClass.AUTH,
        AnswerReason.PERMISSION_MISSING: ErrorClass.AUTH,
        AnswerReason.POLICY_BLOCK: ErrorClass.AUTH,
        AnswerReason.TOO_OLD: ErrorClass.INVALID_EVENT,
        AnswerReason.USER_DATA_THIN: ErrorClass.INVALID_EVENT,
        AnswerReason.INVALID: ErrorClass.INVALID_EVENT,
        AnswerReason.TOO_LARGE: ErrorClass.INVALID_BATCH,
        AnswerReason.BAD_REQUEST: ErrorClass.PERMANENT,
    }
)

# What a failure of this kind says of the events in the request.
_VERDICTS: Mapping[ErrorClass, Verdict] = MappingProxyType(
    {
        ErrorClass.TRANSIENT: Verdict.DEFERRED,
        ErrorClass.THROTTLED: Verdict.DEFERRED,
        ErrorClass.AUTH: Verdict.DEFERRED,
        ErrorClass.INVALID_EVENT: Verdict.BLAMED,
        ErrorClass.INVALID_BATCH: Verdict.HALVE,
        ErrorClass.PERMANENT: Verdict.REJECTED,
    }
)

# (code, subcode) -> reason; subcode None stands for every other subcode and none.
ANSWERS: Mapping[tuple[int, int | None], AnswerReason] = MappingProxyType(
    {
        (-3, None): AnswerReason.TOO_LARGE,
        (1, None): AnswerReason.TRANSIENT,
        (1, 99): AnswerReason.TRANSIENT,
        (2, None): AnswerReason.TRANSIENT,
        (3, None): AnswerReason.PERMISSION_MISSING,
        (4, None): AnswerReason.THROTTLED,
        (10, None): AnswerReason.PERMISSION_MISSING,
        (17, None): AnswerReason.THROTTLED,
        (32, None): AnswerReason.THROTTLED,
        (100, None): AnswerReason.INVALID,
        # The dataset does not exist or is not assigned to the token: the events are good.
        (100, 33): AnswerReason.PERMISSION_MISSING,
        (100, 2804003): AnswerReason.TOO_OLD,
        (100, 2804050): AnswerReason.USER_DATA_THIN,
        (102, None): AnswerReason.TOKEN_REFUSED,
        (104, None): AnswerReason.TOKEN_REFUSED,
        (190, None): AnswerReason.TOKEN_REFUSED,
        (341, None): AnswerReason.THROTTLED,
        (368, None): AnswerReason.POLICY_BLOCK,
        (613, None): AnswerReason.THROTTLED,
        (803, None): AnswerReason.PERMISSION_MISSING,
        (2500, None): AnswerReason.BAD_REQUEST,
        (5000, None): AnswerReason.TRANSIENT,
        **{(code, None): AnswerReason.PERMISSION_MISSING for code in range(200, 300)},
        **{(code, None): AnswerReason.THROTTLED for code in range(80000, 80015)},
    }
)

# Code 100 with this in its message is about the caller's proof, not about an event.
_PROOF = "appsecret_proof"
_INVALID_PARAMETER = 100

# What an HTTP status says where the body says nothing.
_STATUSES: Mapping[int, AnswerReason] = MappingProxyType(
    {
        408: AnswerReason.TRANSIENT,
        413: AnswerReason.TOO_LARGE,
        425: AnswerReason.TRANSIENT,
        429: AnswerReason.THROTTLED,
        **dict.fromkeys(range(500, 600), AnswerReason.TRANSIENT),
    }
)

# A policy block lasts hours; asking again sooner prolongs it.
POLICY_PAUSE_S = 3600.0
# No pause that Meta asks for is believed beyond a day.
LONGEST_PAUSE_S = 86400.0
_DETAIL_LENGTH = 200
_TRACE_LENGTH = 100
_LARGEST = 2**31  # of PostgreSQL's integer
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


class _Error(msgspec.Struct):
    code: int
    message: str | None = None
    error_subcode: int | None = None
    is_transient: bool | None = None
    error_user_title: str | None = None
    error_user_msg: str | None = None
    fbtrace_id: str | None = None


class _Body(msgspec.Struct):
    error: _Error | None = None
    events_received: int | None = None
    messages: list[object] | None = None
    fbtrace_id: str | None = None


_BODY = msgspec.json.Decoder(_Body, strict=False)


def answer_of(status: int, headers: Mapping[str, str], body: bytes, *, sent: int) -> Answer:
    """Return what an answer to `sent` events says; header names are in lower case."""
    try:
        found = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Body()
    if found.error is not None:
        return _refusal(found.error, status, headers)
    if status == 200 and found.events_received is not None:  # noqa: PLR2004 - HTTP OK
        if found.events_received == sent:
            return Answer(
                Verdict.ACCEPTED,
                trace_id=_text(found.fbtrace_id, _TRACE_LENGTH),
                ease_s=ease_s(headers),
                remarks=len(found.messages or ()),
            )
        # Which of them were taken is not said: all go again, under the same event ids.
        return _answer(AnswerReason.COUNT_DIFFERS, headers, trace_id=found.fbtrace_id)
    return _answer(_STATUSES.get(status, AnswerReason.UNREADABLE), headers)


def _refusal(error: _Error, status: int, headers: Mapping[str, str]) -> Answer:
    words = error.error_user_msg or error.message or ""
    return _answer(
        _reason(error, status),
        headers,
        detail=_detail(error.error_user_title, words),
        code=error.code,
        subcode=error.error_subcode,
        trace_id=error.fbtrace_id,
        bad_index=_index(words),
    )


def _reason(error: _Error, status: int) -> AnswerReason:
    by_code = ANSWERS.get((error.code, None))
    # A limit passes by itself as well, but Meta says when: that is worth more than "transient".
    if by_code is AnswerReason.THROTTLED:
        return by_code
    if error.is_transient:
        return AnswerReason.TRANSIENT
    exact = ANSWERS.get((error.code, error.error_subcode))
    if exact is not None and error.error_subcode is not None:
        return exact
    if error.code == _INVALID_PARAMETER and _PROOF in (error.message or ""):
        return AnswerReason.TOKEN_REFUSED
    return by_code or _STATUSES.get(status, AnswerReason.UNKNOWN)


def _answer(  # noqa: PLR0913 - the parts of an answer
    reason: AnswerReason,
    headers: Mapping[str, str],
    *,
    detail: str = "",
    code: int | None = None,
    subcode: int | None = None,
    trace_id: str | None = None,
    bad_index: int | None = None,
) -> Answer:
    verdict = _VERDICTS[CLASSES[reason]]
    pause_s = _pause_s(reason, headers) if verdict is Verdict.DEFERRED else None
    return Answer(
        verdict,
        reason,
        _text(detail, _DETAIL_LENGTH) or "",
        _number(code),
        _number(subcode),
        _text(trace_id, _TRACE_LENGTH),
        pause_s,
        bad_index,
    )


# What an answer holds is written down, so it must fit the columns, however odd it is.


def _number(found: int | None) -> int | None:
    return found if found is not None and -_LARGEST <= found < _LARGEST else None


def _text(found: str | None, most: int) -> str | None:
    return found.replace("\x00", "")[:most] if found is not None else None


def _pause_s(reason: AnswerReason, headers: Mapping[str, str]) -> float | None:
    """Return the longest pause that the answer asks for; None when it asks for none."""
    pauses = [_retry_after_s(headers)]
    if reason is AnswerReason.POLICY_BLOCK:
        pauses.append(POLICY_PAUSE_S)
    if reason is AnswerReason.THROTTLED:
        pauses.append(throttle_s(headers))
    longest = max(pauses)
    return min(longest, LONGEST_PAUSE_S) if longest > 0 else None


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After names, also as a date (RFC 9110, 10.2.3); else 0.

    A date counts from the answer's own: the sender's clock need not be ours.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
        return seconds if math.isfinite(seconds) else 0.0
    try:
        later = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(0.0, later.total_seconds())


def _index(words: str) -> int | None:
    """Return N of a path such as $['data'][N]['user_data']."""
    _, found, rest = words.partition("$['data'][")
    number, closed, _ = rest.partition("]")
    return int(number) if found and closed and number.isascii() and number.isdigit() else None


def _detail(title: str | None, words: str) -> str:
    """Return the title and the path; the rest of Meta's words may repeat a value or the token."""
    start = words.find("$['")
    path = ""
    if start >= 0:
        path = words[start:].partition(" ")[0].rstrip(".,;")
    return " ".join(part for part in (title, path) if part)
