"""Who is right where Meta's page fixes the value: counted from the fixtures, never typed in.

oracle_cases.json keeps 140 such rows of the 207 that were once collected; documented_cases.json
adds others, so that no fewer are asked.
"""

from collections import Counter
from typing import Any

from tests.conformance.ours import cases, of_ours, of_sdk

DOCUMENTED = [
    case
    for name in ("oracle_cases.json", "documented_cases.json")
    for case in cases(name)
    if "docs" in case
]
WHO = ("Track AI", "Python SDK", "parameter builder")


def is_right(case: dict[str, Any]) -> dict[str, bool]:
    """Tell who sends exactly what the page says; an old Brazilian mobile may go in both forms."""
    key, raw, expected = case["field"], case["input"], case["docs"]["sha256"]
    ours = of_ours(key, raw)
    most = 2 if case["tag"] == "br-mobile-legacy-8-digits" else 1
    return {
        "Track AI": ours[:1] == (expected,) and len(ours) <= most,
        "Python SDK": of_sdk(key, raw) == (expected,),
        "parameter builder": case["node_param_builder"].get("sha256") == expected,
    }


def scores() -> dict[str, Counter[str]]:
    """Return for each key how many rows there are and how many everybody has right."""
    found: dict[str, Counter[str]] = {}
    for case in DOCUMENTED:
        counts = found.setdefault(case["field"], Counter())
        counts.update(["rows", *(who for who, right in is_right(case).items() if right)])
    return found
