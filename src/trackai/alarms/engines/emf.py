"""Metrics as a line of a log, from which CloudWatch takes them: the embedded metric format.

Facts from Amazon's specification of the format, read in November 2026. Rules without I/O. No tenant
is a dimension: each value of one is a metric that is paid for.
"""

import datetime as dt
import math
from collections.abc import Mapping

import msgspec

from trackai.alarms.engines.cloudwatch import NAMESPACE, Place, unit_of
from trackai.model.alarm import Metric
from trackai.model.flow import Name

# Most metrics of one line; all that we have together are fewer.
MOST_METRICS = 100

Values = Mapping[Metric, float] | Mapping[Name, float]


def line_of(place: Place, about: str, values: Values, at: dt.datetime) -> str:
    """Return one line of JSON; `about` is who says it, to be read, not to count by."""
    numbers = {
        name.value: round(value, 3) for name, value in values.items() if math.isfinite(value)
    }
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[*place.dimensions]],
        "Metrics": [
            {"Name": name.value, "Unit": unit_of(name)} for name in values if name.value in numbers
        ],
    }
    line = {
        "_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [directive]},
        **place.dimensions,
        "about": about,
        **numbers,
    }
    return msgspec.json.encode(line).decode()
