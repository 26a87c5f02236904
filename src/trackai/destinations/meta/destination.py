"""Sends events to Meta's Conversions API and tells what became of each.

Meta takes or refuses a request as a whole. So events it would refuse are refused here first; a
refused request is taken apart until the events to blame stand alone, which is safe because a
refused request processes nothing. One bad event among n costs about 2 log2 n further requests,
fewer when Meta names it. A call makes at most MOST_REQUESTS requests and begins none after
LATEST_START_S; what is unresolved by then waits for its next turn.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from trackai.destinations.http import Http, HttpAnswer
from trackai.destinations.meta.account import API_URL, host_of, validate_account
from trackai.destinations.meta.answers import CLASSES, Answer, AnswerReason, Verdict, answer_of
from trackai.destinations.meta.payload import Unsendable, build_event, encode_batch
from trackai.destinations.meta.token import health_of, names_pixel, reaches_pixel
from trackai.destinations.port import TokenHealth, TokenState
from trackai.errors import DestinationTimeout, DestinationUnreachable, InvalidField
from trackai.model.clock import Clock
from trackai.model.delivery import (
    Accepted,
    CallFacts,
    Deferred,
    ErrorClass,
    Outcome,
    OutgoingEvent,
    Quality,
    Rejected,
)
from trackai.model.tenant import DestinationAccount
from trackai.telemetry.logging import get_logger
from trackai.telemetry.metrics import DISPATCH_SECONDS, FIELDS_DROPPED

KIND = "meta"
# Released 2026-07-29; Meta supports a version at least two years.
VERSION = "v26.0"
# Meta's bound.
BATCH_LIMIT = 1000
# Three bad events among 1000 are found with fewer.
MOST_REQUESTS = 64
# The dispatcher gives a call 90 s; a request may take 20.
LATEST_START_S = 60.0

_RETIRED_VERSION = "x-ad-api-version-warning"


class NoAnswerReason(StrEnum):
    """Why events were not taken although Meta did not refuse them; metric labels."""

    TIMEOUT = "timeout"  # Meta may have taken them: the same event ids make the repeat harmless
    UNREACHABLE = "unreachable"
    ACCOUNT_INVALID = "account_invalid"  # pixel id, token or address cannot be sent with
    UNRESOLVED = "batch_unresolved"  # the call's bounds were reached first


@dataclass(frozen=True, slots=True)
class _Parcel:
    position: int  # of the event among those given to `send`
    json: bytes
    quality: Quality


_Chunk = Sequence[_Parcel]


class MetaDestination:
    """Meta's Conversions API over one shared session."""

    kind = KIND
    batch_limit = BATCH_LIMIT

    def __init__(self, http: Http, clock: Clock, version: str = VERSION) -> None:
        self._http = http
        self._clock = clock
        self._version = version
        self._warned = False

    def host(self, account: DestinationAccount) -> str:
        """Return where the account's requests go."""
        return host_of(account)

    def validate(self, account: DestinationAccount) -> None:
        """Raise InvalidField, naming the field, for an account that cannot be sent to."""
        validate_account(account)

    async def check_token(self, account: DestinationAccount) -> TokenHealth:
        """Ask Meta about the account's token, in the token's own name.

        Graph takes the token to look at in the address only; it goes nowhere but to Meta.
        """
        try:
            validate_account(account)
            answer = await self._http.get(
                f"{self._base(account)}/debug_token",
                query={"input_token": account.token},
                headers=_headers(account),
            )
            reaches = names_pixel(answer.body, account.pixel_id) or await self._reaches(account)
        except InvalidField as error:
            return TokenHealth(TokenState.IMPOSSIBLE, valid=False, found=str(error))
        except DestinationUnreachable as error:
            return TokenHealth(TokenState.NOT_REACHED, valid=None, found=str(error))
        return health_of(answer.status, answer.body, self._clock.now(), reaches=reaches)

    async def _reaches(self, account: DestinationAccount) -> bool | None:
        answer = await self._http.get(
            f"{self._base(account)}/{account.pixel_id}",
            query={"fields": "id"},
            headers=_headers(account),
        )
        return reaches_pixel(answer.status, answer.body)

    async def send(
        self, account: DestinationAccount, events: Sequence[OutgoingEvent]
    ) -> list[Outcome]:
        """Send the events and return one outcome each, in their order."""
        try:
            validate_account(account)
        except InvalidField as error:
            facts = CallFacts(batch_size=len(events))
            refused = Deferred(
                NoAnswerReason.ACCOUNT_INVALID,
                facts,
                detail=str(error),
                error_class=ErrorClass.UNROUTABLE,
            )
            return [refused] * len(events)
        outcomes: dict[int, Outcome] = {}
        parcels = self._prepare(events, outcomes)

        async def post(chunk: _Chunk) -> HttpAnswer:
            return await self._post(account, chunk)

        chunks = [
            parcels[start : start + BATCH_LIMIT] for start in range(0, len(parcels), BATCH_LIMIT)
        ]
        await _Call(post, outcomes).run(chunks)
        return [outcomes[position] for position in range(len(events))]

    def _prepare(
        self, events: Sequence[OutgoingEvent], outcomes: dict[int, Outcome]
    ) -> list[_Parcel]:
        now = self._clock.now()
        dropped: Counter[str] = Counter()
        parcels = []
        for position, event in enumerate(events):
            built = build_event(event, now)
            if isinstance(built, Unsendable):
                outcomes[position] = Rejected(built.reason, CallFacts(batch_size=0))
            else:
                parcels.append(_Parcel(position, built.json, built.quality))
                dropped.update(built.dropped_fields)
        for field, count in dropped.items():
            FIELDS_DROPPED.labels(KIND, field).inc(count)
        return parcels

    async def _post(self, account: DestinationAccount, chunk: _Chunk) -> HttpAnswer:
        with DISPATCH_SECONDS.labels(KIND).time():
            answer = await self._http.post(
                f"{self._base(account)}/{account.pixel_id}/events",
                body=encode_batch([parcel.json for parcel in chunk], account.test_event_code),
                headers=_headers(account),
            )
        warning = answer.headers.get(_RETIRED_VERSION)
        if warning and not self._warned:
            self._warned = True
            get_logger().warning("meta.version_retired", version=self._version, words=warning[:200])
        return answer

    def _base(self, account: DestinationAccount) -> str:
        return f"{(account.api_url or API_URL).rstrip('/')}/{self._version}"


