"""The estimate: counted in the template, by prices with a date, and said to be an estimate."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from infra.costs import PRICES, Prices, estimate
from tests.infra.conftest import Template

pytestmark = pytest.mark.xdist_group("stack")


def test_what_is_in_the_template_is_counted(template: Template) -> None:
    prices = Prices.load()
    lines = {one.what: one for one in estimate(template, prices, "us-east-1", "db.t4g.medium")}

    # Two servers and two workers with a processor and two GiB each.
    assert 4 * prices.hours == lines["processors of servers and workers"].number
    assert 8 * prices.hours == lines["their memory"].number
    assert 2 * prices.hours == lines["ways out (NAT)"].number
    assert 100 == lines["storage of the database"].number
    assert 9 == lines["secrets"].number
    assert lines["database db.t4g.medium, in two zones"].month > 0


def test_more_in_the_template_costs_more(template: Template) -> None:
    more: dict[str, Any] = json.loads(json.dumps(template))
    more["Resources"]["OneMore"] = {"Type": "AWS::EC2::NatGateway", "Properties": {}}
    prices = Prices.load()

    def total(of: Template) -> float:
        return sum(one.month for one in estimate(of, prices, "sa-east-1", "db.t4g.medium"))

    assert total(more) > total(template)


def test_the_command_prints_where_what_and_how_much(
    template: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from infra.__main__ import main  # noqa: PLC0415

    status = main(["synth", "--url", "https://t.example.org", "--out", str(tmp_path)])
    said = capsys.readouterr().out

    assert 0 == status
    made = json.loads(Path(said.splitlines()[0]).read_text())
    assert "https://t.example.org" in json.dumps(made)
    assert all(name in said for name in template["Parameters"])
    assert "not read from Amazon" in said
    assert {"us-east-1", "sa-east-1"} <= set(said.split())


def test_prices_have_a_date() -> None:
    read = json.loads(PRICES.read_text())["read"]

    assert dt.date(2026, 1, 1) < dt.date.fromisoformat(read)


@pytest.mark.parametrize(
    "url", ["http://t.example.org", "t.example.org", "https://t.example.org/x"]
)
def test_an_address_that_no_alarm_could_be_named_after_is_refused(
    template: Template, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from infra.__main__ import main  # noqa: PLC0415

    assert template
    assert 2 == main(["synth", "--url", url])
    assert "https://track.example.com" in capsys.readouterr().err
