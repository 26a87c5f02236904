"""What must hold of a Meta account before anything is sent with it."""

from urllib.parse import urlsplit

from trackai.errors import InvalidField
from trackai.model.tenant import DestinationAccount

API_URL = "https://graph.facebook.com"
_LONGEST_CODE = 64
# Digits at most. Meta's ids have fewer than twenty, and it does not say how many they may have.
_LONGEST_ID = 40


def validate_account(account: DestinationAccount) -> None:
    """Raise InvalidField, naming the field, for an account that cannot be sent to."""
    is_number = account.pixel_id.isascii() and account.pixel_id.isdigit()
    if not is_number or len(account.pixel_id) > _LONGEST_ID:
        raise InvalidField(f"A pixel (dataset) id is 1 to {_LONGEST_ID} digits.", field="pixel_id")
    if not _is_word(account.token):
        raise InvalidField("The access token is empty or has blanks in it.", field="token")
    if account.test_event_code is not None and not (
        _is_word(account.test_event_code) and len(account.test_event_code) <= _LONGEST_CODE
    ):
        raise InvalidField("A test event code is one short word.", field="test_event_code")
    if account.api_url is not None and not _is_base_url(account.api_url):
        raise InvalidField("An address is http(s)://host, nothing behind.", field="api_url")


def host_of(account: DestinationAccount) -> str:
    """Return the host that the account's requests go to."""
    return urlsplit(account.api_url or API_URL).netloc.lower()


def _is_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and bool(text) and " " not in text


def _is_base_url(text: str) -> bool:
    scheme, found, rest = text.partition("://")
    return (
        scheme in {"http", "https"}
        and bool(found and rest.strip("/"))
        and _is_word(rest)
        and not any(char in rest for char in "?#@\\")
    )
