"""The stand-in as one ASGI application, with what it took and how it is to fail as methods."""

import datetime as dt
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from trackai.model.clock import Clock, new_id
from trackai.sandbox.asgi import (
    Receive,
    Reply,
    Request,
    Scope,
    Send,
    read_request,
    send_reply,
    serve_lifespan,
)
from trackai.sandbox.pagerduty.oncalls import ON_CALLS, OnCallList
from trackai.sandbox.pagerduty.rules import MOST_BYTES, Invalid, parse_change, parse_event

PATH = "/v2/enqueue"
CHANGE_PATH = "/v2/change/enqueue"
# Not PagerDuty's: what people would see, as JSON.
SEEN = "/sandbox/incidents"
CHANGES = "/sandbox/changes"
# Events of a key that are taken in a minute.
MOST_A_MINUTE = 120
_STATUS = {"acknowledge": "acknowledged", "resolve": "resolved"}
_MINUTE = dt.timedelta(minutes=1)


@dataclass
class Incident:
    """What people see: triggered, acknowledged, resolved."""

    id: UUID
    routing_key: str
    key: str
    summary: str
    severity: str
    links: list[str]
    status: str = "triggered"
    triggers: int = 1
    custom_details: dict[str, Any] = field(default_factory=dict)


class PagerDutySandbox:
    """PagerDuty's Events API v2, and who is on call, on this machine.

    Nothing leaves it; what was sent can be seen.
    """

    def __init__(self, clock: Clock, *, keep: int = 1000) -> None:
        self._clock = clock
        self._keys: set[str] = set()
        self._recent: dict[str, deque[dt.datetime]] = {}
        self._faults: deque[int] = deque()
        self.changes: deque[dict[str, Any]] = deque(maxlen=keep)
        self.events: deque[dict[str, Any]] = deque(maxlen=keep)
        self.incidents: deque[Incident] = deque(maxlen=keep)
        self.answers: Counter[int] = Counter()
        self.on_call = OnCallList(clock)
        self.dropped = 0  # acknowledges and resolves of keys that nobody knows

    def add_service(self, routing_key: str) -> None:
        """Let a service take events by this key of 32 characters."""
        self._keys.add(routing_key)

    def fail(self, *statuses: int) -> None:
        """Answer the next events so; 0 drops the connection."""
        self._faults.extend(statuses)

    def open(self, key: str) -> Incident | None:
        """Return the incident of a key that is not resolved."""
        found = (one for one in self.incidents if one.key == key and one.status != "resolved")
        return next(found, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive, max_body=MOST_BYTES)
            reply = _too_large() if request is None else self._answer(request)
            self.answers[reply.status] += 1
            await send_reply(reply, receive, send)

    def _answer(self, request: Request) -> Reply:
        if (request.method, request.path) == ("GET", SEEN):
            return Reply(200, msgspec.json.encode(list(self.incidents)))
        if request.path == ON_CALLS:
            return self.on_call.answer(request)
        if (request.method, request.path) == ("GET", CHANGES):
            # The key is a secret, here as there.
            shown = [{**one, "routing_key": None} for one in self.changes]
            return Reply(200, msgspec.json.encode(shown))
        if request.method != "POST" or request.path not in {PATH, CHANGE_PATH}:
            return Reply(404)
        if self._faults:
            status = self._faults.popleft()
            return Reply(status or 500, cut=status == 0)
        return self._judge(request)

    def _judge(self, request: Request) -> Reply:
        change = request.path == CHANGE_PATH
        try:
            event = parse_change(request.body) if change else parse_event(request.body)
        except Invalid as error:
            return _invalid(error)
        if event["routing_key"] not in self._keys:
            return _invalid(Invalid("'routing_key' is invalid: no such service"))
        if not self._may_send(event["routing_key"]):
            return Reply(429)
        if change:
            self.changes.append(event)
            return _changed()
        return self._take(event)

    def _may_send(self, routing_key: str) -> bool:
        now = self._clock.now()
        recent = self._recent.setdefault(routing_key, deque())
        while recent and now - recent[0] >= _MINUTE:
            recent.popleft()
        if len(recent) >= MOST_A_MINUTE:
            return False
        recent.append(now)
        return True

    def _take(self, event: dict[str, Any]) -> Reply:
        key = event.setdefault("dedup_key", new_id().hex)
        self.events.append(event)
        known = self.open(key)
        if event["event_action"] == "trigger":
            self._trigger(event, known)
        elif known is None:
            self.dropped += 1
        else:
            known.status = _STATUS[event["event_action"]]
        return _accepted(key)

    def _trigger(self, event: dict[str, Any], known: Incident | None) -> None:
        if known is not None:
            # The same again is one incident: who has it keeps it.
            known.triggers += 1
            return
        payload = event["payload"]
        self.incidents.append(
            Incident(
                *(new_id(), event["routing_key"], event["dedup_key"]),
                *(payload["summary"], payload["severity"]),
                [one["href"] for one in event.get("links", [])],
                custom_details=payload.get("custom_details", {}),
            )
        )


def _accepted(key: str) -> Reply:
    said = {"status": "success", "message": "Event processed", "dedup_key": key}
    return Reply(202, msgspec.json.encode(said))


def _changed() -> Reply:
    said = {"status": "success", "message": "Change event processed"}
    return Reply(202, msgspec.json.encode(said))


def _invalid(error: Invalid) -> Reply:
    said = {
        "status": "invalid event",
        "message": "Event object is invalid",
        "errors": list(error.errors),
    }
    return Reply(400, msgspec.json.encode(said))


def _too_large() -> Reply:
    return _invalid(Invalid(f"Event is larger than {MOST_BYTES} bytes"))
