"""No key, token or password of anybody is in a file: what is there is invented, and listed here."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

ROOT = Path(__file__).parents[2]
PLACES = (
    *(".github", "benchmarks", "deploy", "docs", "monitoring", "src", "tests", "tools"),
    "torture",
)
# Pictures, and what is no text of ours.
NOT_TEXT = {".png", ".ico", ".webp", ".woff2", ".pyc", ".gz", ".svg"}
# Words for secrets where there is none: in examples of addresses, and in tests of what is hidden.
INVENTED = {
    *("PASSWORD", "...", "…", "password", "hunter2", "senha", "s3cr%40t", "c"),
    "whsec_" + "0123456789abcdef" * 2,
}
# Detectors that guess by how a text looks, or by a name beside it: fixtures are full of those.
GUESSES = {"Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector"}
# What the library does not know, by what these look like at their platforms.
OURS = (
    re.compile(r"\bEAA[A-Za-z0-9]{80,}"),  # Meta, access tokens
    re.compile(r"\bwhsec_[A-Za-z0-9]{32}\b"),  # Stripe, signing secrets of endpoints
    re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/\w{24}"),
    re.compile(r"\btrk_[A-Za-z0-9_-]{40,}"),  # our own API keys
)


@cache
def _detectors() -> list[RegexBasedDetector]:
    known: Iterable[type] = get_mapping_from_secret_type_to_class().values()
    return [
        made
        for one in known
        if one.__name__ not in GUESSES and isinstance(made := one(), RegexBasedDetector)
    ]


def found_in(text: str) -> set[str]:
    """Return what looks like a secret of a known kind, and is not among the invented."""
    found = {hit for one in _detectors() for hit in one.analyze_string(text)}
    found |= {hit for pattern in OURS for hit in pattern.findall(text)}
    return {hit for hit in found if hit not in INVENTED}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("place", [".", *PLACES])
def test_no_file_holds_a_secret(place: str) -> None:
    at = ROOT / place
    files = [
        one
        for one in (at.iterdir() if place == "." else at.rglob("*"))
        if one.is_file() and one.suffix not in NOT_TEXT
    ]
    found = {str(one.relative_to(ROOT)): hits for one in files if (hits := found_in(_text(one)))}

    assert files
    assert {} == found


# In two parts, so that this file holds none.
@pytest.mark.parametrize(
    "parts",
    [
        ("AKIA", "IOSFODNN7ABCDEFG"),
        ("-----BEGIN RSA PRIVATE", " KEY-----"),
        ("ghp_", "a1B2" * 9),
        ("sk_live_", "4eC39HqLyjWDarjtT1zdp7dc"),
        ("xoxb-", "123456789012-123456789012-abcdefabcdefabcdefabcdef"),
        ("postgresql://trackai:", "correcthorse@db.example.com/trackai"),
        ("EAA", "Bz" * 60),
        ("whsec_", "a1B2" * 8),
        ("https://hooks.slack.com/services/", "T12345678/B12345678/" + "a1B2" * 6),
        ("trk_", "a1B2" * 12),
    ],
    ids=lambda parts: parts[0],
)
def test_a_secret_that_is_there_is_found(parts: tuple[str, str]) -> None:
    assert found_in(f"token = {''.join(parts)}\n")
