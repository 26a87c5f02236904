"""Shows to Prometheus what was seen when this process looked at every alarm.

All of it at once, so that whoever reads finds one look and not parts of two.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

from trackai.alarms.measuring import Measured
from trackai.model.alarm import Alarm, Fact, Metric, State, Subject
from trackai.telemetry.metrics import ALARMS, FACTS, MEASURED, MEASURED_AT


def expose(
    alarms: Iterable[str],
    values: Mapping[Metric, float],
    counted: Mapping[tuple[str, State], int],
    facts: Mapping[Fact, float],
    now: dt.datetime,
) -> None:
    """Show one look. `counted`: alarm and state -> of how many; every state is shown, zeros too."""
    MEASURED.say([((metric,), value) for metric, value in values.items()])
    ALARMS.say(
        [((name, state), counted.get((name, state), 0)) for name in alarms for state in State]
    )
    FACTS.say([((fact,), value) for fact, value in facts.items()])
    MEASURED_AT.say([((), now.timestamp())])


def worst(alarms: Mapping[str, Alarm], measured: Mapping[Subject, Measured]) -> dict[Metric, float]:
    """Return the worst value of each metric; what nobody measures is left out."""
    values: dict[str, list[float]] = {}
    for subject, one in measured.items():
        if one.value is not None:
            values.setdefault(subject.alarm, []).append(one.value)
    return {
        alarms[name].metric: min(found) if alarms[name].below else max(found)
        for name, found in values.items()
    }
