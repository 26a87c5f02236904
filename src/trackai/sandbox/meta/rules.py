"""What Graph takes on the events edge, as pure rules: one batch in, one refusal or None out.

Facts are Meta's documentation and recorded answers (Conversions API, v26.0, 2026). Where Meta
publishes no code for a broken rule the generic parameter error 2804019 with a JSON path stands in.
One invalid event refuses its whole batch, as the documentation says.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from trackai.model.money import CURRENCIES
from trackai.sandbox.meta.refusal import (
    NO_MESSAGING_ACCOUNT,
    TOO_OLD,
    EventRule,
    JsonObject,
    Refusal,
    wrong,
)
from trackai.sandbox.meta.user_data import refuse_user_data

MAX_EVENTS = 1000  # a request
MAX_AGE_S = 7 * 86_400
MAX_AGE_STORE_S = 62 * 86_400  # action_source physical_store
MAX_AHEAD_S = 60  # undocumented at Meta; a minute of clock skew is what callers are allowed

ACTION_SOURCES = frozenset(
    """email website app phone_call chat physical_store system_generated business_messaging
    other""".split()
)
REQUIRED = ("event_name", "event_time", "action_source", "user_data")

_AGENT_LETTERS = re.compile("[A-Za-z]")
_MAX_AGENT = 22
_MAX_AMOUNT = 10**15


def refuse_batch(events: Sequence[object], now_s: int) -> Refusal | None:
    """Return why the batch is refused whole, or None when every event in it is valid."""
    if not events:
        return Refusal(100, message="(#100) The parameter data must hold at least one event")
    if len(events) > MAX_EVENTS:
        return Refusal(100, message=f"(#100) The parameter data must hold at most {MAX_EVENTS}")
    for index, event in enumerate(events):
        at = f"$['data'][{index}]"
        if not isinstance(event, dict):
            return wrong(at, "must be an object.")
        for rule in EVENT_RULES:
            refusal = rule(event, at, now_s)
            if refusal is not None:
                return refusal
    return None


def refuse_envelope(fields: JsonObject) -> Refusal | None:
    """Return why what stands beside `data` is refused, or None."""
    agent = fields.get("partner_agent")
    if agent is not None and not _is_agent(agent):
        return Refusal(100, message="(#100) partner_agent: under 23 characters, 2 or more letters")
    code = fields.get("test_event_code")
    if code is not None and (not isinstance(code, str) or not code.strip()):
        return Refusal(100, message="(#100) Param test_event_code must be a string")
    return None


def _is_agent(agent: object) -> bool:
    return (
        isinstance(agent, str)
        and len(agent) <= _MAX_AGENT
        and len(_AGENT_LETTERS.findall(agent)) > 1
    )


def _required(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    for field in REQUIRED:
        if event.get(field) is None:
            return wrong(f"{at}['{field}']", "is required.")
    return None


def _name(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    name = event["event_name"]
    if not isinstance(name, str) or not name.strip():
        return wrong(f"{at}['event_name']", "must be a non-empty string.")
    return None


def _time(event: JsonObject, at: str, now_s: int) -> Refusal | None:
    when, path = event["event_time"], f"{at}['event_time']"
    if isinstance(when, bool) or not isinstance(when, int):
        return wrong(path, "must be a Unix time in whole seconds.")
    if when >= 10**11:
        return wrong(path, "looks like milliseconds: it must be a Unix time in seconds.")
    if when > now_s + MAX_AHEAD_S:
        return wrong(path, "lies in the future.")
    oldest = MAX_AGE_STORE_S if event["action_source"] == "physical_store" else MAX_AGE_S
    if when < now_s - oldest:
        return wrong(path, f"is too old: at most {oldest // 86_400} days.", TOO_OLD)
    return None


def _source(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    source = event["action_source"]
    if not isinstance(source, str) or source not in ACTION_SOURCES:
        return wrong(
            f"{at}['action_source']", f"must be one of {', '.join(sorted(ACTION_SOURCES))}."
        )
    url = event.get("event_source_url")
    if source == "website" and (
        not isinstance(url, str) or not url.startswith(("http://", "https://"))
    ):
        return wrong(
            f"{at}['event_source_url']", "is required for website events: an http(s) address."
        )
    return None


def _messaging(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    user = event["user_data"]
    if event["action_source"] != "business_messaging" or not isinstance(user, dict):
        return None
    if not user.get("page_id") and not user.get("whatsapp_business_account_id"):
        path = f"{at}['user_data']"
        return wrong(path, "needs page_id or whatsapp_business_account_id.", NO_MESSAGING_ACCOUNT)
    return None


def _event_id(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    event_id = event.get("event_id")
    if event_id is not None and (not isinstance(event_id, str) or not event_id.strip()):
        return wrong(f"{at}['event_id']", "must be a non-empty string.")
    return None


def _custom_data(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    custom, path = event.get("custom_data"), f"{at}['custom_data']"
    if custom is None:
        custom = {}
    if not isinstance(custom, dict):
        return wrong(path, "must be an object.")
    if event["event_name"] == "Purchase":
        for field in ("value", "currency"):
            if custom.get(field) is None:
                return wrong(f"{path}['{field}']", "is required for Purchase.")
    for field, (valid, what) in _CUSTOM_FIELDS.items():
        value = custom.get(field)
        if value is not None and not valid(value):
            return wrong(f"{path}['{field}']", what)
    return None


def _options(event: JsonObject, at: str, _now_s: int) -> Refusal | None:
    options = event.get("data_processing_options")
    if options is not None and options not in ([], ["LDU"]):
        return wrong(f"{at}['data_processing_options']", "must be [] or ['LDU'].")
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and 0 <= value < _MAX_AMOUNT


def _is_currency(value: object) -> bool:
    return isinstance(value, str) and value.upper() in CURRENCIES


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_contents(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(i, dict) and i.get("id") for i in value)


_CUSTOM_FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "value": (_is_amount, "must be a JSON number, zero or more."),
    "currency": (_is_currency, "must be an ISO 4217 code."),
    "order_id": (_is_text, "must be a string."),
    "content_name": (_is_text, "must be a string."),
    "content_category": (_is_text, "must be a string."),
    "content_ids": (_is_texts, "must be a list of strings."),
    "contents": (_is_contents, "must be a list of objects with an id."),
    "content_type": (
        lambda v: v in ("product", "product_group"),
        "must be product or product_group.",
    ),
    "num_items": (_is_count, "must be a whole number."),
    "predicted_ltv": (_is_number, "must be a JSON number."),
    "net_revenue": (_is_number, "must be a JSON number."),
}

EVENT_RULES: tuple[EventRule, ...] = (
    _required,
    _name,
    _time,
    _source,
    _event_id,
    _messaging,
    refuse_user_data,
    _custom_data,
    _options,
)
