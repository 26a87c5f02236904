"""What a gateway adapter is: a folder with `gateway.py` holding one `GATEWAY` of this protocol.

An adapter proves that bytes are the platform's and translates them. It knows no tenant, no
database and no clock but the time it is given.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from trackai.model.notice import NotASale, Notice

Parsed = tuple[Notice, ...] | NotASale


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A webhook exactly as received; `headers` have lower-case names, `query` has no '?'."""

    body: bytes
    headers: Mapping[str, str]
    query: str
    received_at: dt.datetime


class ProofFailure(StrEnum):
    """Why authenticity was not proved; shown to whoever set the webhook up."""

    NO_SECRET = "no_secret"  # noqa: S105 - none is configured, or only blank ones
    MISSING = "signature_missing"  # the request carries no proof at all
    MALFORMED = "signature_malformed"  # proof is there and unreadable
    MISMATCH = "signature_mismatch"  # proof does not fit: wrong secret or changed bytes
    TOO_OLD = "timestamp_too_old"  # right signature, outside the scheme's tolerance
    BODY_UNREADABLE = "body_unreadable"  # the proof is inside a body that does not parse


class Gateway(Protocol):
    """One payment platform."""

    @property
    def name(self) -> str:
        """Name in addresses, tables and commands: lower case."""
        ...

    @property
    def title(self) -> str:
        """Name for people."""
        ...

    @property
    def click_parameters(self) -> tuple[str, ...]:
        """Checkout address parameters that come back in the webhook and may carry our click id.

        The first is the one to use; the others stand in where a customer uses it for their own.
        """
        ...

    @property
    def checkout_hosts(self) -> tuple[str, ...]:
        """Domains of its checkouts, each with all below it."""
        ...

    @property
    def checkout_url(self) -> str:
        """Where its checkouts are: the address of a sale whose own page is not known."""
        ...

    @property
    def secret_prefix(self) -> str:
        """What each of its secrets begins with; blank when the platform has no such rule."""
        ...

    def verify(self, request: InboundRequest, secrets: Sequence[str]) -> ProofFailure | None:
        """Return None when any of the secrets proves the request authentic, else why not."""
        ...

    def parse(self, request: InboundRequest) -> Parsed:
        """Translate an authentic request; raise PayloadNotUnderstood when it cannot be read.

        Deterministic, so that stored receipts can be parsed again. An event or status that is
        not in the platform's table is NotASale("unknown_event"), not an error. No error text
        holds a value from the body.
        """
        ...
