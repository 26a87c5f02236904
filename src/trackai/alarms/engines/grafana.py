"""A dashboard for Grafana 10 or newer, laid out as the first page of our own.

Six numbers, four charts of an hour, how every alarm stands; below it what the machinery does. The
form is Grafana's classic dashboard model, read in its documentation on 2026-11-29.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trackai.alarms.engines.place import Place

# Of Grafana 10.2; a newer one brings it up to date when it takes the file in.
SCHEMA = 38
_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_OURS = 'job=~"$job"'
# Over how long rates are taken; Grafana knows how often Prometheus reads.
_RATE = "$__rate_interval"
# How an alarm stands, as a number that colours understand; `worst` is the largest.
_STANDS: Mapping[str, tuple[int, str]] = {
    "ok": (0, "green"),
    "no_data": (1, "purple"),
    "pending": (2, "yellow"),
    "alarm": (3, "red"),
}
_TRIES = f"trackai_dispatch_attempts_total{{{_OURS}"


@dataclass(frozen=True, slots=True)
class Panel:
    """A number, a chart or a table. `key` is its title in the words; queries by their legends."""

    key: str
    kind: str
    queries: Mapping[str, str]
    unit: str = "short"
    size: tuple[int, int] = (12, 8)
    steps: Sequence[tuple[float | None, str]] = field(default=((None, "green"),))
    bound: tuple[float | None, float | None] = (0, None)


def render_grafana(place: Place) -> str:
    """Return the dashboard as JSON."""
    return json.dumps(dashboard(place), indent=2, ensure_ascii=False) + "\n"


def dashboard(place: Place) -> dict[str, Any]:
    """Return the dashboard."""
    return {
        "uid": "trackai-home",
        "title": "Track AI",
        "tags": ["trackai"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,  # one crosshair for all charts
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "30s",
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [_link("Track AI", place.base_url)],
        "templating": {"list": _variables(place)},
        "panels": _placed(place, [*NUMBERS, *CHARTS, STANDINGS, *MACHINERY]),
    }


def expressions() -> list[str]:
    """Return every query there is."""
    return [
        query
        for panel in (*NUMBERS, *CHARTS, STANDINGS, *MACHINERY)
        for query in panel.queries.values()
    ]


def _quantile(number: float, histogram: str, by: str = "") -> str:
    labels = ", ".join(["le", *([by] if by else [])])
    matched = histogram if "{" in histogram else f"{histogram}{{{_OURS}}}"
    return f"histogram_quantile({number}, sum by ({labels}) (rate({matched}[{_RATE}])))"


def _quantiles(histogram: str) -> Mapping[str, str]:
    return {f"p{100 * number:g}": _quantile(number, histogram) for number in (0.5, 0.95, 0.99)}


def _measured(metric: str) -> str:
    return f'trackai:measured:newest{{{_OURS},metric="{metric}"}}'


def _fact(fact: str) -> str:
    return f'trackai:fact:newest{{{_OURS},fact="{fact}"}}'


def _process(metric: str) -> str:
    return f'trackai_process{{{_OURS},metric="{metric}"}}'


_WHOLE = f'trackai_stage_seconds_bucket{{{_OURS},stage="whole"}}'
_BY_ROUTE = _quantile(0.95, "trackai_request_seconds_bucket", "route")
_SUCCESS = (
    f'100 * sum(rate({_TRIES},outcome="accepted"}}[{_RATE}])) / sum(rate({_TRIES}}}[{_RATE}]))'
)
_PER_MINUTE = f'60 * sum(rate({_TRIES},outcome="accepted"}}[{_RATE}]))'
_IN_ALARM = f'sum(trackai:alarms:newest{{{_OURS},state="alarm"}})'
_GREEN_BELOW: Sequence[tuple[float | None, str]] = ((None, "green"), (1, "red"))
_GREEN_ABOVE: Sequence[tuple[float | None, str]] = ((None, "red"), (95, "green"))

_PERCENT: tuple[float | None, float | None] = (0, 100)
_NUMBER = (4, 4)
NUMBERS = (
    Panel("throughput", "stat", {"": _PER_MINUTE}, "cpm", _NUMBER),
    Panel("success_rate", "stat", {"": _SUCCESS}, "percent", _NUMBER, _GREEN_ABOVE),
    Panel("latency_p95", "stat", {"": _quantile(0.95, _WHOLE)}, "s", _NUMBER),
    Panel("match_rate", "stat", {"": _fact("match_rate_percent")}, "percent", _NUMBER),
    Panel("dead_letters", "stat", {"": _fact("dead_letters_all")}, "short", _NUMBER, _GREEN_BELOW),
    Panel("alarms", "stat", {"": _IN_ALARM}, "short", _NUMBER, _GREEN_BELOW),
)
CHARTS = (
    Panel("throughput", "timeseries", {"": _PER_MINUTE}, "cpm"),
    Panel("latency", "timeseries", _quantiles(_WHOLE), "s"),
    Panel("success_rate", "timeseries", {"": _SUCCESS}, "percent", bound=_PERCENT),
    Panel("dead_letters", "timeseries", {"": _fact("dead_letters_all")}),
)
STANDINGS = Panel(
    "standings",
    "table",
    {
        "": "max by (alarm) (\n"
        + "\nor ".join(
            f'{number} * (trackai:alarms:newest{{{_OURS},state="{state}"}} > bool 0)'
            for state, (number, _) in _STANDS.items()
        )
        + "\n)"
    },
    size=(_WIDTH, 12),
)
MACHINERY = (
    Panel("queue", "timeseries", {"": _measured("queue_depth")}),
    Panel(
        "oldest",
        "timeseries",
        {
            "webhook": _measured("oldest_webhook_s"),
            "delivery": _measured("oldest_delivery_s"),
            "dead letter": _fact("oldest_dead_letter_s"),
        },
        "s",
    ),
    Panel(
        "stages",
        "timeseries",
        {"{{stage}}": _quantile(0.95, "trackai_stage_seconds_bucket", "stage")},
        "s",
    ),
    Panel(
        "routes",
        "timeseries",
        {"{{route}}": f"topk(10, {_BY_ROUTE} > 0)"},
        "s",
    ),
    Panel(
        "webhooks",
        "timeseries",
        {
            "{{gateway}}": "60 * sum by (gateway) (rate("
            f"trackai_webhooks_total{{{_OURS}}}[{_RATE}]))"
        },
        "cpm",
    ),
    Panel(
        "refused",
        "timeseries",
        {
            "{{gateway}} {{reason}}": "60 * sum by (gateway, reason) (rate("
            f"trackai_webhook_proof_failures_total{{{_OURS}}}[{_RATE}]))"
        },
        "cpm",
    ),
    Panel("breakers", "timeseries", {"": _fact("breakers_open")}),
    Panel("tokens", "timeseries", {"": _measured("token_hours_left")}, "h"),
    Panel("cpu", "timeseries", {"{{instance}} {{part}}": _process("cpu_percent")}, "percent"),
    Panel("loop", "timeseries", {"{{instance}} {{part}}": _process("loop_lag_ms")}, "ms"),
    Panel(
        *("pool", "timeseries", {"{{instance}} {{part}}": _process("pool_percent")}, "percent"),
        bound=_PERCENT,
    ),
    Panel(
        *("disk", "timeseries", {"{{instance}} {{part}}": _process("disk_percent")}, "percent"),
        bound=_PERCENT,
    ),
    Panel("spool", "timeseries", {"{{instance}}": _process("spool_bytes")}, "bytes"),
    Panel("rollup", "timeseries", {"": _fact("rollup_lag_s")}, "s"),
    Panel("certificate", "stat", {"": _measured("certificate_days_left")}, "d", (6, 4)),
    Panel("backup", "stat", {"": _measured("backup_age_h")}, "h", (6, 4)),
    Panel("scheduler", "stat", {"": _measured("scheduler_late_s")}, "s", (6, 4)),
    Panel("unfolded", "stat", {"": _fact("rollup_waiting")}, "short", (6, 4)),
)


def _placed(place: Place, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Return the panels from left to right, in lines of Grafana's 24 columns."""
    found: list[dict[str, Any]] = []
    x = y = line = 0
    for number, panel in enumerate(panels, start=1):
        width, height = panel.size
        if x + width > _WIDTH:
            x, y, line = 0, y + line, 0
        found.append(_panel(place, panel, number, {"x": x, "y": y, "w": width, "h": height}))
        x, line = x + width, max(line, height)
    return found


