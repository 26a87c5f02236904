"""The doctor's look at the alarms: does anybody look at them, is anybody told, what is wrong."""

import datetime as dt
from collections.abc import Iterable

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.evaluator import NAME
from trackai.model.alarm import RouteKind
from trackai.operations.findings import Finding, Patient, State
from trackai.storage import alarm_calls, alarm_routes, alarm_signals, jobs
from trackai.storage.alarm_routes import Route

LATELY = dt.timedelta(days=1)
# Longer than two looks of a server process that stands in.
LATE = dt.timedelta(minutes=2)


async def alarms(patient: Patient) -> list[Finding]:
    """Say whether alarms are looked at, which go on, and whether anybody is called."""
    async with patient.database.transaction() as tx:
        looked_at = await jobs.find_finished(tx, NAME)
        unwell = await alarm_signals.list_unwell_all_tenants(tx)
        routes = await alarm_routes.load_routes_all_tenants(tx)
        unmailed = await alarm_calls.count_unmailed_all_tenants(
            tx, since=patient.clock.now() - LATELY
        )
    if looked_at is None:
        to_do = "Start a worker: trackai worker (or trackai up)."
        return [Finding("alarms", State.WARNING, "nobody has looked at them yet", to_do)]
    findings = []
    if patient.clock.now() - looked_at > LATE:
        found = f"nobody has looked at them since {looked_at:%Y-%m-%d %H:%M} UTC"
        findings.append(Finding("alarms", State.FAILED, found, "Start a worker: trackai worker."))
    if not routes:
        to_do = "Add somebody: trackai alarms routes add pagerduty NAME (or email, slack, webhook)."
        findings.append(Finding("alarm routes", State.WARNING, "nobody is called", to_do))
    findings += _mail(routes, unmailed, here=patient.mail)
    firing = sorted({one.alarm for one, standing in unwell.items() if standing.incident_id})
    findings += [
        Finding(
            f"alarm {one}",
            State.WARNING,
            f"goes on: {sum(1 for subject in unwell if subject.alarm == one)}",
            f"See: trackai alarms show {one}; docs/runbooks/{ALARMS[one].page}.md",
        )
        for one in firing
        if one in ALARMS
    ]
    return findings or [Finding("alarms", State.OK, "all looked at, none goes on")]


def _mail(routes: Iterable[Route], unmailed: int, *, here: bool) -> list[Finding]:
    """Say whether letters can go out: any worker and any server may have to send them."""
    letters = sum(1 for one in routes if one.kind is RouteKind.EMAIL)
    to_do = "Set TRACKAI_SMTP_HOST and TRACKAI_MAIL_FROM for every trackai worker and serve."
    if unmailed:
        found = f"calls by e-mail that a process without a mail server had: {unmailed}"
        return [Finding("alarm mail", State.FAILED, found, to_do)]
    if letters and not here:
        found = f"routes by e-mail: {letters}; these settings name no mail server"
        return [Finding("alarm mail", State.WARNING, found, to_do)]
    return []
