"""What a feature flag says of a tenant: rules without I/O.

The installation's rule counts for everybody; a tenant's own counts before it. A kill switch counts
before both.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

EVERYBODY = 100
NOBODY = 0
# Buckets of a flag: a percentage is a number of hundreds of them.
_BUCKETS = 10_000


class OffMode(StrEnum):
    """What becomes of webhooks of a gateway that is off."""

    STORE = "store"  # 200, kept as received, worked on when it is on again
    REJECT = "reject"  # 404, as if there were no such address


class Why(StrEnum):
    """What a verdict rests on."""

    DEFAULT = "default"  # nobody has said anything
    EVERYBODY = "everybody"  # the installation's rule, for all or for none
    SHARE = "share"  # the installation's rule, for a part of the tenants
    OWN = "own"  # the tenant's own rule
    KILLED = "killed"  # off for everybody at once


@dataclass(frozen=True, slots=True)
class Rule:
    """What somebody said of a flag; a tenant's own says 0 or 100 percent."""

    percent: int = EVERYBODY
    off_mode: OffMode = OffMode.STORE
    killed: bool = False


@dataclass(frozen=True, slots=True)
class FlagSet:
    """A rule, whose it is, and who said so last."""

    tenant_id: UUID  # INSTALLATION: everybody's
    key: str
    rule: Rule
    set_by: str
    set_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is on for a tenant, and what happens where it is not."""

    on: bool
    why: Why
    off_mode: OffMode = OffMode.STORE


def verdict_of(key: str, tenant_id: UUID, everybodys: Rule | None, own: Rule | None) -> Verdict:
    """Return what counts for a tenant."""
    if everybodys is not None and everybodys.killed:
        return Verdict(on=False, why=Why.KILLED, off_mode=everybodys.off_mode)
    if own is not None:
        return Verdict(on=own.percent == EVERYBODY, why=Why.OWN, off_mode=own.off_mode)
    if everybodys is None:
        return Verdict(on=True, why=Why.DEFAULT)
    part = NOBODY < everybodys.percent < EVERYBODY
    return Verdict(
        on=bucket_of(key, tenant_id) < everybodys.percent * _BUCKETS // EVERYBODY,
        why=Why.SHARE if part else Why.EVERYBODY,
        off_mode=everybodys.off_mode,
    )


def bucket_of(key: str, tenant_id: UUID) -> int:
    """Return where a tenant stands among 10,000, the same for ever.

    A larger percentage reaches further, so that it turns nobody off; and each flag has an order of
    its own, so that not always the same tenants come first.
    """
    digest = hashlib.sha256(f"{key}:{tenant_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % _BUCKETS
