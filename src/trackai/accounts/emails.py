"""E-mail addresses of people who sign in."""

import re

from trackai.errors import InvalidField

MOST_CHARS = 254  # RFC 5321
# What can be sent to, not all that the standard allows.
_NEITHER = r"@\s\x00-\x1f\ud800-\udfff\"<>(),;:\\\[\]"
_SHAPE = re.compile(rf"[^{_NEITHER}]+@[^{_NEITHER}]+\.[^.{_NEITHER}]+")


def normalized_email(given: str) -> str:
    """Return an address as it is compared; InvalidField when it is none."""
    email = given.strip().lower()
    if len(email) > MOST_CHARS or not _SHAPE.fullmatch(email):
        raise InvalidField("That is not an e-mail address.", field="email")
    return email
