"""Which release came before this one, and its source as the history has it."""

import io
import subprocess
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Until releases have tags: the last commit whose newest migration is 0028. A release moves this on,
# and makes tests/fixtures/releases again.
PREVIOUS = "b09032102b1d5f418bde0d6828f26e4bc441b4fd"
PREVIOUS_SCHEMA = "0028_pre_alarms"
# What runs of it: the package, runbooks that it links to, and what its tests stand on.
PARTS = ("src", "docs/runbooks", "tests/support", "tests/conftest.py")


class NoHistory(Exception):
    """The checkout does not have the commit of the previous release."""


def bring_previous(directory: Path) -> Path:
    """Put the previous release's source into a directory and return it; NoHistory without."""
    done = subprocess.run(  # noqa: S603 - a constant
        ["git", "archive", "--format=tar", PREVIOUS, "--", *PARTS],  # noqa: S607 - git of the path
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise NoHistory(
            f"The previous release, {PREVIOUS[:12]}, is not in this checkout's history: "
            "git fetch --unshallow brings it."
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory
