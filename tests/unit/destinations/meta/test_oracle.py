import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from trackai.destinations.meta import normalize

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "fixtures/meta/oracle_cases.json").read_text()
)["cases"]
DOCUMENTED = [case for case in CASES if "docs" in case]
NORMALIZERS: dict[str, Callable[[str], normalize.Digests]] = {
    "em": normalize.hash_email,
    "ph": normalize.hash_phone,
    "fn": normalize.hash_name,
    "ln": normalize.hash_name,
    "ge": normalize.hash_gender,
    "db": lambda raw: normalize.hash_birth_date(raw, None, 2026),
    "ct": normalize.hash_city,
    "st": normalize.hash_state,
    "zp": normalize.hash_zip,
    "country": normalize.hash_country,
}
EMPTY = sha256(b"").hexdigest()


def test_the_oracle_fixes_a_value_for_every_hashed_key() -> None:
    assert NORMALIZERS.keys() == {case["field"] for case in DOCUMENTED}
    assert len(DOCUMENTED) == 140


@pytest.mark.parametrize("case", DOCUMENTED, ids=lambda case: f"{case['id']}-{case['tag']}")
def test_value_fixed_by_metas_page_is_hashed_as_the_page_says(case: dict[str, Any]) -> None:
    digests = NORMALIZERS[case["field"]](case["input"])

    assert case["docs"]["sha256"] == digests[0]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["field"] in NORMALIZERS and isinstance(case["input"], str)],
    ids=lambda case: f"{case['id']}-{case['tag']}",
)
def test_no_value_of_the_oracle_is_hashed_when_nothing_is_left_of_it(case: dict[str, Any]) -> None:
    assert EMPTY not in NORMALIZERS[case["field"]](case["input"])
