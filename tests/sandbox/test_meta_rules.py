"""Each rule of the stand-in's events edge, without HTTP."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from trackai.sandbox.meta.rules import refuse_batch, refuse_envelope

NOW = 1_795_435_200  # 2026-11-23T12:00:00Z
DAY = 86_400
Event = dict[str, Any]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def purchase(**changes: Any) -> Event:
    event: Event = {
        "event_name": "Purchase",
        "event_time": NOW - 60,
        "event_id": "perfectpay:PPCPMTB1",
        "action_source": "website",
        "event_source_url": "https://curso.example.com/",
        "user_data": {
            "em": [sha("maria@example.com")],
            "ph": [sha("5511999999999")],
            "external_id": ["cliente-7"],
            "client_ip_address": "203.0.113.7",
            "client_user_agent": "Mozilla/5.0",
            "fbc": "fb.1.1795435100000.IwAR0abcDEF",
            "fbp": "fb.1.1795435100000.1234567890",
        },
        "custom_data": {
            "value": 197.0,
            "currency": "BRL",
            "order_id": "PPCPMTB1",
            "content_type": "product",
            "contents": [{"id": "curso", "quantity": 1}],
        },
    }
    return event | changes


def with_user(**keys: Any) -> Event:
    event = purchase()
    event["user_data"] = event["user_data"] | keys
    return event


def only_user(**keys: Any) -> Event:
    return purchase(user_data=keys)


def with_custom(**keys: Any) -> Event:
    event = purchase()
    event["custom_data"] = event["custom_data"] | keys
    return event


def without(field: str) -> Event:
    event = purchase()
    del event[field]
    return event


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(purchase(), id="a full purchase"),
        pytest.param(with_custom(currency="brl"), id="a lower-case currency"),
        pytest.param(with_custom(value=0), id="a sale for nothing"),
        pytest.param(without("event_id"), id="no event_id"),
        pytest.param(only_user(em=sha("a@example.com")), id="a hash that is not in a list"),
        pytest.param(only_user(fbp="fb.1.1795435100000.1234567890"), id="fbp alone"),
        pytest.param(only_user(external_id="cliente-7"), id="an external_id in clear"),
        pytest.param(only_user(em=[sha("a")], ph=[]), id="an empty list beside something"),
        pytest.param(
            with_user(fbc="fb.1.1795435100000.IwAR0abcDEF.AQICAQMC"), id="a parameter builder's fbc"
        ),
        pytest.param(with_user(client_ip_address="2001:db8::7"), id="IPv6"),
        pytest.param(purchase(event_time=NOW - 7 * DAY), id="seven days old"),
        pytest.param(
            purchase(event_time=NOW - 62 * DAY, action_source="physical_store"),
            id="62 days old in a shop",
        ),
        pytest.param(purchase(event_time=NOW + 60), id="a minute of skew"),
        pytest.param(
            purchase(event_name="Lead", custom_data=None), id="a lead without custom_data"
        ),
        pytest.param(purchase(data_processing_options=[]), id="no limited data use"),
    ],
)
def test_valid_events_are_taken(event: Event) -> None:
    assert refuse_batch([event], NOW) is None


FIRST = "$['data'][0]"


@pytest.mark.parametrize(
    ("event", "subcode", "path"),
    [
        (without("event_name"), 2804019, "['event_name']"),
        (without("event_time"), 2804019, "['event_time']"),
        (without("action_source"), 2804019, "['action_source']"),
        (without("user_data"), 2804019, "['user_data']"),
        (purchase(event_name=" "), 2804019, "['event_name']"),
        (purchase(event_id=7), 2804019, "['event_id']"),
        (purchase(event_id=""), 2804019, "['event_id']"),
        (purchase(event_time=str(NOW)), 2804019, "['event_time']"),
        (purchase(event_time=True), 2804019, "['event_time']"),
        (purchase(event_time=NOW * 1000), 2804019, "['event_time']"),
        (purchase(event_time=NOW + 61), 2804019, "['event_time']"),
        (purchase(event_time=NOW - 7 * DAY - 1), 2804003, "['event_time']"),
        (
            purchase(event_time=NOW - 62 * DAY - 1, action_source="physical_store"),
            2804003,
            "['event_time']",
        ),
        (purchase(action_source="site"), 2804019, "['action_source']"),
        (without("event_source_url"), 2804019, "['event_source_url']"),
        (purchase(event_source_url="curso.example.com"), 2804019, "['event_source_url']"),
        (purchase(action_source="business_messaging"), 2804116, "['user_data']"),
        (purchase(user_data=[]), 2804019, "['user_data']"),
        (purchase(user_data={}), 2804050, "['user_data']"),
        (only_user(email="maria@example.com"), 2804050, "['user_data']"),
        (only_user(em=[]), 2804050, "['user_data']"),
        (only_user(ct=[sha("sp")], client_user_agent="M"), 2804050, "['user_data']"),
        (only_user(db=[sha("19970216")], client_user_agent="M"), 2804050, "['user_data']"),
        (only_user(fn=[sha("maria")], ge=[sha("f")]), 2804050, "['user_data']"),
        (only_user(ln=[sha("silva")], ge=[sha("f")]), 2804050, "['user_data']"),
        (with_user(em=["maria@example.com"]), 2804019, "['user_data']['em']"),
        (with_user(em=[sha("a").upper()]), 2804019, "['user_data']['em']"),
        (with_user(em=[""]), 2804019, "['user_data']['em']"),
        (with_user(em=[sha("")]), 2804019, "['user_data']['em']"),
        (with_user(external_id=[sha("")]), 2804019, "['user_data']['external_id']"),
        (with_user(country="br"), 2804019, "['user_data']['country']"),
        (with_user(client_ip_address=sha("a")), 2804019, "['user_data']['client_ip_address']"),
        (with_user(client_ip_address="casa"), 2804019, "['user_data']['client_ip_address']"),
        (with_user(client_user_agent=sha("a")), 2804019, "['user_data']['client_user_agent']"),
        (with_user(fbp=sha("a")), 2804019, "['user_data']['fbp']"),
        (with_user(fbp="fb.1.123"), 2804019, "['user_data']['fbp']"),
        (with_user(fbc=sha("a")), 2804019, "['user_data']['fbc']"),
        (with_user(fbc="fb.1.1795435100000."), 2804001, "['user_data']['fbc']"),
        (with_user(fbc="fb.1.1795435100000"), 2804001, "['user_data']['fbc']"),
        (with_user(fbc="fb.1.1795435100.IwAR0"), 2804001, "['user_data']['fbc']"),
        (with_user(fbc="IwAR0abcDEF"), 2804001, "['user_data']['fbc']"),
        (with_user(lead_id=123), 2804036, "['user_data']['lead_id']"),
        (purchase(custom_data=None), 2804019, "['custom_data']['value']"),
        (purchase(custom_data={"value": 1}), 2804019, "['custom_data']['currency']"),
        (purchase(custom_data="197"), 2804019, "['custom_data']"),
        (with_custom(value="197.00"), 2804019, "['custom_data']['value']"),
        (with_custom(value=-1), 2804019, "['custom_data']['value']"),
        (with_custom(currency="XYZ"), 2804019, "['custom_data']['currency']"),
        (with_custom(order_id=7), 2804019, "['custom_data']['order_id']"),
        (with_custom(contents=["curso"]), 2804019, "['custom_data']['contents']"),
        (with_custom(content_ids="curso"), 2804019, "['custom_data']['content_ids']"),
        (with_custom(content_type="course"), 2804019, "['custom_data']['content_type']"),
        (with_custom(num_items=1.5), 2804019, "['custom_data']['num_items']"),
        (purchase(data_processing_options=["X"]), 2804019, "['data_processing_options']"),
    ],
)
def test_a_broken_rule_is_refused_by_its_subcode_and_named_by_its_path(
    event: Event, subcode: int, path: str
) -> None:
    refusal = refuse_batch([event], NOW)

    assert refusal is not None
    assert (100, subcode, (FIRST + path,)) == (refusal.code, refusal.subcode, refusal.blame)


def test_one_bad_event_refuses_the_whole_batch_and_is_named_by_its_place() -> None:
    refusal = refuse_batch([purchase(), purchase(), without("user_data")], NOW)

    assert refusal is not None
    assert refusal.detail == "The parameter $['data'][2]['user_data'] is required."


@pytest.mark.parametrize("batch", [[], [purchase()] * 1001, ["Purchase"]])
def test_batches_of_no_too_many_or_no_objects_are_refused(batch: list[Any]) -> None:
    refusal = refuse_batch(batch, NOW)

    assert refusal is not None
    assert refusal.code == 100


def test_a_thousand_events_are_taken() -> None:
    assert refuse_batch([purchase()] * 1000, NOW) is None


@pytest.mark.parametrize("agent", ["a1", "7", "x" * 23, 7])
def test_a_partner_agent_of_wrong_length_or_letters_is_refused(agent: object) -> None:
    assert refuse_envelope({"partner_agent": agent}) is not None


def test_no_refusal_repeats_a_value_of_the_event() -> None:
    secret = "maria.segredo@example.com"
    makers: list[Callable[..., Event]] = [with_user]
    for make in makers:
        for key in ("em", "client_ip_address", "fbc", "fbp"):
            refusal = refuse_batch([make(**{key: secret})], NOW)

            assert refusal is not None
            assert secret not in refusal.detail + refusal.message
