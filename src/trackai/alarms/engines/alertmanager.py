"""A configuration for Alertmanager: who is told of what, and which alert makes another needless.

Secrets are in files beside it and never in it. Whoever pages by this sets TRACKAI_PAGER=elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trackai.alarms.engines.place import Place
from trackai.alarms.engines.prometheus import DOWN, NOBODY_LOOKS, PROCESS_DOWN, WATCHDOG
from trackai.alarms.engines.yaml import Node, to_yaml
from trackai.model.alarm import Severity

# What PagerDuty calls our severities.
AT_PAGERDUTY: Mapping[Severity, str] = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
}
# Files that have to be in the folder of secrets.
ROUTING_KEY, SMTP_PASSWORD, HEARTBEAT_TOKEN = "pagerduty-routing-key", "smtp-password", "heartbeat"
ON_CALL, MAIL, HEARTBEAT = "on-call", "mail", "heartbeat"
_HEAD = f"""Rendered by `trackai alarms render alertmanager`; do not edit, render it again.
Alertmanager 0.25 or newer. Secrets are in files: {ROUTING_KEY} (the integration key
of an Events API v2 integration at PagerDuty), {SMTP_PASSWORD}, {HEARTBEAT_TOKEN} (the bearer token
of whoever is told that the watch works). Set TRACKAI_PAGER=elsewhere, or two programs page."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """Whom Alertmanager reaches; addresses, no secrets."""

    secrets_dir: str = "/etc/alertmanager/secrets"
    mail_to: str = "on-call@example.com"
    mail_from: str = "alarms@example.com"
    smarthost: str = "smtp.example.com:587"
    smtp_user: str = "alarms@example.com"
    pagerduty_url: str = "https://events.pagerduty.com"
    heartbeat_url: str = "https://heartbeat.example.com/trackai"

    def file(self, name: str) -> str:
        """Return where a secret is."""
        return f"{self.secrets_dir}/{name}"


DEFAULTS = Receivers()


def render_alertmanager(place: Place, receivers: Receivers) -> str:
    """Return the configuration."""
    return to_yaml(
        {
            "global": {
                "smtp_smarthost": receivers.smarthost,
                "smtp_from": receivers.mail_from,
                "smtp_auth_username": receivers.smtp_user,
                "smtp_auth_password_file": receivers.file(SMTP_PASSWORD),
                "pagerduty_url": f"{receivers.pagerduty_url}/v2/enqueue",
            },
            "route": _route(),
            "inhibit_rules": _inhibited(),
            "receivers": [
                {"name": ON_CALL, "pagerduty_configs": [_pagerduty(place, receivers)]},
                {
                    "name": MAIL,
                    "email_configs": [{"to": receivers.mail_to, "send_resolved": True}],
                },
                {"name": HEARTBEAT, "webhook_configs": [_heartbeat(receivers)]},
            ],
        },
        _HEAD,
    )


def _route() -> Mapping[str, Node]:
    paged = f"severity=~{Severity.CRITICAL}|{Severity.HIGH}"
    return {
        "receiver": MAIL,
        # One cause is one call, as with the program's own.
        "group_by": ["environment", "alertname"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "24h",
        "routes": [
            {
                "matchers": [f"alertname={WATCHDOG}"],
                "receiver": HEARTBEAT,
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "1m",
            },
            {
                "matchers": [f"severity={Severity.CRITICAL}"],
                "receiver": ON_CALL,
                "group_wait": "10s",
                "repeat_interval": "4h",
                # The mailbox keeps what on-call was told.
                "continue": True,
            },
            {"matchers": [f"severity={Severity.HIGH}"], "receiver": ON_CALL, "continue": True},
            {"matchers": [f"{paged}|{Severity.MEDIUM}"], "receiver": MAIL},
        ],
    }


# Alertmanager may have alerts of others, too.
_OURS = "source=~threshold|program|no_data|watch"


def _inhibited() -> Sequence[Node]:
    """Return which alert makes which others needless; `equal` keeps environments apart."""

    def rule(source: Sequence[str], target: Sequence[str], *equal: str) -> Mapping[str, Node]:
        alike = ["environment", *equal]
        return {"source_matchers": source, "target_matchers": target, "equal": alike}

    return [
        # Nothing runs: all else follows from that.
        rule([f"alertname={DOWN}"], [_OURS, f"alertname!~{DOWN}|{WATCHDOG}"]),
        # What a process said last before it went silent.
        rule([f"alertname={PROCESS_DOWN}"], ["source=threshold"], "instance"),
        # Nobody looks, so nothing is known.
        rule([f"alertname={NOBODY_LOOKS}"], ["source=~no_data|program"]),
        # Prometheus and the program see the same.
        rule(["source=threshold"], ["source=program"], "alarm"),
    ]


def _pagerduty(place: Place, receivers: Receivers) -> Mapping[str, Node]:
    chosen = "".join(
        f"{{{{ {'if' if number == 0 else 'else if'} eq .CommonLabels.severity `{ours}` }}}}{theirs}"
        for number, (ours, theirs) in enumerate(AT_PAGERDUTY.items())
    )
    return {
        "routing_key_file": receivers.file(ROUTING_KEY),
        "send_resolved": True,
        "severity": f"{chosen}{{{{ else }}}}warning{{{{ end }}}}",
        "description": "{{ (index .Alerts 0).Annotations.summary }}"
        "{{ if gt (len .Alerts) 1 }} ({{ len .Alerts }}){{ end }}",
        "client": "Track AI",
        "client_url": f"{place.base_url}/alarms",
        "class": "{{ .CommonLabels.alertname }}",
        "group": place.environment,
        "component": "{{ .CommonLabels.scope }}",
        "links": [
            {"href": "{{ .CommonAnnotations.runbook_url }}", "text": "Runbook"},
            {"href": "{{ .CommonAnnotations.dashboard_url }}", "text": "Track AI"},
        ],
        "details": {
            "meaning": "{{ .CommonAnnotations.description }}",
            "firing": "{{ range .Alerts.Firing }}{{ .Annotations.summary }}. {{ end }}",
        },
    }


def _heartbeat(receivers: Receivers) -> Mapping[str, Node]:
    token = {"credentials_file": receivers.file(HEARTBEAT_TOKEN)}
    return {
        "url": receivers.heartbeat_url,
        "send_resolved": False,
        "http_config": {"authorization": token},
    }
