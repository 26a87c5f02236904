"""PagerDuty's Events API v2, as documented in 2026.

202 takes an event, and that of a resolve for a key that is not known as well; 400 says that the
event is wrong and will be tomorrow; 429 and 5xx say later. Whatever else comes is of something in
between, a proxy or a page to sign in at, and no answer of PagerDuty's. A key takes about 120 events
a minute. Changes go to an address of their own and wake nobody; an integration's key serves both.
"""

import msgspec

from trackai.alarms.message import Message
from trackai.alarms.ways.port import Again, Outcome, Refused, Went
from trackai.destinations.http import Http
from trackai.errors import DestinationUnreachable
from trackai.model.alarm import Deed, Severity
from trackai.storage.alarm_routes import Target

URL = "https://events.pagerduty.com"
# Accounts of the European region.
URL_EU = "https://events.eu.pagerduty.com"
PATH = "/v2/enqueue"
CHANGE_PATH = "/v2/change/enqueue"
MOST_SUMMARY = 1024  # letters
_TAKEN = 202
# It is wrong, or too large: nothing will be different the next time.
_NEVER = frozenset({400, 413})
_SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
}


class PagerDuty:
    """Sends events; the route's secret is the integration's routing key."""

    ready = True  # nothing has to be set up for it

    def __init__(self, http: Http, url: str = URL) -> None:
        self._http = http
        self._url = url.rstrip("/")

    async def tell(self, message: Message, target: Target) -> Outcome:
        """Send one event."""
        change = message.deed is Deed.CHANGE
        event = change_of(message, target.secret) if change else event_of(message, target.secret)
        url = self._url + (CHANGE_PATH if change else PATH)
        body = msgspec.json.encode(event)
        try:
            answer = await self._http.post(
                url, body=body, headers={"Content-Type": "application/json"}
            )
        except DestinationUnreachable as error:
            return Again(error.code.replace("destination", "pagerduty"))
        if answer.status == _TAKEN:
            return Went()
        reason = f"pagerduty_{answer.status}"
        return Refused(reason) if answer.status in _NEVER else Again(reason)


def event_of(message: Message, routing_key: str) -> dict[str, object]:
    """Return the event; only a trigger has more than its key."""
    event: dict[str, object] = {
        "routing_key": routing_key,
        "event_action": message.deed.value,
        "dedup_key": message.key,
    }
    if message.deed is not Deed.TRIGGER:
        return event
    return {
        **event,
        "payload": {
            "summary": message.title[:MOST_SUMMARY],
            "source": message.source,
            "severity": _SEVERITIES[message.severity],
            "timestamp": message.fired_at.isoformat(),
            "component": message.alarm,
            "group": "trackai",
            "custom_details": {"meaning": message.text, **message.details},
        },
        "links": [
            {"href": message.runbook_url, "text": "Runbook"},
            {"href": message.alarm_url, "text": "Track AI"},
        ],
        "client": "Track AI",
        "client_url": message.alarm_url,
    }


def change_of(message: Message, routing_key: str) -> dict[str, object]:
    """Return the event that tells of a change."""
    link = {"href": message.link, "text": message.link}
    return {
        "routing_key": routing_key,
        "payload": {
            "summary": message.title[:MOST_SUMMARY],
            "timestamp": message.fired_at.isoformat(),
            "source": message.source,
            "custom_details": dict(message.details),
        },
        "links": [link] if message.link else [],
    }
