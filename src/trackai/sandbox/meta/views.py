"""The stand-in's own addresses under /sandbox: look at what arrived, order failures, register.

Not part of Graph. Bad input is answered with 4xx and a sentence.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec

from trackai.sandbox.asgi import Reply, Request, language_of
from trackai.sandbox.meta import page
from trackai.sandbox.meta.controls import Controls
from trackai.sandbox.meta.faults import Script
from trackai.sandbox.meta.state import DEFAULT_SCOPES, ReceivedEvent

_SHOWN = 200  # newest events of a listing, unless asked otherwise
_SHOWN_AT_MOST = 10_000
_LIMIT_DIGITS = 6


class _NewDataset(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str = ""


class _AdDay(msgspec.Struct, forbid_unknown_fields=True):
    """A row of insights, as Meta names and writes its values; by the day it is of."""

    date_start: dt.date
    campaign_id: str
    campaign_name: str
    ad_id: str
    ad_name: str
    spend: str
    adset_id: str = ""
    adset_name: str = ""
    account_currency: str = "BRL"
    impressions: str = "0"
    inline_link_clicks: str = "0"

    def told(self) -> dict[str, str]:
        day = self.date_start.isoformat()
        return {**msgspec.structs.asdict(self), "date_start": day, "date_stop": day}


class _AdDays(msgspec.Struct, forbid_unknown_fields=True):
    account: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+$")]  # without its act_
    rows: list[_AdDay]


class _NewToken(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    datasets: list[str] | None = None
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    expires_at: dt.datetime | None = None
    data_access_expires_at: dt.datetime | None = None


def answer(controls: Controls, request: Request) -> Reply:
    """Answer one request to the stand-in itself."""
    routes = _ROUTES.get(request.path.rstrip("/"))
    if routes is None:
        return _json({"error": "There is nothing at this address."}, 404)
    if request.method not in routes:
        return _json({"error": f"Use {' or '.join(routes)}."}, 405)
    try:
        return routes[request.method](controls, request)
    except (ValueError, RecursionError) as error:
        return _json({"error": str(error)}, 422)


def _home(_controls: Controls, _request: Request) -> Reply:
    return Reply(302, headers={"location": "/sandbox/test-events?view=all"})


def _events(controls: Controls, request: Request) -> Reply:
    events = controls.accepted(
        request.query.get("dataset") or None, request.query.get("event_name") or None
    )
    limit = _limit(request)
    return _json({"count": len(events), "events": [_listed(e) for e in events[-limit:]]})


def _summary(controls: Controls, _request: Request) -> Reply:
    return _json(controls.summary())


def _test_events(controls: Controls, request: Request) -> Reply:
    everything = request.query.get("view") == "all"
    found = controls.accepted() if everything else controls.test_events(request.query.get("code"))
    newest = found[-_limit(request) :][::-1]
    if "text/html" not in request.headers.get("accept", ""):
        return _json({"count": len(found), "events": [_listed(e) for e in newest]})
    html = page.render(
        newest,
        controls.summary(),
        language=language_of(request, ("pt", "en")),
        everything=everything,
    )
    return Reply(200, html.encode(), content_type="text/html; charset=utf-8", headers=page.HEADERS)


def _add_fault(controls: Controls, request: Request) -> Reply:
    controls.order(msgspec.json.decode(request.body, type=Script))
    return _json({"ok": True}, 201)


def _add_dataset(controls: Controls, request: Request) -> Reply:
    new = msgspec.json.decode(request.body, type=_NewDataset)
    controls.add_dataset(new.id, new.name)
    return _json({"ok": True}, 201)


def _add_token(controls: Controls, request: Request) -> Reply:
    new = msgspec.json.decode(request.body, type=_NewToken)
    for moment in (new.expires_at, new.data_access_expires_at):
        if moment is not None and moment.tzinfo is None:
            raise ValueError("times need a zone, such as 2030-01-01T00:00:00Z")
    controls.add_token(**msgspec.structs.asdict(new))
    return _json({"ok": True}, 201)


def _add_ad_days(controls: Controls, request: Request) -> Reply:
    new = msgspec.json.decode(request.body, type=_AdDays)
    controls.add_ad_days(new.account, [row.told() for row in new.rows])
    return _json({"ok": True}, 201)


def _clear_faults(controls: Controls, _request: Request) -> Reply:
    controls.clear_faults()
    return _json({"ok": True})


def _reset(controls: Controls, _request: Request) -> Reply:
    controls.reset()
    return _json({"ok": True})


def _limit(request: Request) -> int:
    text = request.query.get("limit", str(_SHOWN))
    if not text.isascii() or not text.isdigit() or len(text) > _LIMIT_DIGITS:
        raise ValueError("limit must be a whole number")
    return max(1, min(int(text), _SHOWN_AT_MOST))


def _listed(event: ReceivedEvent) -> dict[str, Any]:
    return {
        "number": event.number,
        "dataset": event.dataset,
        "event_name": event.event_name,
        "event_id": event.event_id,
        "received_at": event.received_at.isoformat(),
        "test_event_code": event.test_event_code,
        "duplicate": event.duplicate,
        "payload": event.payload,
    }


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, separators=(",", ":")).encode())


_ROUTES: Mapping[str, Mapping[str, Callable[[Controls, Request], Reply]]] = {
    "": {"GET": _home},
    "/sandbox": {"GET": _home},
    "/sandbox/events": {"GET": _events},
    "/sandbox/summary": {"GET": _summary},
    "/sandbox/test-events": {"GET": _test_events},
    "/sandbox/faults": {"POST": _add_fault, "DELETE": _clear_faults},
    "/sandbox/datasets": {"POST": _add_dataset},
    "/sandbox/tokens": {"POST": _add_token},
    "/sandbox/ad-days": {"POST": _add_ad_days},
    "/sandbox/reset": {"POST": _reset},
}
