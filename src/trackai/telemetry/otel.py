"""Traces to a collector by OTLP, through OpenTelemetry's SDK; imported only when that is wanted.

A collector that is slow or away slows nobody: a bounded number of spans waits, and what finds no
room or does not arrive is counted and gone. Headers, certificates and further attributes of the
resource are the exporter's own settings (OTEL_EXPORTER_OTLP_HEADERS and the like).
"""

import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode
from typing_extensions import override

from trackai.telemetry import tracing
from trackai.telemetry.metrics import SPANS
from trackai.telemetry.tracing import Done

PATH = "/v1/traces"
# Spans that wait for the collector, in one process: some megabytes.
MOST_WAITING = 4096
# Spans of one request, and how long it may take, tries included.
MOST_AT_ONCE, TIMEOUT_S = 512, 5.0
EVERY_MS = 1000
# What waits when the process ends has so long.
LAST_S = 3.0
_KINDS = {
    tracing.WEBHOOK: SpanKind.SERVER,
    tracing.RECEIPT: SpanKind.CONSUMER,
    tracing.OWE: SpanKind.PRODUCER,
    tracing.ATTEMPT: SpanKind.CLIENT,
    tracing.BATCH: SpanKind.CLIENT,
}
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Traces:
    """Takes spans and hands them to an exporter, in another thread."""

    def __init__(self, exporter: SpanExporter, facts: Mapping[str, str]) -> None:
        self._counting = _Counting(exporter)
        self._resource = Resource.create({"service.name": "trackai", **facts})
        self._scope = InstrumentationScope("trackai", version("trackai"))
        self._processor = BatchSpanProcessor(
            self._counting,
            max_queue_size=MOST_WAITING,
            schedule_delay_millis=EVERY_MS,
            max_export_batch_size=MOST_AT_ONCE,
        )

    def report(self, span: Done) -> None:
        """Take a span; never waits, never raises."""
        if self._counting.has_room():
            self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """Send what waits, for a moment only."""
        # The SDK's own end waits for half a minute: longer than a deployment's patience.
        ending = threading.Thread(target=self._processor.shutdown, daemon=True)
        ending.start()
        ending.join(LAST_S)

    def _readable(self, span: Done) -> ReadableSpan:
        parent = span.parent_id and _context(span.trace_id.int, span.parent_id)
        failed = span.failed
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace_id.int, span.span_id),
            parent=parent or None,
            resource=self._resource,
            attributes=_attributes(span),
            links=[Link(_context(trace_id.int, span_id)) for trace_id, span_id in span.links],
            kind=_KINDS.get(span.name, SpanKind.INTERNAL),
            status=Status(StatusCode.ERROR, failed) if failed else Status(StatusCode.OK),
            start_time=span.began_ns,
            end_time=max(span.began_ns, span.ended_ns),
            instrumentation_scope=self._scope,
        )


class _Counting(SpanExporter):
    """Counts what waits, and how it ends."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lock = threading.Lock()
        self._waiting = 0

    def has_room(self) -> bool:
        """Take a place for one more."""
        with self._lock:
            if self._waiting < MOST_WAITING:
                self._waiting += 1
                return True
        SPANS.labels("dropped").inc()
        return False

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            with self._lock:
                self._waiting -= len(spans)
            went = result is SpanExportResult.SUCCESS
            SPANS.labels("sent" if went else "failed").inc(len(spans))
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()


def otlp(url: str) -> SpanExporter:
    """Return what sends to a collector's address."""
    return OTLPSpanExporter(endpoint=url.rstrip("/").removesuffix(PATH) + PATH, timeout=TIMEOUT_S)


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=False, trace_flags=_SAMPLED)


def _attributes(span: Done) -> dict[str, str | int | float | bool]:
    found: dict[str, str | int | float | bool] = {}
    for name, value in span.attributes.items():
        key = "http.response.status_code" if name == "http_status" else f"trackai.{name}"
        if value is not None:
            found[key] = value if isinstance(value, str | int | float) else str(value)
    return found
