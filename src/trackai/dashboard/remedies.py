"""What mends a tenant's alarm on the pages, without a terminal: steps, and where each leads.

Runbooks are for whoever runs the installation and has its commands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trackai.alarms.catalogue import ALARMS
from trackai.model.alarm import Alarm


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence, `remedy.<alarm>.<name>`, and the page that it is done on, named by `label`."""

    name: str
    to: str
    label: str


_CONNECTIONS = ("/connections", "menu.connections")
_FAILURES = ("/failures", "menu.failures")
_ALARMS = ("/alarms", "menu.alarms")

# By alarm, in the order in which they are taken.
REMEDIES: Mapping[str, Sequence[Step]] = {
    "dlq_depth": (
        Step("look", *_FAILURES),
        Step("mend", *_CONNECTIONS),
        Step("again", *_FAILURES),
    ),
    "breaker_open": (
        Step("look", *_FAILURES),
        Step("token", *_CONNECTIONS),
        Step("wait", "/performance", "menu.performance"),
    ),
    "token_expiring": (Step("look", *_CONNECTIONS), Step("replace", *_CONNECTIONS)),
    "webhook_success": (
        Step("look", *_CONNECTIONS),
        Step("secret", *_CONNECTIONS),
        Step("unread", "/events", "menu.events"),
    ),
    "webhooks_silent": (
        Step("look", *_CONNECTIONS),
        Step("compare", *_CONNECTIONS),
        Step("silence", *_ALARMS),
    ),
    "match_rate_drop": (
        Step("look", "/match-rate", "menu.match_rate"),
        Step("script", "/start/tag", "step_name.tag"),
        Step("one", "/events", "menu.events"),
    ),
    "signature_failures": (
        Step("look", *_CONNECTIONS),
        Step("secret", *_CONNECTIONS),
        Step("address", *_CONNECTIONS),
    ),
    "tenant_calls_lost": (
        Step("look", *_ALARMS),
        Step("again", *_ALARMS),
        Step("unheard", *_ALARMS),
    ),
}

_BY_PAGE = {one.page: one for one in ALARMS.values()}


def alarm_of(page: str) -> Alarm | None:
    """Return the alarm that a runbook is about."""
    return _BY_PAGE.get(page)
