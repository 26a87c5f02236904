"""Spans find their place by ids alone, and nobody waits for whoever wants to know of them."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from typing_extensions import override

from trackai.model.clock import new_id
from trackai.telemetry import tracing
from trackai.telemetry.metrics import SPANS
from trackai.telemetry.otel import MOST_WAITING, Traces
from trackai.telemetry.tracing import Done, span_id_of


@pytest.fixture
def told() -> Iterator[list[Done]]:
    found: list[Done] = []
    tracing.report_to(found.append)
    yield found
    tracing.report_to(None)


def done(**changes: object) -> Done:
    plain = {"trace_id": new_id(), "span_id": 1, "parent_id": None, "attributes": {}}
    times = {"began_ns": 10, "ended_ns": 20}
    return Done(tracing.ATTEMPT, **(plain | times | changes))  # type: ignore[arg-type]


def outcomes() -> Counter[str]:
    names = ("sent", "failed", "dropped")
    return Counter({name: int(SPANS.labels(name)._value.get()) for name in names})


def test_switched_off_nothing_is_told() -> None:
    with tracing.span(tracing.RECEIPT) as span:
        span.joins(new_id())
        span.note(gateway="kiwify")

    assert span is tracing.NOTHING
    assert not tracing.is_on()


def test_spans_stand_below_what_is_around_them(told: list[Done]) -> None:
    receipt_id, delivery_id = new_id(), new_id()
    with tracing.span(tracing.RECEIPT) as outer:
        outer.joins(receipt_id)
        with tracing.span(tracing.OWE) as inner:
            inner.is_about(delivery_id)
        with tracing.span(tracing.MATCH) as dropped:
            dropped.drop()
    owe, receipt = told

    assert [receipt_id, receipt_id] == [owe.trace_id, receipt.trace_id]
    assert span_id_of(tracing.WEBHOOK, receipt_id) == receipt.parent_id
    assert (receipt.span_id, span_id_of(tracing.OWE, delivery_id)) == (owe.parent_id, owe.span_id)
    assert receipt.began_ns <= owe.began_ns <= owe.ended_ns <= receipt.ended_ns


def test_the_root_is_one_and_a_repeat_stands_below_it(told: list[Done]) -> None:
    receipt_id = new_id()
    for fresh in (True, False):
        with tracing.span(tracing.WEBHOOK) as span:
            span.joins(receipt_id, root=fresh)
    root, repeat = told

    assert None is root.parent_id
    assert root.span_id == repeat.parent_id != repeat.span_id


def test_what_joins_no_trace_is_not_told(told: list[Done]) -> None:
    with tracing.span(tracing.RECEIPT):
        pass

    assert [] == told


def test_what_raises_has_failed(told: list[Done]) -> None:
    def work() -> None:
        with tracing.span(tracing.RECEIPT) as span:
            span.joins(new_id())
            raise KeyError

    with pytest.raises(KeyError):
        work()

    assert ["KeyError"] == [one.failed for one in told]


def test_of_a_share_of_traces_all_processes_choose_the_same() -> None:
    ids = [new_id() for _ in range(4000)]
    found: list[Done] = []
    tracing.report_to(found.append, ratio=0.25)
    try:
        for one in ids:
            tracing.tell(done(trace_id=one))
        first = {one.trace_id for one in found}
        again = {one for one in ids if tracing.wanted(one)}
    finally:
        tracing.report_to(None)

    assert first == again
    assert 800 < len(first) < 1200


def test_a_span_becomes_the_sdks_with_ids_alone() -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(exporter, {"service.instance.id": "x"})
    receipt_id, delivery_id, other = new_id(), new_id(), new_id()
    facts = {"delivery_id": delivery_id, "http_status": 400, "reason": None}
    traces.report(
        done(
            trace_id=receipt_id,
            parent_id=7,
            attributes=facts,
            failed="bad_event",
            links=[(other, 9)],
        )
    )
    traces.close()
    (span,) = exporter.get_finished_spans()

    assert span.context is not None
    assert span.parent is not None
    assert (receipt_id.int, 1, 7) == (
        *(span.context.trace_id, span.context.span_id, span.parent.span_id),
    )
    assert {"trackai.delivery_id": str(delivery_id), "http.response.status_code": 400} == dict(
        span.attributes or {}
    )
    assert (SpanKind.CLIENT, 10, 20) == (span.kind, span.start_time, span.end_time)
    assert (False, "bad_event") == (span.status.is_ok, span.status.description)
    assert [(other.int, 9)] == [
        (link.context.trace_id, link.context.span_id) for link in span.links
    ]
    assert "trackai" == span.resource.attributes["service.name"]


class Stuck(SpanExporter):
    """A collector that answers nothing until it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        assert spans
        self.asked.set()
        self.go.wait(60)
        return SpanExportResult.FAILURE

    @override
    def shutdown(self) -> None:
        self.go.set()


def test_a_collector_that_is_stuck_holds_up_nobody_and_takes_bounded_room() -> None:
    stuck, before = Stuck(), outcomes()
    traces = Traces(stuck, {})
    for _ in range(MOST_WAITING + 100):
        traces.report(done())
    asked = stuck.asked.wait(60)
    traces.close()
    gone = stuck.go.is_set()
    stuck.go.set()

    assert asked
    assert 100 == (outcomes() - before)["dropped"]
    # It gave up waiting: the end of a process is not the collector's to decide.
    assert not gone


class Broken(SpanExporter):
    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise RuntimeError(f"defect of the exporter, {len(spans)} are lost")

    @override
    def shutdown(self) -> None:
        pass


def test_what_does_not_arrive_is_counted_and_makes_room(caplog: pytest.LogCaptureFixture) -> None:
    before = outcomes()
    traces = Traces(Broken(), {})
    traces.report(done())
    traces.close()

    assert Counter(failed=1) == outcomes() - before
    assert caplog.records
