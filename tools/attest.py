"""Runs this checkout's checks and tests, and writes down how each ended: build facts.

What is run is what `make check` and `make test` run, line by line, or `make unit` with --quick. The
file names the digest of the source code, so that `trackai golive attest` can tell whether it is of
the program that runs.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from trackai.golive.source import source_digest
from trackai.model.clock import SystemClock

ROOT = Path(__file__).parents[1]
# What a line of the Makefile is called, by how it begins; others are called like their program.
NAMES = {
    "ruff format": "format",
    "ruff check": "lint",
    "codespell": "spelling",
    "mypy": "types",
    "lint-imports": "imports",
}
TESTS = "tests"
# Those of --quick, which are no more than a rehearsal takes for all.
UNIT_TESTS = "unit tests"


def lines_of(target: str) -> Iterator[tuple[str, list[str]]]:
    """Yield name and words of each command that a target of the Makefile would run."""
    told = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "-n", "--no-print-directory", target],  # noqa: S607 - as above
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in told.stdout.splitlines():
        words = shlex.split(line)
        # What sets the checkout up is no check of it.
        if words and words[0].startswith(".venv/bin/") and words[1:3] != ["-m", "pip"]:
            yield UNIT_TESTS if target == "unit" else name_of(words), words


def name_of(words: list[str]) -> str:
    """Return what a command is called."""
    said = " ".join([Path(words[0]).name, *words[1:]])
    usual = TESTS if "pytest" in words else Path(words[0]).name
    return next((name for start, name in NAMES.items() if said.startswith(start)), usual)


def commit() -> str:
    """Return the commit of this checkout, marked when something in it is not committed."""

    def git(*words: str) -> str:
        return subprocess.run(  # noqa: S603 - no input
            ["git", *words],  # noqa: S607 - as above
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    return git("rev-parse", "HEAD") + ("-changed" if git("status", "--porcelain") else "")


def main() -> None:
    """Run everything, even after something failed, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="unit tests in place of all")
    given = parser.parse_args()
    digest, checks = source_digest(), dict[str, int]()
    for target in ("check", "unit" if given.quick else "test"):
        for name, words in lines_of(target):
            print(f"{name}: {' '.join(words)}", flush=True)
            ended = subprocess.run(words, cwd=ROOT, check=False).returncode  # noqa: S603 - as above
            # Of several commands of one name the first that failed counts.
            checks[name] = checks.get(name) or ended
    facts = {
        "digest": digest,
        "commit": commit(),
        "made_at": SystemClock().now().isoformat(),
        "checks": checks,
        "tests": "make unit" if given.quick else "make test",
    }
    given.out.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    print(json.dumps(checks))
    sys.exit(1 if any(checks.values()) else 0)


if __name__ == "__main__":
    main()
