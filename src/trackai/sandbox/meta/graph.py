"""The Graph edges themselves: versioned paths, tokens, POST /events, GET /debug_token.

Live Graph may upgrade a call to a version that has ended and say so in a header; here it is
refused, so that a pinned version that ended is noticed.
"""

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from trackai.sandbox.asgi import NotJson, Reply, Request, parse_form, parse_json
from trackai.sandbox.meta import answers, insights
from trackai.sandbox.meta.faults import LOSSES, OUTAGES, Fault, Faults, Script
from trackai.sandbox.meta.refusal import JsonObject, Refusal
from trackai.sandbox.meta.rules import refuse_batch, refuse_envelope
from trackai.sandbox.meta.state import State, Token

# Version -> first day without it, as published by Meta (read 2026-11); None: not announced.
VERSIONS: Mapping[str, dt.date | None] = {
    "v21.0": dt.date(2027, 1, 21),
    "v22.0": dt.date(2027, 5, 20),
    "v23.0": dt.date(2027, 10, 8),
    "v24.0": dt.date(2028, 2, 18),
    "v25.0": dt.date(2028, 7, 29),
    "v26.0": None,
}
_OLD_VERSION = re.compile(r"v(1?[0-9]|20)\.[0-9]", re.ASCII)
_QUIET_USAGE = {
    "x-app-usage": '{"call_count":1,"total_time":1,"total_cputime":1}',
}
_READING_SCOPES = frozenset({"ads_read", "ads_management"})
_NEEDED_SCOPES = frozenset({"ads_management", "business_management"})


class Unreadable(ValueError):
    """A request body that is not what the edge takes; the text is for the caller."""


