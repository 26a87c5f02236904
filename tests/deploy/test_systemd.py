"""The units of systemd, asked of systemd itself where it is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.deploy.files import DEPLOY, LONGEST_END_S, SECRETS, SETTINGS, variables

from trackai.cli.main import PLACES

UNITS = DEPLOY / "systemd"
NAMES = {"trackai.service": "serve", "trackai-worker.service": "worker"}
ANALYZE = shutil.which("systemd-analyze")
# Out of 10.0; a service without any hardening has 9.6.
MOST_EXPOSED = 15  # systemd takes tenths


def lines(name: str) -> list[str]:
    text = (UNITS / name).read_text().splitlines()
    return [line for line in text if line and not line.startswith("#")]


def values(name: str, key: str) -> list[str]:
    return [line.split("=", 1)[1] for line in lines(name) if line.startswith(f"{key}=")]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return the units with a program that is there, which systemd looks for."""
    for name in NAMES:
        text = (UNITS / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/trackai/bin/trackai", "/bin/true"))
    return tmp_path


@pytest.mark.skipif(ANALYZE is None, reason="no systemd here")
def test_systemd_understands_every_line(elsewhere: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the system's own program
        [str(ANALYZE), "verify", *(elsewhere / name for name in NAMES)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.skipif(ANALYZE is None, reason="no systemd here")
@pytest.mark.parametrize("name", NAMES)
def test_little_of_the_machine_is_within_reach(elsewhere: Path, name: str) -> None:
    bound = f"--threshold={MOST_EXPOSED}"
    done = subprocess.run(  # noqa: S603 - the system's own program
        [str(ANALYZE), "security", "--offline=true", bound, elsewhere / name],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", NAMES)
def test_it_starts_a_command_and_gives_it_time_to_end(name: str) -> None:
    assert [f"/opt/trackai/bin/trackai {NAMES[name]}"] == values(name, "ExecStart")
    assert ["/opt/trackai/bin/trackai migrate --allow-newer"] == values(name, "ExecStartPre")
    assert {NAMES[name], "migrate"} <= set(PLACES)
    (grace,) = values(name, "TimeoutStopSec")
    assert int(grace) > LONGEST_END_S


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_handed_over_as_files(name: str) -> None:
    files = [one.split(":")[0].upper() for one in values(name, "LoadCredential")]
    named = set(re.findall(r"(TRACKAI_\w+)=", "\n".join(values(name, "Environment"))))

    assert {"TRACKAI_DATABASE_URL", "TRACKAI_SECRET_KEY"} <= set(files) <= SECRETS
    assert named <= SETTINGS - SECRETS
    assert set(variables(UNITS / "environment.example")) <= SETTINGS - SECRETS


def test_both_are_kept_in_alike() -> None:
    own = re.compile("ExecStart=|Description=")
    server, worker = ([line for line in lines(name) if not own.match(line)] for name in NAMES)

    assert server == worker
