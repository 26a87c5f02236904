"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "trackai"
MODULES = sorted(path for path in SRC.rglob("*.py") if "migrations" not in path.parts)
NAMES = [str(path.relative_to(SRC)) for path in MODULES]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 30

# Statements across tenants, each with its reason.
ACROSS_TENANTS = {
    "storage/dead_letters.py": "the worker gives every tenant's replays their turn",
    "storage/api_keys.py": "whose a key is must be found before the tenant is known",
    "storage/breakers.py": "a worker's next calls may be to any destination",
    "storage/match_quality.py": "a batch has events of several tenants",
    "storage/matches.py": "a worker looks again at whichever sale is due",
    "storage/token_checks.py": "a worker asks about whichever token is due",
    "storage/health.py": "the doctor examines the whole installation",
    "storage/troubles.py": "the doctor examines the whole installation",
    "storage/tenants.py": "the operator lists tenants; the edge finds one by its public key",
    "storage/gateway_connections.py": "a webhook address names its tenant by an unguessable key",
    "storage/destinations.py": "the dispatcher loads what a lease of several tenants names",
    "storage/deliveries.py": "the dispatcher loads what a lease of several tenants names",
    "storage/feature_flags.py": "every process knows what is on for whom",
    "storage/held.py": "a worker releases what waited for a flag, whoever's it is",
    "storage/receipts.py": "a worker takes the next receipt, whoever's it is",
    "storage/queue_messages.py": "a worker leases the next messages, whoever's they are",
    "storage/tenant_keys.py": "keys are learned for whoever a batch or a start brings",
    "storage/purging.py": "a role that sees deleted tenants alone looks for one",
    "storage/partitions.py": "partitions are of classes, not of tenants",
    "storage/aging.py": "a task goes through all tenants",
    "storage/rollups.py": "a task notes and lets go of counts, whoever's they are",
    "storage/users.py": "people sign in before a tenant is known",
    "storage/users_key.py": "people sign in before a tenant is known",
    "storage/memberships.py": "where somebody may go is asked before a tenant is known",
    "storage/sessions.py": "a browser is recognized before a tenant is known",
    "storage/one_time_links.py": "whoever holds a link may use it",
    "storage/second_factors.py": "people sign in before a tenant is known",
    "storage/half_sessions.py": "people sign in before a tenant is known",
    "storage/sign_in_failures.py": "whoever guesses belongs to no tenant",
    "storage/rezoning.py": "a task finds tenants who want another time zone",
    "storage/alarm_samples.py": "what processes say of themselves is no tenant's",
    "storage/alarm_signals.py": "one evaluates everybody's alarms, and the operator looks at them",
    "storage/alarm_history.py": "one evaluates everybody's alarms, and the operator looks at them",
    "storage/alarm_choices.py": "one evaluates everybody's alarms",
    "storage/alarm_flow.py": "one measures what all tenants together send and sell",
    "storage/alarm_names.py": "the operator looks at everybody's alarms",
    "storage/alarm_measures.py": "one evaluates everybody's alarms",
    "storage/alarm_routes.py": "calls of many tenants are made together",
    "storage/alarm_calls.py": "calls of many tenants are made together",
    "storage/alarms_key.py": "the key of the installation's own routes",
    "storage/installation_facts.py": "what is watched from outside is of everybody",
    "storage/backups.py": "a backup is of everybody's rows",
    "storage/snapshots.py": "a backup is of everybody's rows",
    "storage/measured.py": "a baseline is of everybody's events",
    "storage/golive_facts.py": "what must hold before going live is of the whole installation",
    "storage/rejections.py": "the clean-up drops what has expired everywhere",
}


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def _statements(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of a storage module's SQL constants."""
    for node in ast.parse(path.read_text()).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id.isupper()
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
            and _SQL.match(node.value.value)
        ):
            yield node.targets[0].id, node.value.value


# Tables that belong to tenants: all but their list, and what belongs to the installation.
_OF_TENANTS = re.compile(
    r"\b(from|into|update) "
    r"(?!pg_|unnest|set\b|skip\b|tenants\b|jobs\b|up_hours\b|backups\b|alembic_version\b|"
    r"smoke_runs\b|baselines\b|drill_runs\b|build_facts\b|signoffs\b)\w+"
)
_SQL = re.compile(r"\s*(select|insert into|update|delete from|with)\b", re.IGNORECASE)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_module_is_too_long_to_have_one_subject(path: Path) -> None:
    assert LONGEST_MODULE >= len(path.read_text().splitlines())


