"""Every item of the go-live checklist: data. What each asks and what to do is in words/*.toml.

The first twenty-four are the list that an installation goes live by; those after it stand around
it. docs/GO-LIVE-CHECKLIST.md is written from here.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType

from trackai.model.golive import Item, Proof, Section

_DAY = dt.timedelta(days=1)
_WEEK = dt.timedelta(days=7)
_MONTH = dt.timedelta(days=30)

_ITEMS = (
    Item("queues", 1, Section.INFRASTRUCTURE),
    Item("secrets", 2, Section.INFRASTRUCTURE),
    Item("replicas", 3, Section.INFRASTRUCTURE),
    # As the alarm has it: a backup a day, and two hours to make it.
    Item("database", 4, Section.INFRASTRUCTURE, lasts=dt.timedelta(hours=26)),
    Item("dashboards", 5, Section.INFRASTRUCTURE),
    Item("pager", 6, Section.INFRASTRUCTURE, lasts=_MONTH),
    Item("deployed", 7, Section.CODE, lasts=_DAY),
    Item("checks", 8, Section.CODE),
    Item("tests", 9, Section.CODE),
    Item("flags", 10, Section.CODE),
    Item("migrations", 11, Section.DATA),
    Item("tenant", 12, Section.DATA),
    Item("funnel", 13, Section.DATA, lasts=_MONTH),
    Item("sample", 14, Section.DATA, lasts=_WEEK),
    Item("visible", 15, Section.DATA, lasts=_WEEK),
    # Processes speak four times a minute.
    Item("metrics", 16, Section.MONITORING, lasts=dt.timedelta(minutes=2)),
    Item("numbers", 17, Section.MONITORING),
    Item("false_alarm", 18, Section.MONITORING, lasts=_MONTH),
    Item("logs", 19, Section.MONITORING, lasts=dt.timedelta(hours=1)),
    Item("rotation", 20, Section.TEAM, Proof.SIGNED),
    Item("runbooks_read", 21, Section.TEAM, Proof.SIGNED),
    Item("incident_plan", 22, Section.TEAM, Proof.SIGNED),
    Item("support", 23, Section.TEAM, Proof.SIGNED),
    Item("confidence", 24, Section.TEAM, Proof.SIGNED),
    Item("smoke", 25, Section.OPERATION, lasts=_DAY),
    Item("baseline", 26, Section.OPERATION, lasts=_MONTH),
    Item("runbooks", 27, Section.OPERATION),
    Item("on_call", 28, Section.OPERATION),
    Item("customer", 29, Section.OPERATION, lasts=_MONTH),
    Item("first_click", 30, Section.OPERATION, lasts=_MONTH),
    Item("events", 31, Section.OPERATION, lasts=_DAY),
    Item("critical", 32, Section.OPERATION),
    Item("backups_kept", 33, Section.OPERATION, lasts=dt.timedelta(hours=26)),
    Item("backup_verified", 34, Section.OPERATION, lasts=_DAY),
    Item("drills", 35, Section.OPERATION, lasts=_WEEK),
    Item("tls", 36, Section.OPERATION),
)

ITEMS: Mapping[str, Item] = MappingProxyType({one.id: one for one in _ITEMS})
