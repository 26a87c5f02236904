"""Settings: a wrong one stops the start and is named; a secret one is never shown."""

from pathlib import Path

import pytest

from trackai.errors import ConfigurationError
from trackai.settings import Environment, Settings, load_settings

KEY = "c2VjcmV0LWtleS1vZi0zMi1ieXRlcy4uLi4uLi4uLi4="
PRODUCTION = {
    "TRACKAI_ENVIRONMENT": "production",
    "TRACKAI_DATABASE_URL": "postgresql://trackai:hunter2@db/trackai",
    "TRACKAI_SECRET_KEY": KEY,
    "TRACKAI_PUBLIC_URL": "https://track.example.com/",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TRACKAI_{name.upper()}", raising=False)


def test_a_laptop_needs_no_settings() -> None:
    settings = load_settings()

    assert settings.environment is Environment.DEVELOPMENT
    assert settings.database_url is None
    assert settings.base_url == "http://127.0.0.1:8400"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRACKAI_ENVIRONMENT", "staging"),
        ("TRACKAI_PORT", "http"),
        ("TRACKAI_PORT", "70000"),
        ("TRACKAI_LOG_FORMAT", "xml"),
        ("TRACKAI_LOG_LEVEL", "LOUD"),
        ("TRACKAI_TRUSTED_PROXIES", "10.0.0.0/8,everyone"),
        ("TRACKAI_TRACK_RATE", "0"),
        ("TRACKAI_TRACK_BURST", "-1"),
        ("TRACKAI_PROCESS_CONCURRENCY", "1000"),
        ("TRACKAI_DISPATCH_CONCURRENCY", "0"),
        ("TRACKAI_REJECTION_DAYS", "365"),
        ("TRACKAI_GATEWAY_PLUGINS", "perhaps"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name):
        load_settings()


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKAI_PORT", "x")
    monkeypatch.setenv("TRACKAI_TRACK_RATE", "x")

    with pytest.raises(ConfigurationError, match=r"(?s)TRACKAI_PORT.*TRACKAI_TRACK_RATE"):
        load_settings()


@pytest.mark.parametrize("missing", ["DATABASE_URL", "SECRET_KEY", "PUBLIC_URL"])
@pytest.mark.parametrize("given", [None, "  "])
def test_production_does_without_no_necessity(
    monkeypatch: pytest.MonkeyPatch, missing: str, given: str | None
) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(f"TRACKAI_{missing}")
    if given is not None:
        monkeypatch.setenv(f"TRACKAI_{missing}", given)

    with pytest.raises(ConfigurationError, match=f"TRACKAI_{missing}"):
        load_settings()


def test_production_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()

    assert settings.base_url == "https://track.example.com"
    assert "hunter2" not in f"{settings!r} {settings}"
    assert KEY not in f"{settings!r} {settings}"


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKAI_TRUSTED_PROXIES", " 10.0.0.0/8, ::1 ,")

    assert load_settings().trusted_proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("TRACKAI_DATABSE_URL", "TRACKAI_DATABASE_URL"),
        ("TRACKAI_SECRETKEY", "TRACKAI_SECRET_KEY"),
        ("TRACKAI_ENVIROMENT", "TRACKAI_ENVIRONMENT"),
    ],
)
def test_a_misspelled_name_is_refused_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, wrong: str, meant: str
) -> None:
    monkeypatch.setenv(wrong, "x")

    with pytest.raises(ConfigurationError, match=f"{wrong}.*{meant}"):
        load_settings()


@pytest.mark.parametrize(
    "other", ["TRACKAI_SERVICE_HOST", "TRACKAI_PORT_8400_TCP", "TRACKAI_GATEWAY_SECRET"]
)
def test_names_of_others_are_let_alone(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    monkeypatch.setenv(other, "x")

    assert load_settings().port == 8400


MAIL = {
    "TRACKAI_SMTP_HOST": "smtp.example.com",
    "TRACKAI_MAIL_FROM": "Track AI <no-reply@example.com>",
    "TRACKAI_SMTP_USER": "trackai",
    "TRACKAI_SMTP_PASSWORD": "hunter2",
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TRACKAI_MAIL_FROM": ""}, "TRACKAI_SMTP_HOST also needs TRACKAI_MAIL_FROM"),
        ({"TRACKAI_MAIL_FROM": "Track AI"}, "TRACKAI_MAIL_FROM: takes an e-mail address"),
        ({"TRACKAI_MAIL_FROM": "a@example.com\nBcc: b@example.com"}, "TRACKAI_MAIL_FROM: takes"),
        ({"TRACKAI_SMTP_USER": ""}, "TRACKAI_SMTP_USER and TRACKAI_SMTP_PASSWORD go together"),
        ({"TRACKAI_SMTP_PASSWORD": " "}, "go together"),
        ({"TRACKAI_SMTP_TLS": "none"}, "in the clear"),
        ({"TRACKAI_SMTP_TLS": "ssl"}, "TRACKAI_SMTP_TLS: "),
        ({"TRACKAI_SMTP_PORT": "0"}, "TRACKAI_SMTP_PORT: "),
    ],
)
def test_half_a_mail_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str
) -> None:
    for name, value in (MAIL | change).items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=said) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_a_mail_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in MAIL.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()

    assert (settings.smtp_host, settings.smtp_port) == ("smtp.example.com", 587)
    assert "hunter2" not in repr(settings)


def test_secrets_may_be_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "trackai_secret_key").write_text(f"{KEY}\n")
    (tmp_path / "trackai_database_url").write_text("postgresql://from-a-file/trackai")
    (tmp_path / "trackai_smtp_password").write_text("\n")
    monkeypatch.setenv("TRACKAI_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("TRACKAI_DATABASE_URL", "postgresql://from-the-environment/trackai")

    settings = load_settings()

    assert settings.secret_key
    assert settings.database_url
    assert settings.secret_key.get_secret_value() == KEY
    assert "from-the-environment" in settings.database_url.get_secret_value()
    assert settings.smtp_password is None


@pytest.mark.parametrize("name", ["nowhere", "a-file"])
def test_secrets_that_cannot_be_read_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv("TRACKAI_SECRETS_DIR", str(tmp_path / name))

    with pytest.raises(ConfigurationError, match="TRACKAI_SECRETS_DIR"):
        load_settings()


def test_a_misspelled_file_is_refused_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "trackai_database_ulr").touch()
    monkeypatch.setenv("TRACKAI_SECRETS_DIR", str(tmp_path))

    with pytest.raises(ConfigurationError, match="Did you mean TRACKAI_DATABASE_URL"):
        load_settings()


@pytest.mark.parametrize("name", ["TRACKAI_PAGERDUTY_URL", "TRACKAI_PAGERDUTY_API_URL"])
def test_production_asks_no_stand_in(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for one, value in PRODUCTION.items():
        monkeypatch.setenv(one, value)
    load_settings()
    monkeypatch.setenv(name, "http://127.0.0.1:8402")

    with pytest.raises(ConfigurationError, match=name):
        load_settings()
