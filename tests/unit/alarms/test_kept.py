"""What is asked outside is asked seldom, but soon again when nobody answered."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from trackai.alarms.sampler import kept_for
from trackai.model.alarm import Metric

HOUR, SECONDS = dt.timedelta(hours=1), dt.timedelta(seconds=15)
LEFT = {Metric.CERTIFICATE_DAYS_LEFT: 40.0}


@dataclass
class Hourglass:
    """A clock, and a certificate that is asked for what it still has."""

    moment: dt.datetime = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    said: Mapping[Metric, float] = field(default_factory=dict)
    asked: int = 0

    def now(self) -> dt.datetime:
        return self.moment

    async def ask(self) -> Mapping[Metric, float]:
        self.asked += 1
        return self.said


async def test_an_answer_is_kept_for_an_hour_and_silence_for_a_minute() -> None:
    glass = Hourglass()
    answer = kept_for(HOUR, glass, glass.ask)
    silent = []
    for _ in range(5):
        silent.append(dict(await answer()))
        glass.moment += SECONDS
    asked, glass.said = glass.asked, LEFT
    glass.moment += 4 * SECONDS
    answered = dict(await answer())
    glass.moment += HOUR - SECONDS
    kept = dict(await answer())
    glass.moment += SECONDS
    await answer()

    assert ([{}] * 5, 2) == (silent, asked)
    assert answered == LEFT == kept
    assert asked + 2 == glass.asked
