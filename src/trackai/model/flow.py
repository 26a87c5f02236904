"""What flows through an installation, all tenants together; its unit stands behind it."""

from enum import StrEnum


class Flow(StrEnum):
    """Numbers of the last full minute, where nothing else is said."""

    ATTEMPTS = "attempts_per_minute"
    ACCEPTED = "accepted_per_minute"
    SUCCESS_PERCENT = "success_percent"  # of the tries
    LATENCY_P50_MS = "latency_p50_ms"  # from a webhook's arrival to the platform's yes
    LATENCY_P95_MS = "latency_p95_ms"
    LATENCY_P99_MS = "latency_p99_ms"
    SALES = "sales_per_minute"  # paid ones
    MATCH_PERCENT = "match_percent"  # of a day's paid sales
    DEAD_LETTERS_ALL = "dead_letters_all"  # now, of all tenants
    EVALUATIONS = "evaluations"  # 1 for each look at every alarm
