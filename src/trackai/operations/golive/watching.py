"""Items of monitoring, backups and the team: metrics, logs, drills, runbooks, who is on call."""

import asyncio
import datetime as dt

import msgspec

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.pages import FOLDERS, runbook_text
from trackai.errors import DestinationUnreachable
from trackai.model.golive import Evidence
from trackai.operations.golive import amazon
from trackai.operations.golive.look import Look, OnCall, made_backups
from trackai.operations.logs import Logs
from trackai.storage import drill_runs, golive_facts
from trackai.telemetry.log_files import LOGS

HOUR = dt.timedelta(hours=1)
SPOKE_WITHIN = dt.timedelta(minutes=2)
LEAST_DAYS = 7
# PagerDuty's documents of 2026: keys stand so in a header, and the version in what is accepted.
ACCEPT = "application/vnd.pagerduty+json;version=2"
_OK = 200
# Names in a sentence; the rest is a number.
MOST_NAMES = 5


class _Lines(msgspec.Struct):
    """What an hour of log lines comes to."""

    lines: int = 0
    processes: int = 0
    critical: int = 0
    event: str = "-"  # of the last critical one
    last: dt.datetime | None = None


class _OnCalls(msgspec.Struct):
    """PagerDuty's answer: who is on call; of each only that it is somebody."""

    oncalls: list[dict[str, msgspec.Raw]]


async def metrics(look: Look) -> Evidence:
    """Ask which processes spoke, and of what."""
    since = look.clock.now() - SPOKE_WITHIN
    async with look.workers.transaction() as tx:
        heard = await golive_facts.list_processes_all_tenants(tx, since=since)
    if not heard:
        return look.bad("metrics_none")
    last = max(one.last for one in heard)
    most = max(one.metrics for one in heard)
    return look.good("metrics_ok", last, metrics=most, processes=len(heard), last=last)


async def false_alarm(look: Look) -> Evidence:
    """Ask for the last alarm that was fired on purpose."""
    async with look.workers.transaction() as tx:
        held = await drill_runs.list_last(tx)
    last = max(held.values(), key=lambda one: one.at, default=None)
    if last is None:
        return look.bad("drills_none")
    if not last.whole:
        return look.bad("false_alarm_failed", last.at, alarm=last.alarm, trouble=last.trouble)
    return look.good("false_alarm_ok", last.at, alarm=last.alarm)


async def drills(look: Look) -> Evidence:
    """Ask of every alarm when it was last fired on purpose; the evidence is of the oldest."""
    async with look.workers.transaction() as tx:
        held = await drill_runs.list_last(tx)
    missing = sorted(ALARMS.keys() - held.keys())
    if missing:
        return look.bad(
            "drills_missing", number=len(missing), alarms=len(ALARMS), names=_few(missing)
        )
    failed = sorted(name for name in ALARMS if not held[name].whole)
    if failed:
        return look.bad("drills_failed", number=len(failed), alarms=len(ALARMS), names=_few(failed))
    oldest = min(held[name].at for name in ALARMS)
    return look.good("drills_ok", oldest, alarms=len(ALARMS), oldest=oldest)


async def logs(look: Look) -> Evidence:
    """Read the last hour's lines of all processes that write to this disk."""
    if not look.place.keeps_logs:
        groups = look.place.log_groups
        return await amazon.logs(look, groups) if groups else look.bad("logs_off")
    found = await _hour_of(look)
    if found.last is None:
        return look.bad("logs_none", place=str(look.place.data_dir / LOGS))
    return look.good("logs_ok", found.last, lines=found.lines, processes=found.processes)


async def critical(look: Look) -> Evidence:
    """Look for CRITICAL lines of the last hour; without any lines nobody knows."""
    if not look.place.keeps_logs:
        groups = look.place.log_groups
        return await amazon.critical(look, groups) if groups else look.bad("logs_off")
    found = await _hour_of(look)
    if found.critical:
        return look.bad("critical_found", number=found.critical, event=found.event)
    if found.last is None:
        return look.bad("logs_none", place=str(look.place.data_dir / LOGS))
    return look.good("critical_ok", lines=found.lines)


