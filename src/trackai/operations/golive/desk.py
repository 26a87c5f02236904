"""The checklist, looked at: every proof side by side, signatures with names, and what they come to.

A proof that breaks, or that nobody could make, is evidence too: that the item does not hold.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from trackai.errors import ConfigurationError, StatementRefused, TrackaiError
from trackai.golive.rules import check
from trackai.model.golive import Checklist, Evidence, Signature
from trackai.operations.golive import build, data, infrastructure, watching
from trackai.operations.golive.look import Look, Prove
from trackai.storage import signoffs, smoke_runs, users
from trackai.storage.signoffs import SignOff
from trackai.telemetry.logging import get_logger

# Longest that one proof may take.
PATIENCE_S = 25.0
# Nothing older is looked at, so that accounts of smoke tests that were closed before do not matter.
FAR = dt.timedelta(days=60)
# So many look at the same time; each needs a connection.
AT_ONCE = 4

PROOFS: Mapping[str, Prove] = {
    "queues": infrastructure.queues,
    "secrets": infrastructure.secrets,
    "replicas": infrastructure.replicas,
    "database": infrastructure.database,
    "dashboards": infrastructure.dashboards,
    "pager": infrastructure.pager,
    "deployed": build.deployed,
    "checks": build.checks,
    "tests": build.tests,
    "flags": build.flags,
    "migrations": build.migrations,
    "tenant": data.tenant,
    "funnel": data.funnel,
    "sample": data.sample,
    "visible": data.visible,
    "metrics": watching.metrics,
    "numbers": data.numbers,
    "false_alarm": watching.false_alarm,
    "logs": watching.logs,
    # Signatures that rest on something that can be looked at.
    "runbooks_read": watching.runbooks,
    "support": watching.support,
    "smoke": data.smoke,
    "baseline": data.baseline,
    "runbooks": watching.runbooks,
    "on_call": watching.on_call,
    "customer": data.customer,
    "first_click": data.first_click,
    "events": data.events,
    "critical": watching.critical,
    "backups_kept": watching.backups_kept,
    "backup_verified": watching.backup_verified,
    "drills": watching.drills,
    "tls": infrastructure.tls,
}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the checklist is looked at."""

    look: Look

    async def check(self) -> Checklist:
        """Look at every item now."""
        practice, signed = await self._kept()
        look, turns = replace(self.look, practice=practice), asyncio.Semaphore(AT_ONCE)
        found = await asyncio.gather(*(_proved(name, look, turns) for name in PROOFS))
        names = await self._names({one.user_id for one in signed.values()})
        signatures = {
            item: Signature(
                item, one.user_id, one.note, one.at, one.expires_at, names.get(one.user_id, "")
            )
            for item, one in signed.items()
        }
        evidence = dict(zip(PROOFS, found, strict=True))
        return check(evidence, signatures, look.clock.now(), look.place.version)

    async def _kept(self) -> tuple[frozenset[UUID], dict[str, SignOff]]:
        """Return accounts of smoke tests, and what is signed; none before there are tables."""
        try:
            async with self.look.workers.transaction() as tx:
                since = self.look.clock.now() - FAR
                practice = await smoke_runs.list_practice(tx, since=since)
                return practice, await signoffs.list_last(tx)
        except StatementRefused:
            return frozenset(), {}

    async def _names(self, ids: set[UUID]) -> dict[UUID, str]:
        """Return how people who signed are called."""
        names = {}
        async with self.look.access.transaction() as tx:
            for user_id in ids:
                user = await users.find_user(tx, self.look.envelope, user_id)
                if user is not None:
                    names[user_id] = user.name or user.email
        return names


async def _proved(name: str, look: Look, turns: asyncio.Semaphore) -> Evidence:
    """Make one proof; whatever hinders it is what was found."""
    try:
        async with turns, asyncio.timeout(PATIENCE_S):
            return await PROOFS[name](look)
    except TrackaiError as error:
        return look.bad("not_asked", why=error.code)
    except ConfigurationError as error:
        return look.bad("not_asked", why=str(error))
    except TimeoutError:
        return look.bad("not_asked", why=f"{PATIENCE_S:g} s")
    except Exception:  # noqa: BLE001 - a defect of one proof must not hide the others
        get_logger().exception("golive.proof_failed", item=name)
        return look.bad("not_asked", why="internal_error")
