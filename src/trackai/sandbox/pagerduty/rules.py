"""What PagerDuty's Events API v2 takes, by its documents of 2026: fields, lengths, words.

A trigger needs a payload; an acknowledge or resolve needs the key of what it is about. Lengths are
in letters, the size of an event in bytes. A change needs a key and a summary; all else of it may be
left out.
"""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from trackai.sandbox.asgi import NotJson, parse_json

MOST_BYTES = 512 * 1024
MOST_KEY, MOST_SUMMARY = 255, 1024
ROUTING_KEY = 32
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")


class Invalid(ValueError):
    """An event that PagerDuty refuses; `errors` are its sentences."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def parse_event(body: bytes) -> dict[str, Any]:
    """Return the event of a body; Invalid when there is none or it breaks a rule."""
    event = _object(body)
    errors = [*_of_routing(event), *_of_event(event), *_of_payload(event), *_of_links(event)]
    if errors:
        raise Invalid(*errors)
    return event


def parse_change(body: bytes) -> dict[str, Any]:
    """Return the change event of a body; Invalid when there is none or it breaks a rule."""
    event = _object(body)
    errors = [*_of_routing(event), *_of_change(event), *_of_links(event)]
    if errors:
        raise Invalid(*errors)
    return event


def _object(body: bytes) -> dict[str, Any]:
    try:
        event = parse_json(body)
    except NotJson:
        raise Invalid("Unable to parse JSON") from None
    if not isinstance(event, dict):
        raise Invalid("Event object is not a JSON object")
    return event


def _of_routing(event: dict[str, Any]) -> list[str]:
    routing = event.get("routing_key")
    if isinstance(routing, str) and len(routing) == ROUTING_KEY:
        return []
    return ["'routing_key' is invalid: it has 32 characters"]


def _of_event(event: dict[str, Any]) -> list[str]:
    errors = []
    action, key = event.get("event_action"), event.get("dedup_key")
    if action not in ACTIONS:
        errors.append(f"'event_action' is invalid: one of {', '.join(ACTIONS)}")
    if key is not None and not (isinstance(key, str) and len(key) <= MOST_KEY):
        errors.append(f"'dedup_key' is invalid: at most {MOST_KEY} characters")
    if action in {"acknowledge", "resolve"} and not key:
        errors.append(f"'dedup_key' is missing or blank: {action} needs it")
    return errors


def _of_payload(event: dict[str, Any]) -> list[str]:
    if event.get("event_action") != "trigger":
        return []
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return ["'payload' is missing"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not (isinstance(payload.get(name), str) and payload[name])
    ]
    if len(str(payload.get("summary", ""))) > MOST_SUMMARY:
        errors.append(f"'payload.summary' is invalid: at most {MOST_SUMMARY} characters")
    if payload.get("severity") and payload["severity"] not in SEVERITIES:
        errors.append(f"'payload.severity' is invalid: one of {', '.join(SEVERITIES)}")
    return errors


def _of_change(event: dict[str, Any]) -> list[str]:
    payload = event.get("payload")
    if not isinstance(payload, dict):
        return ["'payload' is missing"]
    errors = []
    summary, source = payload.get("summary"), payload.get("source", "")
    if not isinstance(summary, str) or not 0 < len(summary) <= MOST_SUMMARY:
        errors.append(f"'payload.summary' is missing or invalid: 1 to {MOST_SUMMARY} characters")
    if not isinstance(source, str):
        errors.append("'payload.source' is invalid: a text")
    if not isinstance(payload.get("custom_details", {}), dict):
        errors.append("'payload.custom_details' is invalid: an object")
    if "timestamp" in payload and not _is_moment(payload["timestamp"]):
        errors.append("'payload.timestamp' is invalid: a moment as ISO 8601 writes it")
    return errors


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and dt.datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _of_links(event: dict[str, Any]) -> list[str]:
    links = event.get("links", [])
    if not isinstance(links, list):
        return ["'links' is invalid: a list"]
    return [
        "'links.href' is invalid: an address"
        for one in links
        if not isinstance(one, dict)
        or urlsplit(str(one.get("href"))).scheme not in {"http", "https"}
    ]
