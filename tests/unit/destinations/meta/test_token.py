import datetime as dt
import json
from typing import Any

import pytest

from trackai.destinations.meta.token import health_of, names_pixel, reaches_pixel
from trackai.destinations.port import TokenHealth

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
PIXEL = "123"


def health(status: int = 200, *, reaches: bool | None = True, **data: Any) -> TokenHealth:
    return health_of(status, json.dumps({"data": data}).encode(), NOW, reaches=reaches)


def in_days(days: int) -> int:
    return int((NOW + dt.timedelta(days=days)).timestamp())


def test_token_without_end_does_not_expire() -> None:
    found = health(is_valid=True, expires_at=0, scopes=["ads_management"])

    assert (True, None) == (found.valid, found.expires_at)
    assert found.found == "The token is valid: does not expire."


def test_the_nearer_of_two_ends_counts() -> None:
    found = health(is_valid=True, expires_at=in_days(60), data_access_expires_at=in_days(3))

    assert NOW + dt.timedelta(days=3) == found.expires_at
    assert "soon" in found.found


@pytest.mark.parametrize("data", [{"is_valid": False}, {"is_valid": True, "expires_at": 1}])
def test_expired_or_withdrawn_token_is_not_valid(data: dict[str, Any]) -> None:
    assert health(**data).valid is False


def test_token_that_does_not_reach_the_pixel_is_not_valid() -> None:
    found = health(is_valid=True, scopes=["ads_management"], reaches=False)

    assert found.valid is False
    assert "not assigned to this pixel" in found.found


def test_token_of_which_that_could_not_be_told_is_valid_and_says_so() -> None:
    found = health(is_valid=True, scopes=["ads_management"], reaches=None)

    assert found.valid is True
    assert "could not be told" in found.found


@pytest.mark.parametrize(
    ("ids", "named"), [([PIXEL], True), ([], True), (None, True), (["999"], False)]
)
def test_scopes_name_the_pixel_or_everything_or_something_else(
    ids: list[str] | None, *, named: bool
) -> None:
    granular = [
        {"scope": "email", "target_ids": [PIXEL]},
        {"scope": "ads_management", "target_ids": ids},
    ]
    body = json.dumps({"data": {"is_valid": True, "granular_scopes": granular}}).encode()

    assert named is names_pixel(body, PIXEL)
    assert names_pixel(b"junk", PIXEL)


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (200, None, True),
        (400, {"code": 100, "error_subcode": 33}, False),
        (400, {"code": 100}, None),
        (403, {"code": 200}, None),
        (500, None, None),
    ],
)
def test_what_an_answer_about_the_pixel_says(
    status: int, error: dict[str, int] | None, *, expected: bool | None
) -> None:
    assert expected is reaches_pixel(status, json.dumps({"error": error}).encode())


def test_token_without_a_scope_for_events_is_told() -> None:
    assert "lacks ads_management" in health(is_valid=True, scopes=["email"]).found


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":{"code":100}}', b"{" * 90000])
def test_answer_that_does_not_tell_leaves_it_open(body: bytes) -> None:
    assert health_of(500, body, NOW).valid is None


@pytest.mark.parametrize("code", [102, 104, 190])
def test_refused_token_is_not_valid(code: int) -> None:
    body = json.dumps({"error": {"code": code}}).encode()

    assert health_of(401, body, NOW).valid is False


def test_impossible_time_is_no_end() -> None:
    assert health(is_valid=True, expires_at=10**17).expires_at is None
