"""What happened to an event, in order, in the reader's words."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from trackai.analytics.spend import name_of
from trackai.dashboard.formats import Formats
from trackai.dashboard.words import say
from trackai.dispatch.story import Story
from trackai.gateways.registry import gateways
from trackai.model.delivery import DeliveryStatus
from trackai.storage.pool import Row

# So many tries are told one by one; of more, the first and the last: all of them are in the log.
MOST_TRIES = 4
# How an event stands, as a colour.
TONES = {
    DeliveryStatus.PENDING: "wait",
    DeliveryStatus.ACCEPTED: "good",
    DeliveryStatus.DEAD: "bad",
    DeliveryStatus.DISCARDED: "bad",
    DeliveryStatus.WITHHELD: "",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened; `at` is None where nobody can say when, or it never did."""

    name: str  # of step.*
    at: dt.datetime | None
    text: str = ""
    tone: str = ""  # good, bad, wait or none


def steps_of(story: Story, match: Mapping[str, object], formats: Formats) -> list[Step]:
    """Return what happened, oldest first; what never did is told where it is missed."""
    told = partial(say, formats.language)
    row, undecided = story.event, match["decided_at"] is None
    title = gateways()[row["gateway"]].title if row["gateway"] in gateways() else row["gateway"]
    ad = " · ".join(name_of(row[part]) for part in ("source", "campaign", "content") if row[part])
    matched = told(f"strategy.{match['strategy']}")
    money = formats.money(row["amount_minor"], row["currency"]) if row["currency"] else ""
    steps = [
        Step("sale", row["sold_at"], " · ".join(part for part in (title, money) if part)),
        Step("webhook", row["received_at"], title),
        Step("owed", row["created_at"], told("step.to_pixel", pixel=row["pixel_id"])),
        *_tries(story.tries, formats),
        _end(row, formats),
    ]
    if row["clicked_at"]:
        steps.append(Step("click", row["clicked_at"], ad or told("step.no_ad"), "good"))
        steps.append(Step("matched", _moment(match["decided_at"]), matched, "good"))
    elif not undecided:
        steps.append(Step("no_click", _moment(match["decided_at"]), told("step.no_click_why"), ""))
    order = {name: place for place, name in enumerate(_ORDER)}
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(steps, key=lambda one: (one.at or latest, order[one.name]))


# Of the same moment, in this order.
_ORDER = (
    *("click", "sale", "webhook", "matched", "no_click", "owed", "tried", "tries_between"),
    *("tried_in_vain", *DeliveryStatus),
)


def _moment(value: object) -> dt.datetime | None:
    return value if isinstance(value, dt.datetime) else None


def _tries(tries: Sequence[Row], formats: Formats) -> list[Step]:
    steps = [_try(one, formats) for one in tries]
    if len(steps) <= MOST_TRIES:
        return steps
    half = MOST_TRIES // 2
    between = steps[half:-half]
    text = say(formats.language, "step.in_log", number=formats.number(len(between)))
    return [*steps[:half], Step("tries_between", between[0].at, text), *steps[-half:]]


def _try(one: Row, formats: Formats) -> Step:
    number = say(formats.language, "step.try", number=formats.number(one["attempt"]))
    took = formats.duration(one["duration_ms"])
    if one["status"] == "accepted":
        return Step("tried", one["created_at"], f"{number} · {took}")
    return Step("tried_in_vain", one["created_at"], f"{number} · {took} · {one['reason']}", "bad")


def _end(row: Row, formats: Formats) -> Step:
    status = DeliveryStatus(row["status"])
    at = row["next_at"] if status is DeliveryStatus.PENDING else row["settled_at"]
    text = ""
    if status is DeliveryStatus.ACCEPTED:
        lasted = (row["settled_at"] - row["received_at"]) / dt.timedelta(milliseconds=1)
        text = say(formats.language, "step.lasted", duration=formats.duration(lasted))
    elif status is DeliveryStatus.PENDING:
        text = say(formats.language, "step.waits")
    return Step(status.value, at, text, TONES[status])
