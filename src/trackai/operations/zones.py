"""The doctor's check of time zones: do the program and the database begin a tenant's day alike."""

import zoneinfo
from collections import defaultdict

from trackai.accounts.time_zones import find_difference
from trackai.operations.findings import Finding, Patient, State
from trackai.storage import tenants

_NEWER = (
    "One of the two lists of time zones is old. Update the machine's (package tzdata), or let the"
    " program take its own (PYTHONTZPATH= empty), or update the database's; then start everything"
    " again."
)


async def time_zones(patient: Patient) -> list[Finding]:
    """Compare both lists for each zone that tenants have."""
    now, findings = patient.clock.now(), []
    async with patient.database.transaction() as tx:
        owners = defaultdict(list)
        for tenant in await tenants.list_tenants_all_tenants(tx):
            owners[tenant.time_zone].append(tenant.name)
        known = zoneinfo.available_timezones()
        for zone, names in sorted(owners.items()):
            check = f"time zone {zone}"
            if zone not in known or not await tenants.knows_time_zone(tx, zone):
                found = f"not on both lists; the zone of {', '.join(names)}"
                findings.append(Finding(check, State.FAILED, found, _NEWER))
                continue
            differs = await find_difference(tx, zone, now)
            if differs is not None:
                state = State.FAILED if differs <= now else State.WARNING
                found = (
                    f"program and database say two times from {differs:%Y-%m-%d} on, and count what"
                    f" happens then in two days; the zone of {', '.join(names)}"
                )
                findings.append(Finding(check, state, found, _NEWER))
    return findings or [Finding("time zones", State.OK, "program and database agree")]
