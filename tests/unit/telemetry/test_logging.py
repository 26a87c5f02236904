"""What a log may not hold, whoever writes it; and where lines go."""

import io
import json as json_module
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog

from trackai.telemetry.logging import LEFT_OUT, REDACTED_KEYS, configure_logging, get_logger

SECRET = "maria@example.com"


@dataclass
class Setting:
    """Sets logging up for a test; takes what is shown and what is kept."""

    stream: io.StringIO = field(default_factory=io.StringIO)
    kept: list[str] = field(default_factory=list)

    def up(self, *, json: bool = True, most_a_second: int = 0) -> None:
        configure_logging(
            json=json,
            level="INFO",
            stream=self.stream,
            keep=self.kept.append,
            most_a_second=most_a_second,
        )
        structlog.configure(cache_logger_on_first_use=False)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json_module.loads(line) for line in self.kept]


@pytest.fixture
def setting() -> Iterator[Setting]:
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers = []
    try:
        yield Setting()
    finally:
        structlog.configure(**before)
        root.handlers, root.level = handlers, level


@pytest.mark.parametrize("json", [True, False])
def test_an_exceptions_local_variables_and_words_are_not_printed(
    setting: Setting, *, json: bool
) -> None:
    setting.up(json=json)

    def fail() -> None:
        buyer = SECRET
        raise RuntimeError(f"defect of {buyer}")

    try:
        fail()
    except RuntimeError:
        get_logger().exception("job.failed")
        logging.getLogger("library").exception("It says %s", SECRET)

    for text in (setting.stream.getvalue(), "".join(setting.kept)):
        assert "RuntimeError" in text
        assert "job.failed" in text
        assert SECRET not in text
    assert 2 == len(setting.lines)


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.parametrize("key", sorted(REDACTED_KEYS))
def test_some_keys_are_never_shown_and_others_are_looked_through(
    setting: Setting, key: str, *, json: bool
) -> None:
    setting.up(json=json)
    inside = [{"deep": {key: "Quintela"}}]
    reason = f"Key (email)=({SECRET})"
    get_logger().info("x", **{key: "Quintela"}, facts=inside, reason=reason, number=3)

    for text in (setting.stream.getvalue(), "".join(setting.kept)):
        assert "Quintela" not in text
        assert SECRET not in text
        assert "[redacted]" in text
    assert 3 == setting.lines[0]["number"]


@pytest.mark.parametrize("json", [True, False])
def test_what_is_kept_is_json_whatever_is_shown(setting: Setting, *, json: bool) -> None:
    setting.up(json=json)
    get_logger().warning("a.b", ids=["x"], nothing=None)
    (line,) = setting.lines

    assert ("a.b", "warning", ["x"], None) == (
        *(line["event"], line["level"], line["ids"], line["nothing"]),
    )
    assert json == setting.stream.getvalue().startswith("{")


def test_of_many_lines_some_are_left_out_and_how_many_is_said(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    setting.up(most_a_second=2)
    for _ in range(5):
        get_logger().error("job.failed")
        logging.getLogger("library").warning("%s went", object())
    now[0] += 1
    get_logger().info("other")
    told = [(one["level"], one["of"], one["left_out"]) for one in setting.lines if "of" in one]

    assert 2 == [one["event"] for one in setting.lines].count("job.failed")
    assert [("error", "job.failed", 3), ("warning", "library: %s went", 3)] == told
    assert {LEFT_OUT} == {one["event"] for one in setting.lines if "of" in one}
