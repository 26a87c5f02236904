import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackai.destinations.meta.answers import (
    LONGEST_PAUSE_S,
    POLICY_PAUSE_S,
    Answer,
    AnswerReason,
    Verdict,
    answer_of,
)
from trackai.destinations.meta.usage import APP_USAGE_PAUSE_S, LONGEST_EASE_S

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "fixtures/meta/error_codes.json").read_text()
)["codes"]
REASONS = {
    "transient": {AnswerReason.TRANSIENT},
    "throttle": {AnswerReason.THROTTLED},
    "auth": {AnswerReason.TOKEN_REFUSED},
    "permission": {AnswerReason.PERMISSION_MISSING},
    "policy": {AnswerReason.POLICY_BLOCK},
    "permanent": {
        AnswerReason.INVALID,
        AnswerReason.TOO_OLD,
        AnswerReason.USER_DATA_THIN,
        AnswerReason.BAD_REQUEST,
        AnswerReason.TOO_LARGE,
    },
}


def refused(status: int = 400, headers: dict[str, str] | None = None, **error: Any) -> Answer:
    body = json.dumps({"error": {"message": "m", "type": "OAuthException", **error}})
    return answer_of(status, headers or {}, body.encode(), sent=2)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['code']}-{row.get('subcode')}")
def test_every_known_code_has_the_reason_of_its_class(row: dict[str, Any]) -> None:
    message = f"Invalid {row['match_message']} provided" if "match_message" in row else "m"
    answer = refused(code=row["code"], error_subcode=row.get("subcode"), message=message)

    assert answer.reason in REASONS[row["class"]]
    assert (answer.verdict is Verdict.DEFERRED) == (row["class"] != "permanent")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['code']}-{row.get('subcode')}")
def test_transient_beats_every_code_but_those_of_limits(row: dict[str, Any]) -> None:
    code, subcode = row["code"], row.get("subcode")
    answer = refused(code=code, error_subcode=subcode, is_transient=True)

    # A limit comes with its end: to wait until then is worth more than to try again soon.
    is_limit = refused(code=code, error_subcode=subcode).reason is AnswerReason.THROTTLED
    assert answer.reason is (AnswerReason.THROTTLED if is_limit else AnswerReason.TRANSIENT)


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (4, 1504022, AnswerReason.THROTTLED),
        (190, 999999, AnswerReason.TOKEN_REFUSED),
        (275, None, AnswerReason.PERMISSION_MISSING),
        (80008, None, AnswerReason.THROTTLED),
        (100, 2804999, AnswerReason.INVALID),
        (100, 2804003, AnswerReason.TOO_OLD),
        (100, 2804050, AnswerReason.USER_DATA_THIN),
        (-3, None, AnswerReason.TOO_LARGE),
        (424242, None, AnswerReason.UNKNOWN),
    ],
)
def test_unlisted_subcode_goes_by_its_code(
    code: int, subcode: int | None, expected: AnswerReason
) -> None:
    assert expected == refused(code=code, error_subcode=subcode).reason


def test_unknown_code_is_deferred_and_goes_by_the_status_where_that_says_more() -> None:
    assert Verdict.DEFERRED == refused(code=424242).verdict
    assert AnswerReason.TRANSIENT == refused(503, code=424242).reason
    assert AnswerReason.THROTTLED == refused(429, code=424242).reason


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, AnswerReason.UNREADABLE),
        (204, AnswerReason.UNREADABLE),
        (301, AnswerReason.UNREADABLE),
        (404, AnswerReason.UNREADABLE),
        (408, AnswerReason.TRANSIENT),
        (413, AnswerReason.TOO_LARGE),
        (429, AnswerReason.THROTTLED),
        (500, AnswerReason.TRANSIENT),
        (599, AnswerReason.TRANSIENT),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"events_rec', b"[]", b"{}", b'"\xff"'])
def test_body_that_is_not_graphs_goes_by_the_status(
    status: int, body: bytes, expected: AnswerReason
) -> None:
    assert expected == answer_of(status, {}, body, sent=1).reason


def test_the_right_number_is_accepted() -> None:
    body = b'{"events_received":2,"messages":[],"fbtrace_id":"A9"}'

    assert Answer(Verdict.ACCEPTED, trace_id="A9") == answer_of(200, {}, body, sent=2)


@pytest.mark.parametrize("received", [0, 1, 3])
def test_another_number_is_deferred(received: int) -> None:
    answer = answer_of(200, {}, json.dumps({"events_received": received}).encode(), sent=2)

    assert (Verdict.DEFERRED, AnswerReason.COUNT_DIFFERS) == (answer.verdict, answer.reason)


def test_an_error_with_status_200_is_an_error() -> None:
    assert AnswerReason.TOKEN_REFUSED == refused(200, code=190).reason


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("The parameter $['data'][17]['user_data'] is required.", 17),
        ("$['data'][0]", 0),
        ("$['data'][x]['event_time']", None),
        ("$['data'][", None),
        ("nothing", None),
    ],
)
def test_the_event_that_meta_names_is_read(words: str, expected: int | None) -> None:
    assert expected == refused(code=100, error_user_msg=words).bad_index


def test_detail_is_the_title_and_the_path_without_values() -> None:
    words = "The parameter $['data'][0]['user_data'] of ana@exemplo.com is required."
    answer = refused(code=100, error_user_title="Ung\u00fcltig", error_user_msg=words)

    assert answer.detail == "Ung\u00fcltig $['data'][0]['user_data']"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),  # from when?
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
                "date": "Wed, 21 Oct 2026 07:26:30 GMT",
            },
            90.0,
        ),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "soon", "date": "now"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "99999999"}, LONGEST_PAUSE_S),
        (
            {"x-business-use-case-usage": '{"7":[{"estimated_time_to_regain_access":19}]}'},
            1140.0,
        ),
        ({"x-business-use-case-usage": "broken"}, None),
        ({"x-ad-account-usage": "[]"}, None),
        ({"x-app-usage": '{"call_count":100,"total_time":25}'}, APP_USAGE_PAUSE_S),
        ({"x-app-usage": '{"call_count":60}'}, None),
        ({"x-app-usage": "broken"}, None),
        ({"x-ad-account-usage": '{"reset_time_duration":100}'}, 100.0),
        (
            {
                "retry-after": "5",
                "x-business-use-case-usage": '{"7":[{"estimated_time_to_regain_access":1}]}',
            },
            60.0,
        ),
    ],
)
def test_throttled_waits_for_as_long_as_the_headers_ask(
    headers: dict[str, str], expected: float | None
) -> None:
    assert expected == refused(headers=headers, code=80004).retry_after_s


def test_usage_headers_ask_for_no_pause_unless_throttled() -> None:
    headers = {"x-ad-account-usage": '{"reset_time_duration":100}'}

    assert refused(headers=headers, code=2).retry_after_s is None


def test_policy_block_waits_for_hours() -> None:
    assert POLICY_PAUSE_S == refused(code=368).retry_after_s


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_is_accepted_or_blamed_by_accident(status: int, body: bytes) -> None:
    assert answer_of(status, {}, body, sent=1).verdict in {Verdict.DEFERRED, Verdict.HALVE}


@pytest.mark.parametrize(
    ("headers", "ease_s"),
    [
        ({}, 0.0),
        ({"x-app-usage": '{"call_count":74}'}, 0.0),
        ({"x-app-usage": '{"call_count":1,"total_time":80}'}, LONGEST_EASE_S / 5),
        ({"x-app-usage": '{"call_count":94}'}, LONGEST_EASE_S * 19 / 25),
        # As good as used up: for as long as Meta says, or a while where it does not say.
        ({"x-app-usage": '{"call_count":100}'}, APP_USAGE_PAUSE_S),
        ({"x-app-usage": '{"call_count":250}'}, APP_USAGE_PAUSE_S),
        (
            {
                "x-business-use-case-usage": '{"7":[{"call_count":96,'
                '"estimated_time_to_regain_access":19}]}'
            },
            1140.0,
        ),
        ({"x-business-use-case-usage": '{"7":[{"call_count":85}]}'}, LONGEST_EASE_S * 2 / 5),
        ({"x-ad-account-usage": '{"acc_id_util_pct":90}'}, LONGEST_EASE_S * 3 / 5),
        ({"x-app-usage": "broken", "x-ad-account-usage": '{"acc_id_util_pct":90}'}, 36.0),
        ({"x-app-usage": "[" * 100_000}, 0.0),
    ],
)
def test_a_yes_near_the_limit_asks_to_be_left_alone(headers: dict[str, str], ease_s: float) -> None:
    answer = answer_of(200, headers, b'{"events_received":1,"fbtrace_id":"A"}', sent=1)

    assert answer.verdict is Verdict.ACCEPTED
    assert answer.ease_s == pytest.approx(ease_s)
