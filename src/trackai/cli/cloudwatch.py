"""`trackai cloudwatch`: alarms and dashboard at Amazon CloudWatch, out of the catalogue."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from trackai.alarms.catalogue import watched
from trackai.alarms.cloudwatch import open_cloudwatch
from trackai.alarms.engines.cloudwatch import MOST_ACTIONS, Place, Wish
from trackai.alarms.engines.cloudwatch_plan import Change, Kind, Plan
from trackai.alarms.message import LANGUAGES, words_of
from trackai.cli.installation import run
from trackai.cli.output import Json, Row, show, write_json
from trackai.errors import ConfigurationError
from trackai.model.alarm import Severity
from trackai.settings import Environment, load_settings

app = typer.Typer(
    no_args_is_help=True, help="Alarms and dashboard at Amazon CloudWatch, out of the catalogue."
)

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_SIGNS = {Kind.CREATE: "+", Kind.CHANGE: "~", Kind.DELETE: "-"}

EnvironmentName = Annotated[
    Environment | None,
    typer.Option("--environment", help="Of this environment. [default: TRACKAI_ENVIRONMENT]"),
]
Url = Annotated[
    str | None,
    typer.Option("--url", help="Of the installation there. [default: TRACKAI_PUBLIC_URL]"),
]
_TOLD = "SNS topic that {} alarms tell, up to five. Blank: none."
Critical = Annotated[
    list[str] | None, typer.Option("--critical", metavar="ARN", help=_TOLD.format("critical"))
]
High = Annotated[list[str] | None, typer.Option("--high", metavar="ARN", help=_TOLD.format("high"))]
Medium = Annotated[
    list[str] | None, typer.Option("--medium", metavar="ARN", help=_TOLD.format("medium"))
]
Language = Annotated[str, typer.Option(help=f"Of what people read: {', '.join(LANGUAGES)}.")]


@app.command()
def plan(
    environment: EnvironmentName = None,
    url: Url = None,
    critical: Critical = None,
    high: High = None,
    medium: Medium = None,
    language: Language = "en",
    check: Annotated[
        bool, typer.Option("--check", help="Exit status 1 when something would change.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what `apply` would change; changes nothing."""
    wish = _wish(environment, url, language, (critical, high, medium))

    found = run(_plan(wish))
    _tell(wish, found, json=json)
    if check and found.changes:
        raise typer.Exit(1)


@app.command()
def apply(
    environment: EnvironmentName = None,
    url: Url = None,
    critical: Critical = None,
    high: High = None,
    medium: Medium = None,
    language: Language = "en",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Create, change and delete alarms and the dashboard until they are the catalogue's.

    Shows what changes, then asks. What was not made by this command for this installation is never
    touched. Safe to repeat.
    """
    wish = _wish(environment, url, language, (critical, high, medium))

    found = run(_plan(wish))
    _tell(wish, found, json=json)
    if not found.changes:
        return
    _ask(yes=yes)
    for remark in run(_apply(wish, found)):
        print(f"CloudWatch remarks: {remark}", file=sys.stderr)


@app.command()
def states(environment: EnvironmentName = None, url: Url = None, json: Json = False) -> None:
    """List how the alarms stand at CloudWatch."""
    wish = _wish(environment, url, "en", ())

    async def work() -> list[Row]:
        async with open_cloudwatch() as there:
            found = await there.states(wish)
        return [{"alarm": name, "state": state} for name, state in sorted(found.items())]

    show(run(work()), json=json, empty="There is none. Make them: trackai cloudwatch apply")


async def _plan(wish: Wish) -> Plan:
    async with open_cloudwatch() as there:
        return await there.plan(wish)


async def _apply(wish: Wish, found: Plan) -> list[str]:
    async with open_cloudwatch() as there:
        return await there.apply(wish, found)


def _wish(
    environment: Environment | None,
    url: str | None,
    language: str,
    topics: Sequence[Sequence[str] | None],
) -> Wish:
    settings = load_settings()
    if language not in LANGUAGES:
        raise ConfigurationError(f"--language takes {' or '.join(LANGUAGES)}.")
    where = environment or settings.environment
    base_url = (url or settings.base_url).rstrip("/")
    if "://" not in base_url:
        raise ConfigurationError("--url takes an address, such as https://track.example.com")
    severities = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
    return Wish(
        Place(where.value, base_url),
        watched(production=where is Environment.PRODUCTION),
        words_of(language),
        {
            severity: _checked(severity, given or ())
            for severity, given in zip(severities, topics, strict=False)
        },
    )


def _checked(severity: Severity, given: Sequence[str]) -> list[str]:
    topics = list(dict.fromkeys(one.strip() for one in given if one.strip()))
    wrong = [one for one in topics if not _TOPIC.fullmatch(one)]
    if wrong or len(topics) > MOST_ACTIONS:
        raise ConfigurationError(
            f"--{severity} takes up to {MOST_ACTIONS} addresses of SNS topics, such as "
            "arn:aws:sns:sa-east-1:123456789012:on-call"
        )
    return topics


def _tell(wish: Wish, found: Plan, *, json: bool) -> None:
    silent = [one.value for one in Severity if not wish.topics.get(one)]
    if silent:
        options = " ".join(f"--{one}" for one in silent)
        print(f"trackai: alarms of these call nobody: {options}", file=sys.stderr)
    if json:
        write_json({"dashboard": wish.place.dashboard, "changes": found.changes})
        return
    for change in found.changes:
        _print_change(change)
    if found.changes:
        numbers = {one: sum(change.kind is one for change in found.changes) for one in Kind}
        print(", ".join(f"{number} to {kind}" for kind, number in numbers.items()))
    else:
        print("Nothing to change.")


def _print_change(change: Change) -> None:
    print(f"{_SIGNS[change.kind]} {change.thing} {change.name}")
    for one in change.differences:
        print(f"    {one.field}: {_shown(one.before)} -> {_shown(one.after)}")


def _shown(value: object) -> str:
    """Return a value on one line that steers no terminal: others may have written it."""
    text = "nothing" if value is None or value == [] else str(value)
    return "".join(one if one.isprintable() else " " for one in text)


def _ask(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError("There is no terminal to ask on. Give --yes to change it.")
    # The plan is on standard output, maybe for a program.
    typer.confirm("Change it?", abort=True, err=True)
