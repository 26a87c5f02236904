"""Codes of a second factor: RFC 6238 as authenticators speak it, and codes for when one is lost."""

import datetime as dt
import hmac
import secrets
from collections.abc import Sequence

import pyotp

# What authenticators take for granted: SHA-1, six digits, a step of thirty seconds.
STEP_S, DIGITS = 30, 6
# A clock may be a step early or late.
DRIFT = 1
ISSUER = "Track AI"
RECOVERY_CODES = 10
# Nothing that looks like something else; twelve of them are 59 bits.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP_CHARS = 3, 4
MOST_CHARS = 40


def new_secret() -> str:
    """Return 160 random bits in base32, as RFC 4226 asks for."""
    return pyotp.random_base32()


def address_of(secret: str, email: str) -> str:
    """Return what an authenticator reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of(secret: str, given: str, *, now: dt.datetime) -> int | None:
    """Return the time step that a code is of; None when it is of none about now."""
    code = "".join(given.split())
    if not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        return None
    maker, this = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    found = None
    for step in range(this - DRIFT, this + DRIFT + 1):
        if hmac.compare_digest(maker.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> Sequence[str]:
    """Return codes that let somebody in once each."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def bare(given: str) -> str:
    """Return a recovery code as it is compared: without what makes it easy to read."""
    return "".join(one for one in given.lower() if one.isalnum())


def _new_recovery_code() -> str:
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS)
    )
    return "-".join(groups)
