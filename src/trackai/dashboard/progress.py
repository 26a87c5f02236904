"""How far a tenant has come with setting itself up: told by what there is, never by a mark."""

from dataclasses import dataclass
from uuid import UUID

from trackai.model.clock import Clock
from trackai.storage.destinations import list_destination_ids
from trackai.storage.heard import find_milestones
from trackai.storage.pool import Tx
from trackai.storage.tenants import list_funnels
from trackai.storage.token_checks import list_checks

# In the order in which they are taken.
STEPS = ("funnel", "gateway", "pixel", "tag", "sale")


@dataclass(frozen=True, slots=True)
class Progress:
    """Which steps are done."""

    done: frozenset[str]

    @property
    def missing(self) -> list[str]:
        """Return what is still to be done, in order."""
        return [step for step in STEPS if step not in self.done]

    @property
    def number(self) -> int:
        """Return how many steps are done."""
        return len(self.done)

    @property
    def total(self) -> int:
        """Return how many steps there are."""
        return len(STEPS)

    def after(self, step: str) -> str | None:
        """Return the next step to take: the first missing one behind this, else any."""
        behind = [one for one in self.missing if STEPS.index(one) > STEPS.index(step)]
        left = behind or [one for one in self.missing if one != step]
        return left[0] if left else None


async def load_progress(tx: Tx, clock: Clock, *, tenant_id: UUID) -> Progress:
    """Look how far the tenant is."""
    found = await find_milestones(tx, tenant_id=tenant_id)
    checks, now = await list_checks(tx, tenant_id=tenant_id), clock.now()
    good = {
        one
        for one, check in checks.items()
        if check["valid"] and (check["expires_at"] is None or check["expires_at"] > now)
    }
    done = {
        "funnel": bool(await list_funnels(tx, tenant_id=tenant_id)),
        "gateway": found["webhook"],
        "pixel": bool(good.intersection(await list_destination_ids(tx, tenant_id=tenant_id))),
        "tag": found["page"],
        "sale": found["accepted"],
    }
    return Progress(frozenset(step for step in STEPS if done[step]))
