"""What flows through an installation, all tenants together; its unit stands behind it."""

from enum import StrEnum

from trackai.model.alarm import Fact, Metric


class Flow(StrEnum):
    """Numbers of the last full minute, where nothing else is said."""

    ATTEMPTS = "attempts_per_minute"
    ACCEPTED = "accepted_per_minute"
    SUCCESS_PERCENT = "success_percent"  # of the tries
    LATENCY_P50_MS = "latency_p50_ms"  # from a webhook's arrival to the platform's yes
    LATENCY_P95_MS = "latency_p95_ms"
    LATENCY_P99_MS = "latency_p99_ms"
    SALES = "sales_per_minute"  # paid ones
    EVALUATIONS = "evaluations"  # 1 for each look at every alarm


# Whatever is told to those who watch from outside.
Name = Metric | Fact | Flow
