"""Why a database could not be opened, in words that say what to change."""

import socket
import ssl
from urllib.parse import urlsplit

import asyncpg

from trackai.errors import ConfigurationError, StorageUnavailable

CONNECT_ERRORS = (
    OSError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    TimeoutError,
)

_FORM = "It reads postgresql://user:password@host:port/name"
_PERCENT = "in a password @ : / # and % are written as %40 %3A %2F %23 %25"


_LOST = f"its host is not found. {_FORM}; {_PERCENT}"
_UNREADABLE = f"it cannot be read. {_FORM}; {_PERCENT}"

_UNPROVED = (
    "nobody it trusts vouches for the server's certificate, or it is another host's. Let "
    "sslrootcert name a file with the authority"
)

# The address must be changed: waiting will not help.
_WRONG: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLCertVerificationError, _UNPROVED),
    (asyncpg.InvalidPasswordError, "the server refuses this user or password"),
    (asyncpg.InvalidAuthorizationSpecificationError, "the server refuses this user or password"),
    (asyncpg.InvalidCatalogNameError, "the server has no database of this name; create it first"),
    (asyncpg.InsufficientPrivilegeError, "this user may not connect to it"),
    (asyncpg.InvalidParameterValueError, "its roles are missing; run: trackai migrate"),
    (ValueError, _UNREADABLE),
    (asyncpg.InterfaceError, _UNREADABLE),
)
_AWAY: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, _LOST),
    (ConnectionRefusedError, "nothing listens at its host and port; is PostgreSQL running there?"),
    (TimeoutError, "its host does not answer in time; is there a firewall between?"),
    (FileNotFoundError, "there is no server at its socket"),
    (Exception, "the connection failed"),
)


def why_not_connected(error: Exception, url: str) -> ConfigurationError | StorageUnavailable:
    """Return the error for people. It holds nothing of the address."""
    wrong = _what_to_change(error, url)
    if wrong:
        return ConfigurationError(f"TRACKAI_DATABASE_URL does not open a database: {wrong}.")
    why = next(why for kind, why in _AWAY if isinstance(error, kind))
    return StorageUnavailable(
        f"The database of TRACKAI_DATABASE_URL cannot be reached: {why}.", retry_after_s=1.0
    )


def _what_to_change(error: Exception, url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        return f"its scheme is not postgresql. {_FORM}"
    # A host has no socket that could be missing.
    if isinstance(error, FileNotFoundError) and parts.hostname:
        return "there is no file where its sslrootcert says"
    return next((why for kind, why in _WRONG if isinstance(error, kind)), None)
