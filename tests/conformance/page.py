"""`python -m tests.conformance.page` writes docs/meta-conformance.md anew from the tables."""

from pathlib import Path

from tests.conformance.builder import CASES as REQUESTS
from tests.conformance.builder import DIFFERENCES, KEYS, ours, theirs
from tests.conformance.differences import HASHED, RULES, Rule
from tests.conformance.ours import cases, of_ours, of_sdk
from tests.conformance.score import WHO, scores
from tests.conformance.test_phonenumbers import AS_WRITTEN, SHORTER, WITH_15
from tests.conformance.test_phonenumbers import RULES as PHONE_RULES
from tests.conformance.test_sdk import COUNTRIES, EACH

PAGE = Path(__file__).parents[2] / "docs/meta-conformance.md"

_HEAD = """# What Meta is sent, and why it is not always what Meta's own code sends

This page is written by `python -m tests.conformance.page`; a test compares it with the tables in
`tests/conformance/`, which other tests compare with the product. Why so:
[0023](adr/0023-conformance-as-a-table.md).

## Where Meta's page fixes the value

`oracle_cases.json` keeps {kept} of the 207 such rows that were once collected (the others are not
to be had any more); `documented_cases.json` adds {added} of the same kind. Right means: exactly
the page's digest is sent.
"""
_SDK = """
## Against Meta's Python SDK

Of the {rows} rows of `oracle_cases.json`, {equal} go out as the SDK sends them and {different}
differ, each by a rule below. So do {drawn} drawn values of {keys} keys, Brazilian ones and hostile
ones, for buyers in Brazil and of unknown country. Where the SDK raises, it loses the whole event;
that counts as sending nothing.

| rule | keys | why | rows |
|---|---|---|---|
"""
_BUILDER = """
## fbc, fbp and addresses against Meta's parameter builder

All {requests} recorded requests are asked, {same} of {values} values are the builder's. Its
suffix, which names its version and language, is left off; the server sets no cookies (the page's
script does, never on `com.br`).

| key | why | requests |
|---|---|---|
"""
_PHONES = """
## Phone numbers against phonenumbers

Every example number of every country, written with its country code, gives the same digits.
Brazilian numbers in twenty ways of writing do, but for these:

| rule | why |
|---|---|
"""
_FOOT = """
Without country code a number gets its buyer's country's where all numbers there have one length;
elsewhere it is left out, unless it is long enough to be whole ({as_written}: as the SDK does).
{shorter}: some forms are left out.

## Never sent

CPF and CNPJ: neither in clear nor as a digest, whatever the gateway (`test_documents.py`). No
`external_id`, no gender.
"""


def render() -> str:
    """Return the page."""
    recorded = cases("oracle_cases.json")
    equal = sum(
        of_ours(case["field"], case["input"]) == of_sdk(case["field"], case["input"])
        for case in recorded
    )
    same = sum(ours(case)[key] == theirs(case)[key] for case in REQUESTS for key in KEYS)
    return "".join(
        (
            _HEAD.format(
                kept=sum("docs" in case for case in recorded),
                added=len(cases("documented_cases.json")),
            ),
            _score_table(),
            _SDK.format(
                rows=len(recorded),
                equal=equal,
                different=len(recorded) - equal,
                drawn=f"{EACH * len(COUNTRIES) * len(HASHED):,}",
                keys=len(HASHED),
            ),
            *(_rule_line(rule) for rule in RULES),
            _BUILDER.format(requests=len(REQUESTS), same=same, values=len(REQUESTS) * len(KEYS)),
            *(
                f"| {each.key} | {each.reason} | {len(each.cases.split())} |\n"
                for each in DIFFERENCES
            ),
            _PHONES,
            *(f"| {rule.name} | {rule.reason} |\n" for rule in PHONE_RULES),
            _FOOT.format(
                as_written=", ".join(sorted(AS_WRITTEN)),
                shorter=", ".join(sorted(SHORTER | WITH_15)),
            ),
        )
    )


def _score_table() -> str:
    lines = [
        f"\n| key | rows | {' | '.join(WHO)} |\n",
        f"|---|{'---:|' * (len(WHO) + 1)}\n",
    ]
    found = scores()
    for key, counts in found.items():
        lines.append(f"| {key} | {counts['rows']} | {' | '.join(str(counts[w]) for w in WHO)} |\n")
    total = [sum(counts[who] for counts in found.values()) for who in ("rows", *WHO)]
    lines.append(f"| **all** | {' | '.join(f'**{number}**' for number in total)} |\n")
    return "".join(lines)


def _rule_line(rule: Rule) -> str:
    keys = "all hashed" if rule.keys == HASHED else ", ".join(rule.keys)
    return f"| {rule.name} | {keys} | {rule.reason} | {len(rule.rows.split())} |\n"


if __name__ == "__main__":
    PAGE.write_text(render())
