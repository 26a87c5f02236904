"""Who is on call, as PagerDuty's REST API tells it: GET /oncalls, by its documents of 2026.

A key stands in `Authorization: Token token=...`; without one it knows, the answer is 401. Lists are
filtered by `schedule_ids[]` and `escalation_policy_ids[]`; a query without either lists everybody.
"""

import datetime as dt
from dataclasses import dataclass, field

import msgspec

from trackai.model.clock import Clock
from trackai.sandbox.asgi import Reply, Request

ON_CALLS = "/oncalls"
_SCHEME = "Token token="
_SHIFT = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Shift:
    """Somebody of a schedule of a policy."""

    user: str
    name: str
    schedule: str
    policy: str


@dataclass
class OnCallList:
    """Keys that may ask, and whoever is on call until somebody says otherwise."""

    clock: Clock
    keys: set[str] = field(default_factory=set)
    shifts: list[_Shift] = field(default_factory=list)

    def add(self, user: str, name: str, *, schedule: str, policy: str) -> None:
        """Put somebody on call."""
        self.shifts.append(_Shift(user, name, schedule, policy))

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        given = request.headers.get("authorization", "")
        if request.method != "GET":
            return Reply(404)
        if not given.startswith(_SCHEME) or given.removeprefix(_SCHEME) not in self.keys:
            said = {"error": {"message": "Invalid Credentials Provided", "code": 2006}}
            return Reply(401, msgspec.json.encode(said))
        schedule = request.query.get("schedule_ids[]")
        policy = request.query.get("escalation_policy_ids[]")
        found = [
            self._told(one)
            for one in self.shifts
            if schedule in {None, one.schedule} and policy in {None, one.policy}
        ]
        page = {"oncalls": found, "limit": 25, "offset": 0, "more": False, "total": None}
        return Reply(200, msgspec.json.encode(page))

    def _told(self, one: _Shift) -> dict[str, object]:
        now = self.clock.now()
        return {
            "escalation_policy": _reference(one.policy, "escalation_policy_reference", one.policy),
            "escalation_level": 1,
            "schedule": _reference(one.schedule, "schedule_reference", one.schedule),
            "user": _reference(one.user, "user_reference", one.name),
            "start": now - _SHIFT,
            "end": now + _SHIFT,
        }


def _reference(id_: str, kind: str, summary: str) -> dict[str, str]:
    return {"id": id_, "type": kind, "summary": summary}
