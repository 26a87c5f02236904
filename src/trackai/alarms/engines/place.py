"""Where an installation is watched from outside, and in which words: what every engine is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trackai.model.alarm import Alarm, Limits, Metric

# Section -> key -> text, as alarms/words has them.
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """An installation as others know it."""

    base_url: str  # where its dashboard is
    environment: str
    job: str  # under which Prometheus reads its processes
    language: str
    words: Words
    # What the installation chose instead of the catalogue's thresholds.
    limits: Mapping[str, Limits] = field(default_factory=dict)

    def limits_of(self, alarm: Alarm) -> Limits:
        """Return the limits that count where no tenant has its own."""
        return self.limits.get(alarm.id) or Limits(alarm.threshold, alarm.clear)

    def runbook(self, page: str) -> str:
        """Return the address of a runbook."""
        return f"{self.base_url}/runbooks/{page}"

    def page(self, alarm: Alarm) -> str:
        """Return the address of the page that tells how an alarm stands, and of whom."""
        return f"{self.base_url}/alarms/{alarm.id}"

    def amount(self, metric: Metric, number: str) -> str:
        """Return a number with its unit."""
        return self.words["unit"][metric].format(n=number)

    def say(self, sentence: str, **what: str) -> str:
        """Return what only other engines say."""
        return self.words["engines"][sentence].format(**what)