def _panel(place: Place, panel: Panel, number: int, where: Mapping[str, int]) -> dict[str, Any]:
    table = panel.kind == "table"
    shown: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": place.words["panels"][panel.key],
        "datasource": _SOURCE,
        "gridPos": where,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query,
                "legendFormat": legend or "__auto",
                **({"instant": True, "range": False, "format": "table"} if table else {}),
            }
            for index, (legend, query) in enumerate(panel.queries.items())
        ],
    }
    return {**shown, **_standings(place)} if table else shown


def _defaults(panel: Panel) -> dict[str, Any]:
    least, most = panel.bound
    steps = [{"value": value, "color": colour} for value, colour in panel.steps]
    chart = panel.kind == "timeseries"
    return {
        "unit": panel.unit,
        **{name: one for name, one in (("min", least), ("max", most)) if one is not None},
        "color": {"mode": "palette-classic" if chart else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
        **(
            {"custom": {"drawStyle": "line", "fillOpacity": 10, "spanNulls": False}}
            if chart
            else {}
        ),
    }


_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "value",
    },
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "table": {"showHeader": True, "sortBy": [{"displayName": "Value", "desc": True}]},
}


def _standings(place: Place) -> dict[str, Any]:
    """Return what makes numbers of a table into states, and alarms into links."""
    states = {
        str(number): {"text": place.words["state"][state], "color": colour, "index": number}
        for state, (number, colour) in _STANDS.items()
    }
    link = {"title": "Track AI", "url": f"{place.base_url}/alarms/${{__value.raw}}"}
    shown = {"type": "color-background", "mode": "basic"}
    return {
        "fieldConfig": {
            "defaults": {},
            "overrides": [
                _override("alarm", links=[link]),
                _override(
                    "Value",
                    mappings=[{"type": "value", "options": states}],
                    **{"custom.cellOptions": shown},
                ),
            ],
        },
        "transformations": [
            {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {}}}
        ],
    }


def _override(name: str, **properties: object) -> dict[str, Any]:
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }


def _variables(place: Place) -> list[dict[str, Any]]:
    chosen = {"selected": True, "text": place.job, "value": place.job}
    query = {"query": "label_values(trackai_request_seconds_count, job)", "refId": "jobs"}
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        {
            "name": "job",
            "type": "query",
            "datasource": _SOURCE,
            "query": query,
            "current": chosen,
            "refresh": 2,  # whenever the time range changes
            "sort": 1,
        },
    ]


def _link(title: str, url: str) -> dict[str, Any]:
    return {"type": "link", "title": title, "url": url, "targetBlank": True}