class Graph:
    """Answers Graph requests from a state and the failures on order."""

    def __init__(self, state: State, faults: Faults, *, app_id: str, app_secret: str) -> None:
        self._state = state
        self._faults = faults
        self._app_id = app_id
        self._app_secret = app_secret

    def answer(self, request: Request, now: dt.datetime) -> Reply:
        """Answer one request; counts it, and stores its events when they are taken."""
        self._state.requests += 1
        reply = self._route(request, now)
        self._state.answers[reply.status] += 1
        return reply

    def _route(self, request: Request, now: dt.datetime) -> Reply:
        parts = request.path.strip("/").split("/")
        refusal = _refuse_version(parts[0], now.date())
        if refusal is not None:
            return self._refuse(refusal)
        match request.method, parts[1:]:
            case "GET", ["debug_token"]:
                return self._debug_token(request, now)
            case "GET", [dataset]:
                return self._dataset(dataset, request, now)
            case "GET", [account, "insights"] if account.startswith("act_"):
                return self._insights(account.removeprefix("act_"), request, now)
            case "POST", [dataset, "events"]:
                return self._events(dataset, request, now)
            case _:
                return self._refuse(_UNKNOWN_PATH)

    def _dataset(self, dataset: str, request: Request, now: dt.datetime) -> Reply:
        """Answer with the dataset's node, to whom it is assigned."""
        refusal = self._refuse_caller(dataset, request, {}, now)
        if refusal is not None:
            return self._refuse(refusal)
        return Reply(200, json.dumps({"id": dataset}, separators=(",", ":")).encode())

    def _insights(self, account: str, request: Request, now: dt.datetime) -> Reply:
        outage = self._faults.take(OUTAGES, account)
        if outage is not None:
            return self._fail(outage, account)
        refusal = self._refuse_reader(account, request, now)
        if refusal is not None:
            return self._refuse(refusal)
        endless = self._faults.take(frozenset({Fault.ENDLESS}), account) is not None
        try:
            page = insights.page(self._state.ad_days[account], request.query, endless=endless)
        except ValueError as error:
            return self._refuse(Refusal(100, message=f"(#100) {error}"))
        return Reply(200, json.dumps(page, separators=(",", ":")).encode(), headers=_QUIET_USAGE)

    def _refuse_reader(self, account: str, request: Request, now: dt.datetime) -> Refusal | None:
        _, value = _token_in(request, {})
        token = self._state.tokens.get(value or "")
        if value is None:
            return answers.TOKEN_REQUIRED
        if token is None:
            return answers.INVALID_TOKEN
        if token.expired(now):
            return answers.EXPIRED_TOKEN
        if account not in self._state.ad_days or not token.may_use(account):
            return answers.unknown_object(f"act_{account}")
        return None if _READING_SCOPES & set(token.scopes) else answers.NO_ADS_READ

    def _events(self, dataset: str, request: Request, now: dt.datetime) -> Reply:
        outage = self._faults.take(OUTAGES, dataset)
        if outage is not None:
            return self._fail(outage, dataset)
        try:
            fields = _fields(request)
            refusal = self._refuse_caller(dataset, request, fields, now)
            events = [] if refusal else _events_in(fields)
        except Unreadable as error:
            return self._refuse(Refusal(100, message=f"(#100) {error}"))
        refusal = (
            refusal
            or refuse_envelope(fields)
            or refuse_batch(events, int(now.timestamp()))
            or self._bad_event(dataset, events)
        )
        if refusal is not None:
            return self._refuse(refusal, dataset)
        return self._take(dataset, events, fields, now)

    def _take(self, dataset: str, events: list[Any], fields: JsonObject, now: dt.datetime) -> Reply:
        code = fields.get("test_event_code")
        for event in events:
            self._state.store(dataset, event, now, code if isinstance(code, str) else None)
        body = answers.accepted(len(events))
        loss = self._faults.take(LOSSES, dataset)
        if loss is None:
            return Reply(200, body, headers={**_QUIET_USAGE, **_buc_usage(dataset, 1, 0)})
        if loss.kind is Fault.USAGE:
            return Reply(200, body, headers=_buc_usage(dataset, loss.percent, 0))
        if loss.kind is Fault.ANSWER_LOST:
            return Reply(200, cut=True)
        return Reply(200, body[: len(body) // 2])

    def _refuse(self, refusal: Refusal, dataset: str = "") -> Reply:
        name = f"{refusal.code}/{refusal.subcode}" if refusal.subcode else str(refusal.code)
        self._state.refused[name] += 1
        wording = self._faults.take(frozenset({Fault.LOCALIZED}), dataset)
        return answers.refused(refusal, locale=wording.locale if wording else "en")

    def _fail(self, script: Script, dataset: str) -> Reply:
        if script.kind is Fault.HTTP_503_HTML:
            page = b"<!DOCTYPE html><html><body><h1>Service Unavailable</h1></body></html>"
            return Reply(503, page, content_type="text/html")
        if script.kind is Fault.GARBAGE:
            return Reply(200, _GARBAGE)
        refusal, headers = _OUTAGE_ANSWERS.get(script.kind, (None, {}))
        if refusal is None:
            refusal = Refusal(
                script.code,
                script.subcode,
                message=f"(#{script.code}) An error ordered by the sandbox's user",
                status=script.status,
                transient=script.transient,
            )
        reply = self._refuse(refusal, dataset)
        if script.kind is Fault.THROTTLE_BUC:
            headers = _buc_usage(dataset, 100, script.minutes)
        if script.kind is Fault.THROTTLE_429:
            headers = {"retry-after": str(script.retry_after)}
        stall_s = script.seconds if script.kind is Fault.TIMEOUT else 0.0
        return Reply(reply.status, reply.body, headers=headers, stall_s=stall_s)

    def _bad_event(self, dataset: str, events: list[Any]) -> Refusal | None:
        ids = {event.get("event_id") for event in events}
        script = self._faults.take(
            frozenset({Fault.BAD_EVENT}), dataset, also=lambda script: script.event_id in ids
        )
        return Refusal(100, 2804019, "An event is invalid.") if script else None

    def _refuse_caller(
        self, dataset: str, request: Request, fields: JsonObject, now: dt.datetime
    ) -> Refusal | None:
        place, value = _token_in(request, fields)
        if value is None:
            return answers.TOKEN_REQUIRED
        self._state.token_places[place] += 1
        token = self._state.tokens.get(value)
        if token is None:
            return answers.INVALID_TOKEN
        if token.expired(now):
            return answers.EXPIRED_TOKEN
        proof = fields.get("appsecret_proof", request.query.get("appsecret_proof"))
        if proof is not None and not self._proves(value, str(proof)):
            return answers.WRONG_PROOF
        return self._refuse_asset(token, dataset)

    def _refuse_asset(self, token: Token, dataset: str) -> Refusal | None:
        if not token.may_use(dataset) or dataset not in self._state.datasets:
            return answers.unknown_object(dataset)
        return None if _NEEDED_SCOPES & set(token.scopes) else answers.NO_PERMISSION

    def _proves(self, token: str, proof: str) -> bool:
        expected = hmac.new(self._app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), proof.encode("utf-8", "replace"))

    def _debug_token(self, request: Request, now: dt.datetime) -> Reply:
        _, caller = _token_in(request, {})
        if caller is None:
            return self._refuse(answers.TOKEN_REQUIRED)
        known = self._state.tokens.get(caller)
        is_app = caller == f"{self._app_id}|{self._app_secret}"
        if not is_app and (known is None or known.expired(now)):
            return self._refuse(answers.INVALID_TOKEN)
        asked = request.query.get("input_token", "")
        if not asked:
            return self._refuse(
                Refusal(100, message="(#100) The parameter input_token is required")
            )
        data = self._describe(self._state.tokens.get(asked), now)
        return Reply(200, json.dumps({"data": data}, separators=(",", ":")).encode())

    def _describe(self, token: Token | None, now: dt.datetime) -> dict[str, object]:
        if token is None:
            error = {"code": 190, "message": "Invalid OAuth access token."}
            return {"error": error, "is_valid": False, "scopes": []}
        data: dict[str, object] = {
            "app_id": self._app_id,
            "application": "Track AI sandbox",
            "type": "SYSTEM_USER",
            "is_valid": not token.expired(now),
            "issued_at": _epoch(token.issued_at),
            "expires_at": _epoch(token.expires_at),
            "data_access_expires_at": _epoch(token.data_access_expires_at),
            "user_id": "100000000000001",
            "scopes": list(token.scopes),
        }
        if token.datasets is not None:
            data["granular_scopes"] = [
                {"scope": scope, "target_ids": sorted(token.datasets)} for scope in token.scopes
            ]
        if token.expired(now):
            data["error"] = {"code": 190, "subcode": 463, "message": "Session has expired."}
        return data


# Not JSON, not UTF-8, not text: whatever answered, it was not Graph.
_GARBAGE = bytes(range(255, -1, -1))
_UNKNOWN_PATH = Refusal(2500, message="Unknown path components, or a method they do not take")
_TRY_LATER = "An unexpected error has occurred. Please retry your request later."
_OUTAGE_ANSWERS: Mapping[Fault, tuple[Refusal, Mapping[str, str]]] = {
    Fault.HTTP_500: (Refusal(1, message="An unknown error occurred", status=500), {}),
    Fault.TIMEOUT: (Refusal(2, message=_TRY_LATER, status=503, transient=True), {}),
    Fault.THROTTLE: (
        Refusal(4, message="(#4) Application request limit reached", transient=True),
        {"x-app-usage": '{"call_count":100,"total_time":42,"total_cputime":35}'},
    ),
    Fault.THROTTLE_BUC: (
        Refusal(
            80004,
            2446079,
            message="(#80004) There have been too many calls to this ad-account.",
        ),
        {},
    ),
    Fault.THROTTLE_429: (
        Refusal(4, message="(#4) Application request limit reached", status=429),
        {},
    ),
    Fault.TOKEN_EXPIRED: (answers.EXPIRED_TOKEN, {}),
}


def _refuse_version(version: str, today: dt.date) -> Refusal | None:
    if version in VERSIONS:
        end = VERSIONS[version]
        if end is None or today < end:
            return None
    elif not _OLD_VERSION.fullmatch(version):
        return Refusal(2500, message="Unknown path components: the path starts with a version")
    newest = list(VERSIONS)[-1]
    return Refusal(2635, message=f"(#2635) This version has ended. Please update to {newest}.")


def _fields(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            body = parse_json(request.body)
            if not isinstance(body, dict):
                raise Unreadable("The body must be a JSON object")
            return body
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_form(request.body))
    except NotJson:
        raise Unreadable("The body is not JSON") from None
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("The body is not a form") from None
    raise Unreadable("Send application/json or application/x-www-form-urlencoded")


def _events_in(fields: JsonObject) -> list[Any]:
    """Read `data`: a list, a JSON list in a string, or (the SDK) one holding JSON strings."""
    data = _decoded(fields.get("data"))
    if not isinstance(data, list):
        raise Unreadable("Param data must be an array")
    return [_decoded(event) for event in data[:1001]]


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value)
    except NotJson:
        raise Unreadable("Param data must be valid JSON") from None


def _token_in(request: Request, fields: JsonObject) -> tuple[str, str | None]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth") and value.strip():
        return "header", value.strip()
    if request.query.get("access_token"):
        return "query", request.query["access_token"]
    in_body = fields.get("access_token")
    return "body", in_body if isinstance(in_body, str) and in_body else None


def _epoch(moment: dt.datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0


def _buc_usage(account: str, percent: int, minutes: float) -> dict[str, str]:
    usage = {
        "type": "ads_management",
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 1,
        "estimated_time_to_regain_access": minutes,
        "ads_api_access_tier": "standard_access",
    }
    return {"x-business-use-case-usage": json.dumps({account: [usage]}, separators=(",", ":"))}