class _Call:
    """One `send`: requests until every event has its outcome."""

    def __init__(
        self, post: Callable[[_Chunk], Awaitable[HttpAnswer]], outcomes: dict[int, Outcome]
    ) -> None:
        self._post = post
        self._outcomes = outcomes
        self._requests_left = MOST_REQUESTS
        self._started = time.monotonic()
        # Set once Meta does not take anything now: the rest is not even tried.
        self._stopped: Deferred | None = None

    async def run(self, chunks: Sequence[_Chunk]) -> None:
        waiting = list(reversed(chunks))
        while waiting:
            chunk = waiting.pop()
            if self._stopped is not None:
                stopped, facts = self._stopped, CallFacts(batch_size=len(chunk))
                self._settle(chunk, replace(stopped, facts=facts, detail=""))
            elif self._is_over():
                facts = CallFacts(batch_size=len(chunk))
                self._settle(
                    chunk,
                    Deferred(
                        NoAnswerReason.UNRESOLVED, facts, error_class=ErrorClass.INVALID_BATCH
                    ),
                )
            else:
                waiting += await self._try(chunk)

    def _is_over(self) -> bool:
        late = time.monotonic() - self._started > LATEST_START_S
        return self._requests_left == 0 or late

    async def _try(self, chunk: _Chunk) -> list[_Chunk]:
        """Send a chunk; return what must be sent instead, the first to go last."""
        self._requests_left -= 1
        started = time.perf_counter()
        try:
            got = await self._post(chunk)
        except DestinationUnreachable as error:
            timed_out = isinstance(error, DestinationTimeout)
            reason = NoAnswerReason.TIMEOUT if timed_out else NoAnswerReason.UNREACHABLE
            self._defer(chunk, Deferred(reason, _facts(chunk, started), detail=str(error)))
            return []
        answer = answer_of(got.status, got.headers, got.body, sent=len(chunk))
        if answer.verdict in {Verdict.BLAMED, Verdict.HALVE} and len(chunk) > 1:
            return _apart(chunk, answer)
        self._conclude(chunk, answer, _facts(chunk, started, got.status, answer))
        return []

    def _conclude(self, chunk: _Chunk, answer: Answer, facts: CallFacts) -> None:
        if answer.reason is None:
            if answer.remarks:
                get_logger().warning(
                    "meta.remarks", remarks=answer.remarks, trace_id=answer.trace_id
                )
            for parcel in chunk:
                self._outcomes[parcel.position] = Accepted(facts, parcel.quality)
            return
        kind = CLASSES[answer.reason]
        if answer.verdict is not Verdict.DEFERRED:
            self._settle(chunk, Rejected(answer.reason, facts, answer.detail, kind))
        elif answer.reason is AnswerReason.COUNT_DIFFERS:
            get_logger().warning("meta.count_differs", sent=len(chunk), trace_id=answer.trace_id)
            self._settle(chunk, Deferred(answer.reason, facts, error_class=kind))
        else:
            self._defer(
                chunk,
                Deferred(answer.reason, facts, answer.retry_after_s, answer.detail, kind),
            )

    def _defer(self, chunk: _Chunk, outcome: Deferred) -> None:
        self._stopped = outcome
        self._settle(chunk, outcome)

    def _settle(self, chunk: _Chunk, outcome: Outcome) -> None:
        for parcel in chunk:
            self._outcomes[parcel.position] = outcome


def _apart(chunk: _Chunk, answer: Answer) -> list[_Chunk]:
    bad = answer.bad_index
    if answer.verdict is Verdict.BLAMED and bad is not None and bad < len(chunk):
        # The one named goes alone, which confirms it: a wrong number costs a request, no event.
        return [[*chunk[:bad], *chunk[bad + 1 :]], [chunk[bad]]]
    half = len(chunk) // 2
    return [chunk[half:], chunk[:half]]


def _headers(account: DestinationAccount) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.token}", "Content-Type": "application/json"}


def _facts(
    chunk: _Chunk, started: float, status: int | None = None, answer: Answer | None = None
) -> CallFacts:
    return CallFacts(
        http_status=status,
        error_code=answer.code if answer else None,
        error_subcode=answer.subcode if answer else None,
        trace_id=answer.trace_id if answer else None,
        batch_size=len(chunk),
        duration_ms=(time.perf_counter() - started) * 1000,
        ease_s=answer.ease_s if answer else 0.0,
    )