def test_modules_are_of_a_size_to_feel_at_home_with() -> None:
    sizes = [
        lines
        for path in MODULES
        if (lines := len(path.read_text().splitlines())) > 10  # packages that only say their name
    ]

    assert 50 <= median(sizes) <= 150


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_no_function_is_too_long_to_see(path: Path) -> None:
    assert [] == [name for name, lines in _functions(path) if lines > LONGEST_FUNCTION]


def test_functions_are_short_as_a_rule() -> None:
    sizes = [lines for path in MODULES for _, lines in _functions(path)]

    assert USUAL_FUNCTION >= quantiles(sizes, n=10)[-1]


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_only_storage_holds_sql(path: Path) -> None:
    if path.is_relative_to(SRC / "storage"):
        return
    strings = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]

    found = re.compile(r"\b(select .+ from|insert into|update \w+ set|delete from)\b", re.DOTALL)
    assert [] == [text for text in strings if found.search(text)]


STORAGE = sorted((SRC / "storage").glob("*.py"))


@pytest.mark.parametrize("path", STORAGE, ids=lambda path: path.name)
def test_every_statement_names_its_tenant_or_says_that_it_does_not(path: Path) -> None:
    name = str(path.relative_to(SRC))
    for constant, text in _statements(path):
        if constant.endswith("_ALL_TENANTS"):
            assert name in ACROSS_TENANTS, f"{name} {constant}: give the reason in ACROSS_TENANTS"
        elif _OF_TENANTS.search(text):
            assert "tenant_id" in text, f"{name} {constant} forgets the tenant"


@pytest.mark.parametrize("path", STORAGE, ids=lambda path: path.name)
def test_every_statement_stands_under_a_line_that_says_what_it_asks(path: Path) -> None:
    lines = path.read_text().splitlines()
    named = {name for name, _ in _statements(path)}

    for above, line in pairwise(lines):
        if (match := re.match(r"([A-Z_]+) = ", line)) and match[1] in named:
            assert above.startswith("# "), f"{path.name}: {match[1]}"


OF_KEYS = {"tenant_keys", "users_key", "health"}


@pytest.mark.parametrize("path", STORAGE, ids=lambda path: path.name)
def test_whatever_seals_or_opens_has_learned_the_tenants_key(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.AsyncFunctionDef) and path.stem not in {
            "tenant_keys",
            "users_key",
            "alarms_key",
            "health",
        }:
            names = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
            calls = {ast.unparse(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
            learns = {"know", "tenant_keys.make", "open_receipt", "insert_identities"}
            learns |= {"know_all_tenants", "_find", "_know", "tenant_keys.know"}

            assert "envelope" not in names or calls & learns, f"{path.stem}.{node.name}"


GATEWAYS = sorted(path.parent for path in (SRC / "gateways").glob("*/gateway.py"))


@pytest.mark.parametrize("folder", GATEWAYS, ids=lambda folder: folder.name)
def test_every_gateway_has_set_up_pages_and_fixtures(folder: Path) -> None:
    fixtures = ROOT / "tests" / "gateways" / folder.name

    assert (folder / "setup.pt-BR.md").stat().st_size > 200
    assert (folder / "setup.en.md").stat().st_size > 200
    assert list(fixtures.glob("*.json"))


def test_every_setting_is_in_the_docs() -> None:
    from trackai.settings import PREFIX, Settings  # noqa: PLC0415

    documented = (ROOT / "docs" / "settings.md").read_text()

    missing = [
        name for name in Settings.model_fields if f"{PREFIX}{name.upper()}" not in documented
    ]
    assert [] == missing


def test_every_alarm_has_a_runbook_in_each_language_and_is_in_the_docs() -> None:
    from trackai.alarms.catalogue import ALARMS  # noqa: PLC0415
    from trackai.alarms.pages import FOLDERS  # noqa: PLC0415

    page = (ROOT / "docs" / "alarms.md").read_text()
    assert [] == [name for name in ALARMS if f"| `{name}` |" not in page]
    for folder in FOLDERS.values():
        runbooks = sorted(path.stem for path in (ROOT / "docs" / folder).glob("*.md"))
        assert runbooks == sorted(one.page for one in ALARMS.values()), folder


def test_every_decision_has_a_status() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))

    assert decisions
    for path in decisions:
        assert re.search(r"^Status: (accepted|superseded by \d+)", path.read_text(), re.MULTILINE)


def test_the_architecture_page_names_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()

    packages = {path.parent.name for path in SRC.glob("*/__init__.py")}
    assert packages
    assert [] == sorted(name for name in packages if f"{name}/" not in page)


def test_no_address_of_a_package_index_is_in_the_locks() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in lock.read_text()


def test_make_test_runs_every_folder_of_tests() -> None:
    run = (ROOT / "Makefile").read_text()

    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders
    assert [] == sorted(name for name in folders if not re.search(rf"tests/{name}\b", run))
