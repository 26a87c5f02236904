"""The counters and histograms of this process, one registry; label values are closed sets."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from trackai.telemetry.repeated import Repeated
from trackai.telemetry.tallies import Tallies
from trackai.telemetry.timings import Timings

REGISTRY = CollectorRegistry()

# What is said four times a minute and was not for so long is not known any more.
_LASTS_S = 75.0

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

CLICKS = Tallies(
    "trackai_track_events_total",
    "Page reports by kind and outcome",
    ("kind", "outcome"),
    registry=REGISTRY,
)
WEBHOOKS = Tallies(
    "trackai_webhooks_total",
    "Webhooks by gateway and outcome",
    ("gateway", "outcome"),
    registry=REGISTRY,
)
WEBHOOK_PROOF_FAILURES = Counter(
    "trackai_webhook_proof_failures_total",
    "Webhooks whose authenticity was not proved",
    ("gateway", "reason"),
    registry=REGISTRY,
)
RECEIPTS = Counter(
    "trackai_receipts_processed_total",
    "Receipts processed by gateway and outcome",
    ("gateway", "outcome"),
    registry=REGISTRY,
)
TASK_RUNS = Counter(
    "trackai_task_runs_total",
    "Runs of what is due at times, by how they ended",
    ("task", "outcome"),
    registry=REGISTRY,
)
TASK_SECONDS = Histogram(
    "trackai_task_seconds",
    "How long they took",
    ("task",),
    registry=REGISTRY,
)
FOLDED = Counter(
    "trackai_folded_changes_total",
    "Changes of counts that were folded into their buckets, by rollup",
    ("rollup",),
    registry=REGISTRY,
)
PURGED = Counter(
    "trackai_purged_rows_total",
    "Rows deleted of tenants that are gone, by table",
    ("table",),
    registry=REGISTRY,
)
MATCHES = Counter(
    "trackai_matches_total",
    "Conversions by how they were matched",
    ("gateway", "strategy"),
    registry=REGISTRY,
)
ATTEMPTS = Counter(
    "trackai_dispatch_attempts_total",
    "Tries to deliver by destination, outcome and reason",
    ("destination", "outcome", "reason"),
    registry=REGISTRY,
)
FIELDS_DROPPED = Counter(
    "trackai_event_fields_dropped_total",
    "Optional fields left out because they were unusable",
    ("destination", "field"),
    registry=REGISTRY,
)
DISPATCH_SECONDS = Histogram(
    "trackai_dispatch_request_seconds",
    "Duration of requests to ad platforms",
    ("destination",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
STAGE_SECONDS = Histogram(
    "trackai_stage_seconds",
    "How long an event took, by stage: webhook to match, match to call, the call, all of it",
    ("stage",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
WEBHOOK_TO_ACCEPTED_SECONDS = Histogram(
    "trackai_webhook_to_accepted_seconds",
    "From a webhook's receipt to the destination's yes",
    ("gateway",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
BREAKER_CHANGES = Counter(
    "trackai_breaker_changes_total",
    "Circuit breakers that changed their state, by scope and the state they went to",
    ("scope", "state"),
    registry=REGISTRY,
)
COMMIT_ROWS = Histogram(
    "trackai_group_commit_rows",
    "Rows that shared one commit at the edge",
    ("table",),
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
    registry=REGISTRY,
)
OUTAGES = Counter(
    "trackai_edge_outages_total",
    "How often the edge found the database gone",
    registry=REGISTRY,
)
SPOOLED = Counter(
    "trackai_spooled_reports_total",
    "Page reports kept on disk, stored from there, or set aside because nobody could store them",
    ("what",),
    registry=REGISTRY,
)
SPOOL_BYTES = Gauge(
    "trackai_spool_bytes",
    "What page reports take on disk that the database does not have yet",
    registry=REGISTRY,
)
TOKENS = Gauge(
    "trackai_tokens",
    "Destinations by how their token stands, as last asked",
    ("state",),
    registry=REGISTRY,
)
MAILS = Counter(
    "trackai_mails_total",
    "Messages to people by what they are for and whether they went",
    ("kind", "outcome"),
    registry=REGISTRY,
)
LIVE_PAGES = Gauge(
    "trackai_live_pages",
    "Pages that show events as they happen",
    registry=REGISTRY,
)
LIVE_LOOKS = Counter(
    "trackai_live_looks_total",
    "Looks at a tenant for them, by what was found",
    ("outcome",),
    registry=REGISTRY,
)
LOG_LINES = Counter(
    "trackai_log_lines_total",
    "Log lines that were left out, being many of a kind, or lost, for a disk took them not",
    ("what",),
    registry=REGISTRY,
)
SPANS = Counter(
    "trackai_spans_total",
    "Spans of traces that the collector took, did not take, or that found no room to wait",
    ("outcome",),
    registry=REGISTRY,
)
JOB_ERRORS = Counter(
    "trackai_job_errors_total",
    "Unexpected errors caught by a worker's loop",
    ("job",),
    registry=REGISTRY,
)
EDGE_QUEUE = Gauge(
    "trackai_edge_waiting_rows",
    "Rows waiting for a commit at the edge",
    ("table",),
    registry=REGISTRY,
)
ALARMS = Repeated(
    "trackai_alarms",
    "Of how many tenants or things an alarm stands how, if this process looked lately",
    ("alarm", "state"),
    REGISTRY,
    lasts_s=_LASTS_S,
)
ALARMS_FIRED = Counter(
    "trackai_alarms_fired_total",
    "Incidents that began and ended, by alarm",
    ("alarm", "event"),
    registry=REGISTRY,
)
ALARM_EVALUATION_SECONDS = Histogram(
    "trackai_alarm_evaluation_seconds",
    "How long it took to look at every alarm",
    registry=REGISTRY,
)
ALARM_CALLS = Counter(
    "trackai_alarm_calls_total",
    "Calls to people by the kind of route, what was said and how it ended",
    ("route", "deed", "outcome"),
    registry=REGISTRY,
)
# The label of a route that no pattern of addresses covers.
NO_ROUTE = "other"
REQUEST_SECONDS = Timings(
    "trackai_request_seconds",
    "How long answers took, by what was asked: edge, API or pages, and the address's pattern",
    ("area", "route"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
MEASURED = Repeated(
    "trackai_measured",
    "What alarms are about, by metric: the worst of all, if this process looked lately; its unit"
    " is in its name",
    ("metric",),
    REGISTRY,
    lasts_s=_LASTS_S,
)
MEASURED_AT = Repeated(
    "trackai_measured_timestamp_seconds",
    "When this process looked at every alarm, if that was lately",
    (),
    REGISTRY,
    lasts_s=_LASTS_S,
)
FACTS = Repeated(
    "trackai_fact",
    "Of the whole installation, if this process looked lately; the unit is in the fact's name",
    ("fact",),
    REGISTRY,
    lasts_s=_LASTS_S,
)
PROCESS = Repeated(
    "trackai_process",
    "What a process measured of itself last, by part: CPU, connections, loop, latency, disk",
    ("part", "metric"),
    REGISTRY,
    lasts_s=_LASTS_S,
)
BACKUP_BYTES = Gauge(
    "trackai_backup_bytes",
    "How large the last backup is that this process made",
    registry=REGISTRY,
)
BACKUP_SECONDS = Histogram(
    "trackai_backup_seconds",
    "How long backups and trial restores took",
    ("what",),
    buckets=(1, 5, 15, 60, 300, 900, 3600, 4 * 3600),
    registry=REGISTRY,
)
BACKUP_LOG_WAITING = Gauge(
    "trackai_backup_log_waiting_files",
    "Files of the server's log that wait to be taken to where backups are",
    registry=REGISTRY,
)
