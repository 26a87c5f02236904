import datetime as dt
import json
from typing import Any

import pytest

from trackai.destinations.meta.token import health_of
from trackai.destinations.port import TokenHealth

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
PIXEL = "123"


def health(status: int = 200, **data: Any) -> TokenHealth:
    return health_of(status, json.dumps({"data": data}).encode(), PIXEL, NOW)


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


def test_token_that_is_not_assigned_to_the_pixel_is_not_valid() -> None:
    granular = [{"scope": "ads_management", "target_ids": ["999"]}]
    found = health(is_valid=True, scopes=["ads_management"], granular_scopes=granular)

    assert found.valid is False
    assert "not assigned to this pixel" in found.found


@pytest.mark.parametrize("ids", [[PIXEL], [], None])
def test_token_whose_scope_reaches_the_pixel_is_valid(ids: list[str] | None) -> None:
    granular = [
        {"scope": "business_management", "target_ids": ["999"]},
        {"scope": "ads_management", "target_ids": ids},
    ]

    assert health(is_valid=True, scopes=["ads_management"], granular_scopes=granular).valid


def test_token_without_a_scope_for_events_is_told() -> None:
    assert "lacks ads_management" in health(is_valid=True, scopes=["email"]).found


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":{"code":100}}', b"{" * 90000])
def test_answer_that_does_not_tell_leaves_it_open(body: bytes) -> None:
    assert health_of(500, body, PIXEL, NOW).valid is None


@pytest.mark.parametrize("code", [102, 104, 190])
def test_refused_token_is_not_valid(code: int) -> None:
    body = json.dumps({"error": {"code": code}}).encode()

    assert health_of(401, body, PIXEL, NOW).valid is False


def test_impossible_time_is_no_end() -> None:
    assert health(is_valid=True, expires_at=10**17).expires_at is None
