"""The files of monitoring/ are as `make monitoring` makes them, and Alertmanager takes them."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.monitoring.conftest import place_in
from typer.testing import CliRunner

from trackai.alarms.catalogue import ALARMS
from trackai.alarms.engines.alertmanager import DEFAULTS, render_alertmanager
from trackai.alarms.engines.grafana import NUMBERS, dashboard, render_grafana
from trackai.alarms.engines.yaml import to_yaml
from trackai.cli.main import app
from trackai.model.alarm import Severity

if TYPE_CHECKING:
    from tests.monitoring.conftest import Check

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "monitoring"
VERB = r"\nmonitoring:(?:.*\n\t)+@env -i .* \$\(BIN\)/trackai (.*--out )monitoring (.*)\n"


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the shell says of an installation."""
    for name in ("SMTP_HOST", "SMTP_USER", "MAIL_FROM", "PAGERDUTY_URL", "ENVIRONMENT"):
        monkeypatch.delenv(f"TRACKAI_{name}", raising=False)


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@pytest.mark.usefixtures("no_settings")
def test_what_is_committed_is_what_is_rendered(tmp_path: Path) -> None:
    verb = re.search(VERB, (ROOT / "Makefile").read_text())
    assert verb is not None
    arguments = [*verb[1].split(), str(tmp_path), *verb[2].split()]
    ran = CliRunner().invoke(app, arguments, catch_exceptions=False)

    assert 0 == ran.exit_code
    rendered = texts(tmp_path)
    folders = {name.partition("/")[0] for name in rendered}
    committed = {
        name: text for name, text in texts(COMMITTED).items() if name.partition("/")[0] in folders
    }
    assert rendered == committed, "run: make monitoring"
    assert {"prometheus", "alertmanager", "grafana"} == folders


@pytest.mark.usefixtures("no_settings")
def test_without_a_folder_the_main_file_is_printed() -> None:
    ran = CliRunner().invoke(
        app, ["alarms", "render", "alertmanager", "--url", "https://loja.example/", "--job", "x"]
    )
    wrong = CliRunner().invoke(app, ["alarms", "render", "grafana", "--language", "fr"])

    assert "client_url: https://loja.example/alarms\n" in ran.stdout
    assert 0 != wrong.exit_code


@pytest.mark.parametrize("language", ["en", "pt"])
def test_alertmanager_takes_its_routes(amtool: "Check", tmp_path: Path, language: str) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(render_alertmanager(place_in(language), DEFAULTS))
    ran = amtool("check-config", path)

    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert "4 inhibit rules" in ran.stdout


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (["severity=critical"], "on-call,mail"),
        (["severity=high"], "on-call,mail"),
        (["severity=medium"], "mail"),
        (["severity=none", "alertname=TrackaiWatchdog"], "heartbeat"),
    ],
)
def test_who_is_told_is_said_by_severity(
    amtool: "Check", labels: list[str], receivers: str
) -> None:
    path = COMMITTED / "alertmanager" / "alertmanager.yml"
    ran = amtool("config", "routes", "test", f"--config.file={path}", *labels)

    assert receivers == ran.stdout.strip()


def test_no_secret_has_a_place_in_the_routes() -> None:
    text = render_alertmanager(place_in(), DEFAULTS)

    assert {"smtp_auth_password_file", "routing_key_file", "credentials_file"} == set(
        re.findall(r"(\w+): \"/etc/alertmanager/secrets/", text)
    )
    assert not re.search(r"(password|routing_key|credentials|token): ", text)
    assert all(f"`{one}`" in text for one in Severity)


def test_the_dashboard_is_laid_out_as_the_first_page() -> None:
    panels = json.loads(render_grafana(place_in()))["panels"]
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in panels]
    cells = [
        (column, row)
        for x, y, width, height in places
        for column in range(x, x + width)
        for row in range(y, y + height)
    ]

    assert [*["stat"] * 6, *["timeseries"] * 4, "table"] == [one["type"] for one in panels[:11]]
    assert [(4 * number, 0, 4, 4) for number in range(6)] == places[: len(NUMBERS)]
    assert len(cells) == len(set(cells)), "panels lie on each other"
    assert max(column for column, _ in cells) < 24
    assert len(panels) == len({panel["id"] for panel in panels})


def test_the_dashboard_asks_whichever_prometheus_somebody_chooses() -> None:
    found = dashboard(place_in("pt"))
    sources = {panel["datasource"]["uid"] for panel in found["panels"]}
    asked = [target for panel in found["panels"] for target in panel["targets"]]

    assert {"${datasource}"} == sources | {target["datasource"]["uid"] for target in asked}
    assert ["datasource", "query"] == [one["type"] for one in found["templating"]["list"]]
    assert all('job=~"$job"' in target["expr"] for target in asked)
    assert "Não entregues" in {panel["title"] for panel in found["panels"]}
    assert {"from": "now-1h", "to": "now"} == found["time"]


def test_every_alarm_has_its_words_in_the_rules() -> None:
    text = (COMMITTED / "prometheus" / "trackai.rules.yml").read_text()

    for alarm in ALARMS.values():
        assert f"https://track.example.com/runbooks/{alarm.page}\n" in text
        assert f"https://track.example.com/alarms/{alarm.id}\n" in text


def test_yaml_takes_no_text_for_something_else() -> None:
    written = to_yaml(
        {
            "plain": "on-call",
            "word": "no",
            "number": "15",
            "time": "15m",
            "quoted": 'a "b" c',
            "colon": "a: b # c",
            "lines": "one\ntwo",
            "list": [{"a": 1, "b": True}, ["x", "z"]],
            "none": [],
        },
        "Head.",
    )

    assert [
        *("# Head.", "plain: on-call", 'word: "no"', 'number: "15"', "time: 15m"),
        *("quoted: |-", '  a "b" c', 'colon: "a: b # c"', "lines: |-", "  one", "  two"),
        *("list:", "  - a: 1", "    b: true", "  - - x", "    - z", "none: []"),
    ] == written.splitlines()