async def runbooks(look: Look) -> Evidence:
    """Look for the page of every alarm, in every language."""
    pages = {one.page for one in ALARMS.values()}
    missing = sorted(page for page in pages if None in {runbook_text(page, one) for one in FOLDERS})
    if missing:
        return look.bad("runbooks_missing", names=_few(missing))
    return look.good("runbooks_ok", runbooks=len(pages), alarms=len(ALARMS))


async def support(look: Look) -> Evidence:
    """Ask whether a contact is set."""
    contact = look.place.support_contact.strip()
    return look.good("contact_ok", contact=contact) if contact else look.bad("contact_none")


async def on_call(look: Look) -> Evidence:
    """Ask PagerDuty who is on call now: how many, never who."""
    asked = look.place.on_call
    if asked is None:
        return look.bad("on_call_unset")
    try:
        answer = await look.http.get(
            f"{asked.url.rstrip('/')}/oncalls",
            query=_of(asked),
            headers={"Authorization": f"Token token={asked.key}", "Accept": ACCEPT},
        )
    except DestinationUnreachable as error:
        return look.bad("not_asked", why=error.code)
    if answer.status != _OK:
        return look.bad("on_call_refused", status=answer.status)
    try:
        found = msgspec.json.decode(answer.body, type=_OnCalls).oncalls
    except msgspec.DecodeError:
        return look.bad("not_asked", why="malformed_answer")
    people = {bytes(one["user"]) for one in found if "user" in one}
    return look.good("on_call_ok", people=len(people)) if people else look.bad("on_call_nobody")


async def backups_kept(look: Look) -> Evidence:
    """Ask whether backups are made, and kept long enough; the evidence is of the newest."""
    known = [one for one in await made_backups(look) if one.refuted_at is None]
    if not known:
        return look.bad("backup_none")
    newest = known[0]
    told = newest.taken_at
    if look.place.backups_elsewhere:
        return look.good("backups_elsewhere_ok", newest.taken_at, newest=told)
    days = look.place.backup_days
    if days < LEAST_DAYS:
        return look.bad("backups_kept_short", days=days)
    return look.good("backups_kept_ok", newest.taken_at, backups=len(known), days=days, newest=told)


async def backup_verified(look: Look) -> Evidence:
    """Ask for the last backup that was restored for a try, and for one that could not be."""
    tried = await made_backups(look)
    refuted = next((one for one in tried[:1] if one.refuted_at is not None), None)
    if refuted is not None:
        return look.bad("backup_refuted", refuted.refuted_at, name=refuted.name)
    verified = [(one.verified_at, one.name) for one in tried if one.verified_at is not None]
    if not verified:
        return look.bad("backup_verified_none")
    at, name = max(verified)
    return look.good("backup_verified_ok", at, name=name, when=at)


async def _hour_of(look: Look) -> _Lines:
    """Read in a thread: it may be many megabytes."""
    since = look.clock.now() - HOUR
    return await asyncio.to_thread(_read, Logs(look.place.data_dir / LOGS), since)


def _read(logs_: Logs, since: dt.datetime) -> _Lines:
    found, processes = _Lines(), set()
    for line in logs_.lines(since):
        if line.at < since:
            continue
        found.lines += 1
        found.last = line.at
        processes.add(line.process)
        if line.fields.get("level") == "critical":
            found.critical += 1
            found.event = str(line.fields.get("event", "-"))[:80]
    found.processes = len(processes)
    return found


def _of(asked: OnCall) -> dict[str, str]:
    query = {"earliest": "true"}
    if asked.schedule:
        query["schedule_ids[]"] = asked.schedule
    if asked.policy:
        query["escalation_policy_ids[]"] = asked.policy
    return query


def _few(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" +{more}" if more > 0 else "")
