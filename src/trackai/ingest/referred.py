"""Connections whose secrets are kept elsewhere, with the secrets in their place."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trackai.errors import SecretUnavailable
from trackai.model.tenant import GatewayConnection, Secret
from trackai.secrets.port import Secrets, is_reference

# How long a secret that was looked up is believed; a proof that fails asks again at once.
SECRET_S = 300.0
# How long the one before still proves webhooks, as when a secret is set by hand.
BEFORE = dt.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Connections as they prove; `away` when a secret among them could not be looked up."""

    connections: tuple[GatewayConnection, ...]
    away: SecretUnavailable | None = None


async def resolved(
    secrets: Secrets, connections: Sequence[GatewayConnection], *, max_age_s: float
) -> Resolved:
    """Look up what is kept elsewhere; what cannot be proves nothing."""
    if not any(is_reference(one.value) for each in connections for one in each.secrets):
        return Resolved(tuple(connections))
    away: SecretUnavailable | None = None
    found = []
    for connection in connections:
        values: list[Secret] = []
        for one in connection.secrets:
            try:
                values += await _values(secrets, one, max_age_s)
            except SecretUnavailable as error:
                away = error
        found.append(replace(connection, secrets=tuple(values)))
    return Resolved(tuple(found), away)


async def _values(secrets: Secrets, one: Secret, max_age_s: float) -> list[Secret]:
    if not is_reference(one.value):
        return [one]
    kept = await secrets.find(one.value, max_age_s=max_age_s)
    values = [Secret(kept.value, one.valid_until)]
    if kept.before is not None and kept.since is not None:
        until = kept.since + BEFORE
        values.append(Secret(kept.before, min(until, one.valid_until or until)))
    return values
