"""Changing a funnel: its name, and how its sales are matched; what was decided before stays."""

import datetime as dt
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.accounts import words
from trackai.errors import Conflict, InvalidField, NotFound, StatementRefused
from trackai.model.clock import Clock, NewId
from trackai.model.tenant import Attribution, Funnel
from trackai.storage import tenants
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database

LONGEST_WINDOW = dt.timedelta(days=90)
# An address is somebody else's before long.
LONGEST_VISITOR_WINDOW = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FunnelChange:
    """What is to be different; None stays."""

    name: str | None = None
    window: dt.timedelta | None = None
    attribution: Attribution | None = None
    visitor_window: dt.timedelta | None = None


@dataclass(frozen=True, slots=True)
class Funnels:
    """One tenant's funnels, as people change them."""

    database: Database
    clock: Clock
    new_id: NewId
    tenant_id: UUID

    async def change(self, name: str, change: FunnelChange, *, actor: str) -> Funnel:
        """Change a funnel, named by name or id; return it as it is from now on.

        Conflict when the tenant has another one of the new name.
        """
        _check(change)
        try:
            return await self._change(name, change, actor=actor)
        except StatementRefused as error:
            if change.name is None:
                raise
            # Nobody had the name a moment ago.
            raise taken() from error

    async def _change(self, name: str, change: FunnelChange, *, actor: str) -> Funnel:
        async with self.database.transaction(tenant_id=self.tenant_id) as tx:
            known = await tenants.list_funnels(tx, tenant_id=self.tenant_id)
            before = next((one for one in known if name in {one.name, str(one.id)}), None)
            if before is None:
                raise NotFound(
                    "The tenant has no such funnel. List them: trackai funnel list TENANT"
                )
            changed = replace(
                before,
                name=before.name if change.name is None else words.name(change.name),
                attribution_window=_or(change.window, before.attribution_window),
                attribution=change.attribution or before.attribution,
                visitor_window=_or(change.visitor_window, before.visitor_window),
            )
            if any(one.name == changed.name and one.id != changed.id for one in known):
                raise taken()
            await tenants.update_funnel(tx, changed)
            scribe = Scribe(self.tenant_id, actor, self.clock, self.new_id)
            details = {"before": _told(before), "now": _told(changed)}
            await scribe.note(tx, "funnel.change", changed.id, details)
        return changed


def taken() -> Conflict:
    """Return that another funnel has the name."""
    return Conflict("The tenant has a funnel of this name already.", field="name")


def _check(change: FunnelChange) -> None:
    if change.window is not None and not dt.timedelta(hours=1) <= change.window <= LONGEST_WINDOW:
        raise InvalidField("The attribution window is 1 hour to 90 days.", field="window")
    if change.visitor_window is not None and not (
        dt.timedelta(0) <= change.visitor_window <= LONGEST_VISITOR_WINDOW
    ):
        raise InvalidField(
            "Address and agent may match within 0 (never) to 1440 minutes.", field="visitor_window"
        )


def _or(asked: dt.timedelta | None, before: dt.timedelta) -> dt.timedelta:
    return before if asked is None else asked


def _told(funnel: Funnel) -> dict[str, object]:
    return {
        "name": funnel.name,
        "attribution_window_h": int(funnel.attribution_window.total_seconds() // 3600),
        "attribution": funnel.attribution.value,
        "visitor_window_min": int(funnel.visitor_window.total_seconds() // 60),
    }
