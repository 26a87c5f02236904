"""Lines of metrics are what Amazon's specification of the embedded metric format asks for."""

import datetime as dt
import json
import math
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from trackai.alarms.engines.cloudwatch import NAMESPACE, Place, unit_of
from trackai.alarms.engines.emf import MOST_METRICS, Values, line_of
from trackai.model.alarm import Fact, Metric
from trackai.model.flow import Flow, Name

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
PLACE = Place("production", "https://track.example.com")
EVERYTHING: Values = dict.fromkeys((*Metric, *Fact, *Flow), 1234567.891)
# What a pipe takes at once from one of several writers (POSIX: at least 512; Linux: 4096).
PIPE = 4096

_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
# Amazon's units; those a second are left out, for we have none.
_UNITS = [
    *("Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes"),
    *("Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count"),
    "None",
]
# The rules of the specification's pages "structure" and "schema", November 2026.
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "additionalProperties": False,
            "properties": {
                # Milliseconds: what is in seconds lies in 1970.
                "Timestamp": {"type": "integer", "minimum": 1_500_000_000_000},
                "CloudWatchMetrics": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "additionalProperties": False,
                        "properties": {
                            "Namespace": {**_NAME, "pattern": "^[A-Za-z0-9._/#:-]+$"},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 9, "items": _NAME},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": MOST_METRICS,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "Name": _NAME,
                                        "Unit": {"enum": _UNITS},
                                        "StorageResolution": {"enum": [1, 60]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def problems(line: str) -> list[str]:
    """Return what is wrong with a line: its form, and what it refers to."""
    found = json.loads(line)
    wrong = [one.message for one in Draft202012Validator(SCHEMA).iter_errors(found)]
    for directive in found["_aws"]["CloudWatchMetrics"]:
        wrong += [
            f"{name} is no dimension"
            for names in directive["Dimensions"]
            for name in names
            if not isinstance(found.get(name), str)
        ]
        for metric in directive["Metrics"]:
            value = found.get(metric["Name"])
            if not isinstance(value, int | float) or not math.isfinite(value):
                wrong.append(f"{metric['Name']} is no number")
    return wrong


def read(line: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found = json.loads(line)
    return found, found["_aws"]["CloudWatchMetrics"][0]


def test_everything_that_we_measure_makes_one_valid_line() -> None:
    line = line_of(PLACE, "installation", EVERYTHING, NOON)
    found, directive = read(line)

    assert [] == problems(line)
    assert "\n" not in line
    assert PIPE > len(f"{line}\n".encode())
    assert {one.value for one in (*Metric, *Fact, *Flow)} == {
        one["Name"] for one in directive["Metrics"]
    }
    assert MOST_METRICS >= len(directive["Metrics"])
    assert (NAMESPACE, 1_795_435_200_000) == (directive["Namespace"], found["_aws"]["Timestamp"])


def test_the_schema_of_this_test_refuses_what_is_wrong() -> None:
    good = line_of(PLACE, "worker", {Metric.CPU_PERCENT: 1.0}, NOON)
    wrong = [
        good.replace('"Percent"', '"Per cent"'),
        good.replace('"cpu_percent":1.0', '"cpu":1.0'),
        good.replace('"Environment":"production"', '"Environment":1'),
        good.replace('"Namespace":"TrackAI",', ""),
        good.replace("1795435200000", "1795435200"),
    ]

    assert [] == problems(good)
    assert [] == [line for line in wrong if line == good or not problems(line)]


def test_the_environment_is_a_dimension_and_no_tenant_is() -> None:
    found, directive = read(line_of(PLACE, "worker@a:1", EVERYTHING, NOON))

    assert [["Environment", "Installation"]] == directive["Dimensions"]
    assert ("production", "track.example.com") == (found["Environment"], found["Installation"])
    assert "worker@a:1" == found["about"]


def test_what_is_no_number_is_left_out() -> None:
    values: dict[Metric, float] = {
        Metric.CPU_PERCENT: math.nan,
        Metric.POOL_PERCENT: 12.34567,
        Metric.DISK_PERCENT: math.inf,
    }
    line = line_of(PLACE, "worker", values, NOON)
    found, directive = read(line)

    assert [] == problems(line)
    assert [{"Name": "pool_percent", "Unit": "Percent"}] == directive["Metrics"]
    assert 12.346 == found["pool_percent"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *((Metric.CPU_PERCENT, "Percent"), (Flow.SUCCESS_PERCENT, "Percent")),
        *((Metric.API_P95_MS, "Milliseconds"), (Flow.LATENCY_P99_MS, "Milliseconds")),
        *((Metric.OLDEST_DELIVERY_S, "Seconds"), (Metric.SPOOL_BYTES, "Bytes")),
        *((Metric.DEAD_LETTERS, "Count"), (Metric.BREAKER_OPEN, "Count"), (Flow.SALES, "Count")),
        *((Metric.TOKEN_HOURS_LEFT, "None"), (Metric.CERTIFICATE_DAYS_LEFT, "None")),
        *((Metric.BACKUP_AGE_H, "None"), (Metric.MATCH_RATE_DROP, "None")),
        *((Metric.WEBHOOKS_MISSED, "Count"), (Metric.CALLS_LOST, "Count")),
        (Metric.TENANT_CALLS_LOST, "Count"),
    ],
)
def test_a_unit_is_one_that_cloudwatch_knows(name: Name, unit: str) -> None:
    assert unit == unit_of(name)
