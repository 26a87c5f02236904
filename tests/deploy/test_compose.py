"""The Compose file: what the specification says of it, and what this house does."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.deploy.files import (
    DEPLOY,
    LONGEST_END_S,
    ROOT,
    SCHEMAS,
    SECRETS,
    SETTINGS,
    read_yaml,
    variables,
)

from trackai.cli.main import PLACES
from trackai.settings import load_settings
from trackai.storage.envelope import parse_keys

(COMPOSE,) = read_yaml(DEPLOY / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "build" in one}
OTHERS = {name: one for name, one in SERVICES.items() if "build" not in one}


def problems(document: object) -> list[str]:
    schema = json.loads((SCHEMAS / "compose.json").read_text())
    return [one.message for one in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def test_it_is_what_the_specification_says() -> None:
    assert [] == problems(COMPOSE)
    assert problems(COMPOSE | {"sevices": {}})
    assert problems({"services": {"serve": {"image": "trackai", "restrat": "always"}}})


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_become_more_than_it_is(name: str) -> None:
    service = SERVICES[name]

    assert ["no-new-privileges:true"] == service["security_opt"]
    assert {"cpus", "memory"} == set(service["deploy"]["resources"]["limits"])
    assert "privileged" not in service
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


@pytest.mark.parametrize("name", OURS)
def test_ours_can_write_nowhere_but_to_their_volume(name: str) -> None:
    service = OURS[name]

    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert service["command"][0] in PLACES
    backups = "${TRACKAI_BACKUP_DIR:-backups}:/var/lib/trackai/backups"
    places = {"serve": ["spool:/var/lib/trackai", backups], "worker": [backups]}
    assert service.get("volumes", []) == places.get(name, [])
    assert set(service["environment"]) <= SETTINGS - SECRETS
    assert {one.upper() for one in service["secrets"]} <= SECRETS


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_they_have_the_time_that_they_take_to_end(name: str) -> None:
    assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > LONGEST_END_S


@pytest.mark.parametrize("name", OTHERS)
def test_what_others_made_cannot_change(name: str) -> None:
    assert re.fullmatch(r"\w+:[\w.-]+@sha256:[0-9a-f]{64}", OTHERS[name]["image"])


def test_only_caddy_is_reached_from_outside_and_the_database_by_us_alone() -> None:
    assert ["caddy"] == [name for name, one in SERVICES.items() if "ports" in one]
    assert ["inside"] == SERVICES["database"]["networks"]
    assert "inside" not in SERVICES["caddy"]["networks"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    (edge,) = COMPOSE["networks"]["edge"]["ipam"]["config"]
    assert {edge["subnet"]} == {
        one["environment"]["TRACKAI_TRUSTED_PROXIES"] for one in OURS.values()
    }


def test_secrets_are_files_that_no_commit_can_hold() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert {"deploy/secrets/", "deploy/.env"} <= set(ignored)
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}


def test_its_variables_are_told_of() -> None:
    named = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))

    assert named - {"TRACKAI_SMTP_PORT"} == set(variables(DEPLOY / "compose/example.env"))


def make_secrets(place: Path) -> Path:
    script = place / "compose" / "secrets.sh"
    script.parent.mkdir(exist_ok=True)
    shutil.copy(DEPLOY / "compose/secrets.sh", script)
    subprocess.run([script], check=True, env={"PATH": "/usr/bin:/bin"})  # noqa: S603 - our script
    return place / "secrets"


def test_made_secrets_are_good_ones_and_stay(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    first = {path.name: path.read_text() for path in made.iterdir()}
    again = {path.name: path.read_text() for path in make_secrets(tmp_path).iterdir()}

    assert set(first) == set(COMPOSE["secrets"])
    assert parse_keys(first["trackai_secret_key"])
    assert f":{first['trackai_login_password']}@database:" in first["trackai_database_url"]
    assert len(first["postgres_password"]) == 48
    assert first == again
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_the_program_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS & set(os.environ):  # noqa: TID251 - those of the shell that tests run in
        monkeypatch.delenv(name)
    filled = {
        name: re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", r"\1", text)
        for name, text in OURS["serve"]["environment"].items()
    }
    made = make_secrets(tmp_path)
    for name in OURS["serve"]["secrets"]:
        (tmp_path / name).write_bytes((made / name).read_bytes())
    shutil.rmtree(made)
    shutil.rmtree(tmp_path / "compose")
    filled |= {"TRACKAI_SECRETS_DIR": str(tmp_path), "TRACKAI_ENVIRONMENT": "production"}
    for name, text in filled.items():
        monkeypatch.setenv(name, text)

    settings = load_settings()

    assert settings.database_url
    assert settings.secret_key
    assert settings.smtp_password is None
