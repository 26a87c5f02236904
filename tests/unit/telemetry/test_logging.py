"""What a log may not hold, whoever writes it."""

import io

import pytest
import structlog

from trackai.telemetry.logging import configure_logging, get_logger

SECRET = "maria@example.com"


@pytest.mark.parametrize("json", [True, False])
def test_an_exceptions_local_variables_are_not_printed(
    monkeypatch: pytest.MonkeyPatch, *, json: bool
) -> None:
    monkeypatch.setattr("logging.basicConfig", lambda **_options: None)
    stream = io.StringIO()
    before = structlog.get_config()
    configure_logging(json=json, level="INFO", stream=stream)
    structlog.configure(cache_logger_on_first_use=False)

    def fail() -> None:
        buyer = SECRET
        raise RuntimeError("defect" if buyer else "")

    try:
        fail()
    except RuntimeError:
        get_logger().exception("job.failed")
    finally:
        structlog.configure(**before)

    assert "RuntimeError" in stream.getvalue()
    assert SECRET not in stream.getvalue()
