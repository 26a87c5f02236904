import uuid

import pytest

from trackai.destinations.registry import validate_account
from trackai.errors import InvalidField
from trackai.model.tenant import DestinationAccount


def account(**changes: str) -> DestinationAccount:
    values: dict[str, str] = {"kind": "meta", "pixel_id": "1234567890", "token": "EAAtoken"}
    return DestinationAccount(uuid.UUID(int=1), uuid.UUID(int=2), None, **(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"test_event_code": "TEST12345"},
        {"api_url": "http://127.0.0.1:8402"},
        {"api_url": "https://graph.facebook.com/"},
    ],
)
def test_account_that_can_be_sent_to_passes(changes: dict[str, str]) -> None:
    validate_account(account(**changes))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pixel_id", ""),
        ("pixel_id", "12a"),
        ("pixel_id", "1/../2"),
        ("pixel_id", "1" * 41),
        ("pixel_id", "\u0661\u0662"),
        ("token", ""),
        ("token", "EAA token"),
        ("token", "EAA\ntoken"),
        ("test_event_code", ""),
        ("test_event_code", "x" * 65),
        ("api_url", "graph.facebook.com"),
        ("api_url", "file:///etc"),
        ("api_url", "https://host?x=1"),
        ("api_url", "https://user@host"),
        ("api_url", "https://"),
        ("kind", "tiktok"),
    ],
)
def test_wrong_field_is_named_and_its_value_is_not(field: str, value: str) -> None:
    with pytest.raises(InvalidField) as refused:
        validate_account(account(**{field: value}))

    assert field == refused.value.field
    assert not value or value not in str(refused.value)
