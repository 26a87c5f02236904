"""What a month of the stack may cost: an estimate by public list prices, not read from Amazon.

Counted in the template: what is paid for by the hour or the piece while nothing happens. Traffic,
requests and logs come on top; a little of logs and files is assumed.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from infra.facts import LEAST_COPIES, SERVICES

PRICES = Path(__file__).with_name("prices.json")
# Assumed of a small installation, a month.
LOG_GIB, FILE_GIB = 20, 1
# An internet-facing balancer has one public address a zone.
ZONES = 2

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the estimate."""

    what: str
    number: float
    unit: str
    price: float

    @property
    def month(self) -> float:
        """Return what it comes to."""
        return self.number * self.price


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices of a region, and the day they are of."""

    read: str
    remark: str
    hours: int
    of: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls) -> Self:
        """Read them."""
        said = json.loads(PRICES.read_text())
        return cls(said["read"], said["remark"], said["hours"], said["regions"])


def estimate(template: Template, prices: Prices, region: str, size: str) -> list[Line]:
    """Return the lines of a region; of a database of a size whose price is not known, none."""
    at, hours = prices.of[region], prices.hours
    there = Counter(one["Type"] for one in template["Resources"].values())
    processors, memory = _tasks(template)
    lines = [
        Line("processors of servers and workers", processors * hours, "h", at["processor_hour"]),
        Line("their memory", memory * hours, "GiB h", at["memory_gib_hour"]),
        Line("ways out (NAT)", there["AWS::EC2::NatGateway"] * hours, "h", at["nat_hour"]),
        Line("balancer, without its traffic", hours, "h", at["balancer_hour"]),
        Line("public addresses", (there["AWS::EC2::EIP"] + ZONES) * hours, "h", at["address_hour"]),
        Line("storage of the database", _storage(template), "GiB", at["database_gib"]),
        Line("files of an outage, assumed", FILE_GIB, "GiB", at["file_gib"]),
        Line("key", there["AWS::KMS::Key"], "", at["key"]),
        # One more is the database's password.
        Line("secrets", there["AWS::SecretsManager::Secret"] + 1, "", at["secret"]),
        Line("alarms", there["AWS::CloudWatch::Alarm"], "", at["alarm"]),
        Line("metrics", _metrics(template), "", at["metric"]),
        Line("dashboard", there["AWS::CloudWatch::Dashboard"], "", at["dashboard"]),
        Line("logs, assumed", LOG_GIB, "GiB", at["log_gib"]),
        Line("wall", there["AWS::WAFv2::WebACL"], "", at["wall"]),
        Line("its rules", _rules(template), "", at["wall_rule"]),
    ]
    by_size: Mapping[str, float] = at["database_hour"]
    if size in by_size:
        lines.insert(5, Line(f"database {size}, in two zones", hours, "h", by_size[size]))
    return lines


def _of(template: Template, kind: str) -> list[Mapping[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def _tasks(template: Template) -> tuple[float, float]:
    tasks = [
        one
        for one in _of(template, "AWS::ECS::TaskDefinition")
        # The migration's runs for seconds.
        if one["Family"].rpartition("-")[2] in SERVICES
    ]
    return (
        sum(int(one["Cpu"]) / 1024 for one in tasks) * LEAST_COPIES,
        sum(int(one["Memory"]) / 1024 for one in tasks) * LEAST_COPIES,
    )


def _storage(template: Template) -> int:
    return sum(int(one["AllocatedStorage"]) for one in _of(template, "AWS::RDS::DBInstance"))


def _metrics(template: Template) -> int:
    """Return how many metrics alarms watch; graphs draw a dozen more of them."""
    return len({one["MetricName"] for one in _of(template, "AWS::CloudWatch::Alarm")}) + 12


def _rules(template: Template) -> int:
    return sum(len(one["Rules"]) for one in _of(template, "AWS::WAFv2::WebACL"))


def table(template: Template, size: str) -> str:
    """Return the estimate as text, a column a region."""
    prices = Prices.load()
    columns = {region: estimate(template, prices, region, size) for region in prices.of}
    some = next(iter(columns.values()))
    head = ["a month, USD", "number", *columns]
    rows = [
        [line.what, f"{line.number:,.0f} {line.unit}".strip()]
        + [f"{lines[place].month:,.2f}" for lines in columns.values()]
        for place, line in enumerate(some)
    ]
    total = ["together", "", *(f"{sum(one.month for one in c):,.2f}" for c in columns.values())]
    widths = [max(len(row[place]) for row in [head, *rows, total]) for place in range(len(head))]
    text = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows, total]
    ]
    return "\n".join(
        [
            *text,
            "",
            f"An estimate by public list prices of {prices.read}, not read from Amazon. Requests,",
            "traffic and what autoscaling adds come on top. infra/prices.json holds the prices:",
            prices.remark,
        ]
    )
