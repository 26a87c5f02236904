"""From which value on an account's alarms fire: as usual, as the installation says, or its own."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from trackai.alarms.choices import Counting, most_of
from trackai.alarms.message import exactly, words_of
from trackai.errors import InvalidField
from trackai.model.alarm import YES_OR_NO, Alarm, digits_of

# As browsers send it, and as people type it where they write a comma.
# As many digits as a command takes, for a field holds what a command chose.
_NUMBER = re.compile(r"\d{1,13}(?:[.,]\d{1,10})?")


@dataclass(frozen=True, slots=True)
class Threshold:
    """What counts for one alarm, in the reader's words."""

    alarm: Alarm
    title: str
    fires: str  # the value, with its unit
    ends: str
    unit: str
    number: str  # the value as a form's field holds it
    most: float | None
    chosen: bool  # there is a number to choose: not of what is or is not
    whose: str  # usual, installation or own; below `alarms.whose_` in the words
    set_by: str | None
    set_at: dt.datetime | None


def thresholds_of(counting: Mapping[str, Counting], language: str) -> Mapping[str, Threshold]:
    """Return alarm -> what counts for it."""
    return {alarm_id: _threshold(one, language) for alarm_id, one in counting.items()}


def number_of(text: str) -> float:
    """Return a number as somebody wrote it; InvalidField when it is none."""
    given = text.strip()
    if not (given.isascii() and _NUMBER.fullmatch(given)):
        raise InvalidField("A threshold is a number, 0 or more.", field="threshold")
    return float(given.replace(",", "."))


def _threshold(one: Counting, language: str) -> Threshold:
    alarm, words = one.alarm, words_of(language)
    return Threshold(
        *(alarm, words[alarm.id]["title"]),
        fires=exactly(alarm.metric, one.limits.threshold, language),
        ends=exactly(alarm.metric, one.limits.clear, language),
        unit=words["unit"][alarm.metric].format(n="").strip(),
        number=digits_of(one.limits.threshold),
        most=most_of(alarm),
        chosen=alarm.metric not in YES_OR_NO,
        whose=one.whose,
        set_by=one.set_by,
        set_at=one.set_at,
    )
