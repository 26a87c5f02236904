"""The doctor's look at the alarms: does anybody look at them, is anybody told, what is wrong."""

import datetime as dt

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.evaluator import NAME
from trackai.operations.findings import Finding, Patient, State
from trackai.storage import alarm_routes, alarm_signals, jobs

# Longer than two looks of a server process that stands in.
LATE = dt.timedelta(minutes=2)


async def alarms(patient: Patient) -> list[Finding]:
    """Say whether alarms are looked at, which go on, and whether anybody is called."""
    async with patient.database.transaction() as tx:
        looked_at = await jobs.find_finished(tx, NAME)
        unwell = await alarm_signals.list_unwell_all_tenants(tx)
        routes = await alarm_routes.load_routes_all_tenants(tx)
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
