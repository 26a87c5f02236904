"""Tells the installation's people that another release runs: who is called asks what changed.

Nobody is woken: PagerDuty shows it beside incidents, Slack and webhooks get a line, mailboxes
nothing. It goes by the same outbox as calls, so that a pager that is away stops no deployment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from trackai.alarms.message import CHANGED
from trackai.alarms.ways.pagerduty import MOST_SUMMARY
from trackai.errors import InvalidField
from trackai.model.alarm import INSTALLATION, Deed, RouteKind
from trackai.model.clock import Clock, NewId
from trackai.storage.alarm_calls import NewCall, insert_calls_all_tenants
from trackai.storage.alarm_routes import Route, load_routes_all_tenants
from trackai.storage.audit_logs import Scribe
from trackai.storage.pool import Database

MOST_VERSION, MOST_LINK = 100, 2000
_KINDS = frozenset({RouteKind.PAGERDUTY, RouteKind.SLACK, RouteKind.WEBHOOK})


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, as somebody wrote it."""

    version: str
    summary: str = ""  # empty: a sentence with the version, in each route's language
    link: str | None = None


async def tell_of(
    change: Change, database: Database, scribe: Scribe, *, clock: Clock, new_id: NewId, pages: bool
) -> int:
    """Write down calls to the installation's routes; return how many.

    `pages`: it is us who tell PagerDuty, not something else.
    """
    told, change_id = _checked(change), new_id()
    async with database.transaction(tenant_id=INSTALLATION) as tx:
        routes = await load_routes_all_tenants(tx)
        calls = [_call(change_id, one, told, new_id) for one in _who(routes, pages=pages)]
        await insert_calls_all_tenants(tx, calls, now=clock.now())
        await scribe.note(tx, "alarm.deployed", change_id, told)
    return len(calls)


def _who(routes: Iterable[Route], *, pages: bool) -> Iterable[Route]:
    for one in routes:
        ours = pages or one.kind is not RouteKind.PAGERDUTY
        if one.tenant_id == INSTALLATION and one.kind in _KINDS and ours:
            yield one


def _call(change_id: UUID, route: Route, told: dict[str, str | None], new_id: NewId) -> NewCall:
    # A key of its own: nothing has to wait for what was said before.
    ids = (route.tenant_id, new_id(), route.id)
    return NewCall(*ids, Deed.CHANGE, f"{CHANGED}/{change_id}", CHANGED, told)


def _checked(change: Change) -> dict[str, str | None]:
    summary, version = " ".join(change.summary.split()), change.version.strip()
    if not 0 < len(version) <= MOST_VERSION or not version.isprintable():
        raise InvalidField(f"A version has 1 to {MOST_VERSION} letters.", field="version")
    if len(summary) > MOST_SUMMARY or not summary.isprintable():
        raise InvalidField(f"A summary has at most {MOST_SUMMARY} letters.", field="summary")
    if change.link is not None and not _is_address(change.link):
        raise InvalidField("A link is an http or https address.", field="link")
    return {"version": version, "summary": summary, "link": change.link}


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return whole and link.isprintable() and len(link) <= MOST_LINK
