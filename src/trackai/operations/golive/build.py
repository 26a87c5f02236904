"""Items of code: deployed and tried, what checks and tests said of it, flags, migrations."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from trackai.errors import ConfigurationError
from trackai.golive.source import source_digest
from trackai.model.golive import Evidence
from trackai.operations.golive.look import Look
from trackai.storage import build_facts, golive_facts, smoke_runs
from trackai.storage.build_facts import BuildFacts

# What has to have ended with 0, as tools/attest.py and CI name it.
CHECKS = ("format", "lint", "types", "imports")
TESTS = ("tests",)
# The rules alone: enough for a rehearsal, on which nobody's sales depend.
UNIT_TESTS = ("unit tests",)
# A database keeps neither NUL nor every time; what steers a terminal or a page has no place here.
_Word = Annotated[str, msgspec.Meta(pattern=r"\A[ -~]{1,100}\Z")]
_Name = Annotated[str, msgspec.Meta(pattern=r"\A[ -~]{0,100}\Z")]
_Status = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]
_YEARS = range(2000, 9999)


class Told(msgspec.Struct, frozen=True):
    """A file of facts: what a checkout's checks said, and of which source code."""

    digest: _Word
    commit: _Name  # blank where there is no git
    made_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    checks: Annotated[dict[_Word, _Status], msgspec.Meta(min_length=1, max_length=100)]


def parse_told(raw: bytes) -> Told:
    """Return what a file tells; ConfigurationError when it is none."""
    try:
        told = msgspec.json.decode(raw, type=Told)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"That is no file of build facts: {error}") from None
    if told.made_at.year not in _YEARS:
        raise ConfigurationError("That is no file of build facts: nothing was checked then.")
    return told


async def deployed(look: Look) -> Evidence:
    """Ask whether the last smoke test went all the way, and was of the version that runs."""
    async with look.workers.transaction() as tx:
        last = await smoke_runs.find_last(tx, passed=True)
    if last is None or last.finished_at is None:
        return look.bad("smoke_none")
    if last.version != look.place.version:
        return look.bad("deployed_other", tested=last.version, version=look.place.version)
    return look.good("deployed_ok", last.finished_at, version=last.version)


async def checks(look: Look) -> Evidence:
    """Ask what checks said of the very files that run."""
    return await _of_build(look, CHECKS)


async def tests(look: Look) -> Evidence:
    """Ask what tests said of the very files that run; in production all of them."""
    whole = await _of_build(look, TESTS)
    if whole.good or look.place.production:
        return whole
    rules = await _of_build(look, UNIT_TESTS)
    return rules if rules.good else whole


async def flags(look: Look) -> Evidence:
    """Ask whether the rollout of every gateway that is connected was decided."""
    async with look.workers.transaction() as tx:
        flags_set, lacking = await golive_facts.count_flags_all_tenants(tx)
    if not flags_set:
        return look.bad("flags_none")
    if lacking:
        return look.bad("flags_lacking", lacking=lacking)
    return look.good("flags_ok", flags=flags_set)


async def migrations(look: Look) -> Evidence:
    """Ask whether the database is where the program wants it."""
    pending = await look.pending()
    if pending:
        return look.bad("migrations_pending", pending=len(pending))
    return look.good("migrations_ok")


async def _of_build(look: Look, names: Sequence[str]) -> Evidence:
    digest = source_digest()
    async with look.workers.transaction() as tx:
        facts = await build_facts.find_facts(tx, digest)
    if facts is None:
        return look.bad("build_unknown", digest=digest[:12])
    missing = [name for name in names if name not in facts.checks]
    if missing:
        return look.bad("build_missing", commit=_short(facts), names=", ".join(missing))
    failed = [name for name in names if facts.checks[name] != 0]
    if failed:
        return look.bad("build_failed", commit=_short(facts), names=", ".join(failed))
    return look.good(
        "build_ok", facts.made_at, commit=_short(facts), names=_counted(facts.checks, names)
    )


def _counted(said: Mapping[str, int], names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name in said)


def _short(facts: BuildFacts) -> str:
    return facts.commit[:12] or "-"
