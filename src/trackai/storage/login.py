"""An address whose password is asked for whenever a connection is made, so that it may change."""

from collections.abc import Awaitable, Callable
from typing import Self, TypedDict

Password = Callable[[], Awaitable[str]]


class Login(str):
    """A database's address, and who knows the password now. A plain address has its own."""

    __slots__ = ("password",)

    password: Password

    def __new__(cls, url: str, password: Password) -> Self:
        """Return the address with who knows the password."""
        made = super().__new__(cls, url)
        made.password = password
        return made


class Said(TypedDict, total=False):
    """What the driver is told beside the address."""

    password: Password


def said_of(url: str) -> Said:
    """Return what the driver is told beside an address."""
    return {"password": url.password} if isinstance(url, Login) else {}
