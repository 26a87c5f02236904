"""What a call says to people: words/*.toml, the same keys in each; no I/O beyond reading them."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from trackai.model.alarm import Alarm, Deed, Metric, Severity, digits_of
from trackai.storage.alarm_calls import DueCall
from trackai.storage.alarm_routes import Route

LANGUAGES = ("pt", "en")
# What calls are about that tell of a change, where others name an alarm.
CHANGED = "deployed"
_Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who is calling: the installation's address, its environment, and whether it is a drill."""

    base_url: str
    environment: str
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A call, in words and in what programs read."""

    deed: Deed
    key: str
    alarm: str
    title: str
    text: str
    severity: Severity
    source: str
    fired_at: dt.datetime
    runbook_url: str
    alarm_url: str
    details: Mapping[str, Any]
    call_id: str
    language: str
    link: str | None = None  # of a change: where there is more of it


def message_of(call: DueCall, route: Route, alarm: Alarm, sender: Sender) -> Message:
    """Return what a call says, in the language of its route."""
    words, details = words_of(route.language), call.details
    said = words[call.alarm]
    title = _titled(words, said["title"], details)
    if call.deed is Deed.TRIGGER:
        title = _headline(words, alarm.metric, title, details, route.language)
    else:
        title = words["say"][call.deed].format(title=title)
    if sender.drill:
        title = words["say"]["drill"].format(title=title)
    base = sender.base_url
    return Message(
        deed=call.deed,
        key=call.key,
        alarm=call.alarm,
        title=title,
        text=said["meaning"],
        severity=alarm.severity,
        source=_source(base),
        fired_at=_moment(details.get("fired_at"), call.made_at),
        runbook_url=f"{base}/runbooks/{alarm.page}",
        alarm_url=f"{base}/alarms/{call.alarm}",
        details={"environment": sender.environment, **details},
        call_id=str(call.id),
        language=route.language,
    )


def message_of_change(call: DueCall, route: Route, sender: Sender) -> Message:
    """Return what a call says that tells of a change."""
    details, base = call.details, sender.base_url
    said = words_of(route.language)["say"]["change"].format(version=details["version"])
    return Message(
        deed=call.deed,
        key=call.key,
        alarm=call.alarm,
        title=details["summary"] or said,
        text="",
        severity=Severity.MEDIUM,
        source=_source(base),
        fired_at=call.made_at,
        runbook_url=f"{base}/alarms",
        alarm_url=f"{base}/alarms",
        details={"environment": sender.environment, "version": details["version"]},
        call_id=str(call.id),
        language=route.language,
        link=details["link"],
    )


def shown(metric: Metric, value: object, language: str) -> str:
    """Return a value with its unit, as people of a language write it."""
    if not isinstance(value, int | float):
        return words_of(language)["say"]["unknown"]
    return _amount(metric, f"{value:,.1f}".removesuffix(".0"), language)


def exactly(metric: Metric, threshold: object, language: str) -> str:
    """Return a threshold with its unit: what somebody chose is told as they chose it."""
    if not isinstance(threshold, int | float):
        return words_of(language)["say"]["unknown"]
    whole, point, part = digits_of(threshold).partition(".")
    return _amount(metric, f"{int(whole):,}{point}{part}", language)


def _amount(metric: Metric, number: str, language: str) -> str:
    if language == "pt":
        number = number.translate(str.maketrans(",.", ".,"))
    words = words_of(language)
    unit = words["unit_one"].get(metric) if number == "1" else None
    return (unit or words["unit"][metric]).format(n=number)


@cache
def words_of(language: str) -> _Words:
    """Return alarm -> title and meaning of a language, and `say`, `unit` and `severity`."""
    text = (files("trackai.alarms") / "words" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _headline(
    words: _Words, metric: Metric, title: str, details: Mapping[str, Any], language: str
) -> str:
    number = int(details.get("number", 1))
    return words["say"]["many" if number > 1 else "one"].format(
        title=title,
        number=number,
        value=shown(metric, details.get("value"), language),
        threshold=exactly(metric, details.get("threshold"), language),
    )


def _titled(words: _Words, title: str, details: Mapping[str, Any]) -> str:
    """Return what it is, and whose or of what where there are several."""
    subject = " ".join(str(details.get("subject") or "").split())
    return words["say"]["about"].format(title=title, subject=subject) if subject else title


def _source(base_url: str) -> str:
    return base_url.partition("://")[2] or base_url


def _moment(said: object, otherwise: dt.datetime) -> dt.datetime:
    return dt.datetime.fromisoformat(said) if isinstance(said, str) else otherwise
