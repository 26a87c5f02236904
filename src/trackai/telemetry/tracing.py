"""A sale's way as a trace: from its webhook to the ad platform's answer, through several processes.

Nothing is stored for it. A trace's id is its webhook's, which has as many bits; the id of a span
that others stand below is derived from what it is about. So every process knows where its part
belongs, however much later, and a trace is found by its receipt id. Ids and outcomes go into spans,
never a person. Switched off, as by default, a span is one object that does nothing.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self
from uuid import UUID

from typing_extensions import override

# Names of spans; each is one thing that is done.
WEBHOOK: Final = "webhook.receive"  # the root: one for each receipt
RECEIPT: Final = "receipt.process"
PARSE: Final = "receipt.parse"
MATCH: Final = "conversion.match"
OWE: Final = "delivery.owe"  # what all tries of a delivery stand below
ATTEMPT: Final = "delivery.attempt"
BATCH: Final = "dispatch.batch"  # a trace of its own, linked to the tries that it carried

# Of a trace's id the bits that are random in each (W3C Trace Context, level 2).
_RANDOM = (1 << 56) - 1

Value = str | int | float | bool | UUID | None


@dataclass(frozen=True, slots=True)
class Done:
    """A span that is over."""

    name: str
    trace_id: UUID
    span_id: int
    parent_id: int | None
    began_ns: int
    ended_ns: int
    attributes: Mapping[str, Value]
    failed: str | None = None  # why
    links: Sequence[tuple[UUID, int]] = ()


Report = Callable[[Done], None]


@dataclass(slots=True)
class _Switch:
    report: Report | None = None
    ratio: float = 1.0


_switch = _Switch()
_around: "ContextVar[_Open | None]" = ContextVar("trackai_span", default=None)


def report_to(report: Report | None, *, ratio: float = 1.0) -> None:
    """Report the spans of this part of all traces, None: of none. Not for several threads."""
    _switch.report, _switch.ratio = report, ratio


def is_on() -> bool:
    """Tell whether anybody wants to know."""
    return _switch.report is not None


def wanted(trace_id: UUID) -> bool:
    """Tell whether this trace is reported: all processes choose the same ones."""
    return (trace_id.int & _RANDOM) < _switch.ratio * (_RANDOM + 1)


def tell(span: Done) -> None:
    """Report a span that was put together afterwards."""
    if _switch.report is not None and wanted(span.trace_id):
        _switch.report(span)


def span_id_of(name: str, about: UUID) -> int:
    """Return the id of the one span of this name about this."""
    found = hashlib.blake2b(name.encode() + about.bytes, digest_size=8).digest()
    return int.from_bytes(found) or 1


class Span:
    """What is being done; this one is nobody's, and does nothing."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        return None

    def joins(self, receipt_id: UUID, *, root: bool = False) -> None:
        """Belong to this webhook's trace: as its root, or below it."""

    def is_about(self, thing: UUID) -> None:
        """Be the one span of its name about this: others stand below it by that."""

    def note(self, **facts: Value) -> None:
        """Say more of it: ids and outcomes, never a person."""

    def fails(self, why: str) -> None:
        """Say that it did not do what it was begun for."""

    def drop(self) -> None:
        """Report nothing: it turned out that there was nothing to do."""


NOTHING = Span()


def span(name: str) -> Span:
    """Return a span for the length of a block, below the one that is around it.

    One that joined no trace by its end is not reported.
    """
    return NOTHING if _switch.report is None else _Open(name)


@dataclass(slots=True, eq=False)
class _Open(Span):
    name: str
    trace_id: UUID | None = None
    span_id: int = 0
    parent_id: int | None = None
    began_ns: int = field(default_factory=time.time_ns)
    facts: dict[str, Value] = field(default_factory=dict)
    failed: str | None = None
    _token: "Token[_Open | None] | None" = None

    @override
    def __enter__(self) -> Self:
        above = _around.get()
        if above is not None and above.trace_id is not None:
            self.trace_id, self.parent_id = above.trace_id, above.span_id
        self.span_id = secrets.randbits(64) or 1
        self._token = _around.set(self)
        return self

    @override
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _around.reset(self._token)
        if self.trace_id is None:
            return
        failed = type(error).__name__ if error is not None else self.failed
        ids = (self.trace_id, self.span_id, self.parent_id)
        tell(Done(self.name, *ids, self.began_ns, time.time_ns(), self.facts, failed))

    @override
    def joins(self, receipt_id: UUID, *, root: bool = False) -> None:
        self.trace_id = receipt_id
        top = span_id_of(WEBHOOK, receipt_id)
        if root:
            self.span_id, self.parent_id = top, None
        else:
            self.parent_id = top

    @override
    def is_about(self, thing: UUID) -> None:
        self.span_id = span_id_of(self.name, thing)

    @override
    def note(self, **facts: Value) -> None:
        self.facts |= facts

    @override
    def fails(self, why: str) -> None:
        self.failed = why

    @override
    def drop(self) -> None:
        self.trace_id = None
