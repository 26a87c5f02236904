"""A secret's value, or where it is kept: what a stored reference looks like, and who resolves it.

A connection's secret in the database is a value, sealed, or such a reference, sealed all the same:
`aws:NAME` of AWS Secrets Manager, `file:NAME` of a directory; several names with commas between
mean the first that there is, so that a tenant's own goes before a default. Only operators' commands
make them: what a tenant types is never one, or it could name another tenant's.
"""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Protocol

from typing_extensions import override

from trackai.errors import ConfigurationError, SecretMissing

AWS, FILE = "aws:", "file:"
PREFIXES = (AWS, FILE)
# What Amazon takes in a name, and an address of Amazon.
_NAME = re.compile(r"[A-Za-z0-9/_+=.@:!-]{1,512}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class Reference(str):
    """Where a secret is kept, as an operator said it; a plain string is a value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A secret as it is kept now, and the one before it."""

    value: str = field(repr=False)
    before: str | None = field(repr=False, default=None)
    since: dt.datetime | None = None  # when the value came in place of the one before


class Secrets(Protocol):
    """Looks secrets up by reference."""

    async def find(self, reference: str, *, max_age_s: float) -> Kept:
        """Return a secret that was looked up at most so long ago.

        While it cannot be looked up, what was known before counts. SecretUnavailable when nothing
        was; SecretMissing when it is known that there is none.
        """
        ...


class Nowhere(Secrets):
    """Knows no place where secrets could be kept."""

    @override
    async def find(self, reference: str, *, max_age_s: float) -> Kept:
        raise SecretMissing


NOWHERE = Nowhere()


def is_reference(value: str) -> bool:
    """Tell whether a stored secret says where it is, in place of what it is."""
    return value.startswith(PREFIXES)


def reference(text: str) -> Reference:
    """Return what an operator says; ConfigurationError when nothing could be kept there."""
    said = text.strip()
    kind, _, names = said.partition(":")
    form = _FILE if kind + ":" == FILE else _NAME
    fits = all(form.fullmatch(name) for name in names.split(","))
    if not is_reference(said) or not fits:
        raise ConfigurationError(
            "A secret is kept at aws:NAME, with NAME as in AWS Secrets Manager, or at file:NAME, a "
            "file in TRACKAI_SECRETS_DIR. Several names, with commas between: the first there is."
        )
    return Reference(said)
